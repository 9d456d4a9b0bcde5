"""What counts as one observation: prompts are clusters, copies are one item, and what is assumed is said."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.errors import BadInput
from judge_server.labels.observations import components
from judge_server.labels.readers import read_labels

HEADING = ("item", "criterion", "annotator", "role", "label", "prompt", "response", "cluster", "split")


def read(tmp_path, rows):
    path = tmp_path / "labels.csv"
    text = io.StringIO()
    writer = csv.DictWriter(text, HEADING)
    writer.writeheader()
    for number, row in enumerate(rows):
        named = {"item": f"i{number}", "criterion": "c", "annotator": "ann", "role": "human", "label": "yes"}
        writer.writerow(named | row)
    path.write_text(text.getvalue())
    return read_labels(path)


def clusters(labels):
    table = labels.table
    return [table.clusters.names[code] for code in table.clusters.codes]


def test_items_of_one_prompt_are_one_cluster_without_a_cluster_column(tmp_path):
    labels = read(tmp_path, [{"prompt": f"Question {i // 6}?", "response": f"Answer {i}."} for i in range(120)])
    assert labels.counts.clusters == 20
    assert not any("independent" in note for note in labels.notes)


def test_a_cluster_is_connected_by_prompt_or_by_the_given_column(tmp_path):
    rows = [
        {"prompt": "A?", "response": "1", "cluster": "x"},
        {"prompt": "A?", "response": "2", "cluster": "y"},
        {"prompt": "B?", "response": "3", "cluster": "y"},
        {"prompt": "C?", "response": "4", "cluster": "z"},
    ]
    assert clusters(read(tmp_path, rows)) == ["x", "x", "x", "z"]


def test_copies_of_an_item_are_counted_once_and_said(tmp_path):
    rows = [{"prompt": f"Q{i % 60}?", "response": f"A{i % 60}."} for i in range(180)]
    labels = read(tmp_path, rows)
    assert (labels.counts.items, labels.counts.labels, labels.counts.clusters) == (60, 60, 60)
    assert any(note.startswith("120 items have the same prompt and response") for note in labels.notes)


def test_a_copy_that_was_labelled_differently_keeps_the_first_label_and_says_so(tmp_path):
    same = {"prompt": "Q?", "response": "A."}
    labels = read(tmp_path, [same, same | {"label": "no"}, {"prompt": "R?", "response": "B.", "label": "no"}])
    assert [label.label for label in labels.table] == ["yes", "no"]
    assert any("For 1 of their labels the same annotator gave different answers" in note for note in labels.notes)


def test_people_who_labelled_different_copies_labelled_one_item(tmp_path):
    same = {"prompt": "Q?", "response": "A."}
    labels = read(tmp_path, [same, same | {"annotator": "bob", "label": "no"}])
    assert [(label.item, label.annotator) for label in labels.table] == [("i0", "ann"), ("i0", "bob")]


def test_without_prompts_independence_is_assumed_and_said(tmp_path):
    labels = read(tmp_path, [{}, {}, {"label": "no"}])
    assert any("taken to be independent" in note for note in labels.notes)


@pytest.mark.parametrize("pair", [("A1", "a1"), ("i 7", "i7"), ("item-01", "item-1")])
def test_names_that_hardly_differ_are_reported(tmp_path, pair):
    labels = read(tmp_path, [{"item": name, "prompt": f"{name}?", "response": name} for name in pair])
    assert any("differ only by case, leading zeros or blanks" in note for note in labels.notes)


def test_a_prompt_in_both_splits_is_refused(tmp_path):
    rows = [
        {"prompt": "Q?", "response": "1", "cluster": "x", "split": "dev"},
        {"prompt": "Q?", "response": "2", "cluster": "y", "split": "test"},
    ]
    with pytest.raises(BadInput, match="both the dev split and the test split"):
        read(tmp_path, rows)


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("wxyz")), max_size=30))
def test_components_connect_exactly_what_is_chained(pairs):
    first, second = [one for one, _ in pairs], [other for _, other in pairs]
    found = components(first, second)
    places = range(len(pairs))
    alike = {(i, j) for i in places for j in places if first[i] == first[j] or second[i] == second[j]}
    reach = {i: {i} for i in places}
    for _ in pairs:
        for i, j in alike:
            reach[i] |= reach[j]
    assert all((found[i] == found[j]) == (j in reach[i]) for i in reach for j in reach)
