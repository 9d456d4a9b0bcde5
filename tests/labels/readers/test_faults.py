"""Bad labels are refused with row, column and what to do, all of them at once."""

import pytest

from judge_server.core.errors import BadInput
from judge_server.labels.readers import read_labels
from judge_server.labels.readers.scale import parse_scale
from tests.labels.readers.rows import HEADING, faults, human, judge, table

YES_AND_NO = [human(str(number), "yes" if number % 2 else "no") for number in range(8)]


def test_many_faults_are_told_at_once(tmp_path):
    heading = (*HEADING, "probability")
    rows = [
        (*human("a", "3"), ""),
        (*human("a", "4"), "1.5"),
        ("b", "c", "gpt", "robot", "2", "x"),
        (*human("c", "banana"), ""),
        (*human("", "2"), ""),
    ]
    found = faults(table(tmp_path, *rows, heading=heading))
    places = {(3, "probability"), (3, "annotator"), (4, "probability"), (4, "role"), (5, "label"), (6, "item")}
    assert {(row, column) for row, column, _ in found} == places


def test_an_unknown_label_is_refused_at_each_of_its_rows(tmp_path):
    path = table(tmp_path, *YES_AND_NO, human("x", "maybe"))
    assert [(row, column) for row, column, _ in faults(path)] == [(10, "label")]
    path = table(tmp_path, human("a", "6"), human("b", "2"), human("c", "6"))
    assert [row for row, _, _ in faults(path, scales=[parse_scale("c=1<2<3<4<5")])] == [2, 4]


def test_a_near_class_is_suggested(tmp_path):
    with pytest.raises(BadInput) as refused:
        read_labels(table(tmp_path, human("a", "god")), scales=[parse_scale("c=bad<good")])
    assert "Did you mean 'good'?" in refused.value.remedy


def test_a_word_beside_yes_and_no_is_a_class_only_if_the_scale_says_so(tmp_path):
    path = table(tmp_path, *YES_AND_NO, human("x", "partly"), human("y", "partly"))
    assert [row for row, _, _ in faults(path)] == [10, 11]
    with pytest.raises(BadInput, match=r"--scale 'c=WORST<\.\.\.<BEST'"):
        read_labels(path)
    named = read_labels(path, scales=[parse_scale("c=no<partly<yes")])
    assert named.scale_of("c").classes == ("no", "partly", "yes")


@pytest.mark.parametrize("labels", [("1", "2", "good"), ("good", "bad", "7")])
def test_numbers_and_words_on_one_criterion_are_mixed_scales(tmp_path, labels):
    path = table(tmp_path, *(human(str(place), label) for place, label in enumerate(labels)))
    ((row, column, message),) = faults(path)
    assert (row, column) == (4, "label")
    assert "mixes two scales" in message


def test_a_judge_on_another_scale_than_the_people_is_refused(tmp_path):
    path = table(tmp_path, human("a", "good"), human("b", "bad"), judge("a", "4"), judge("b", "2"))
    assert "two scales are mixed" in faults(path)[0][2]


def test_a_duplicate_names_the_row_it_repeats(tmp_path):
    ((row, _, message),) = faults(table(tmp_path, human("a", "1"), human("b", "1"), human("a", "1")))
    assert row == 4
    assert "already in row 2" in message


def test_an_annotator_with_two_roles_is_refused_in_a_crowd_too(tmp_path):
    for size in (1, 80):
        crowd = [human("a", "1", f"person {number}") for number in range(size)]
        found = faults(table(tmp_path, *crowd, judge("b", "1", "person 0")))
        assert [(row, column) for row, column, _ in found] == [(size + 2, "role")]


def test_an_item_in_two_clusters_or_with_two_texts_is_refused(tmp_path):
    heading = (*HEADING, "cluster", "prompt")
    rows = [(*human("a", "1"), "p", "Q"), (*human("a", "1", "bob"), "q", "R")]
    found = faults(table(tmp_path, *rows, heading=heading))
    assert {(row, column) for row, column, _ in found} == {(3, "cluster"), (3, "prompt")}


def test_missing_columns_are_named_with_what_was_found_and_a_guess(tmp_path):
    path = table(tmp_path, ("1", "ann", "2"), heading=("id", "rater", "score"))
    with pytest.raises(BadInput) as refused:
        read_labels(path)
    found = {one["column"]: one for one in refused.value.extensions["findings"]}
    assert found.keys() == {"item", "criterion", "annotator", "role", "label"}
    assert "id, rater, score" in found["item"]["message"]
    assert "--column item=id" in found["item"]["suggestion"]
    assert "--column label=score" in found["label"]["suggestion"]


def test_free_text_labels_of_people_are_refused(tmp_path):
    path = table(tmp_path, *(human(str(number), f"thought {number}") for number in range(150)))
    assert "free text" in faults(path)[0][2]


def test_the_list_of_faults_is_bounded_and_counted(tmp_path):
    path = table(tmp_path, *(human("same", "1") for _ in range(5_000)))
    with pytest.raises(BadInput) as refused:
        read_labels(path)
    assert len(refused.value.extensions["findings"]) == 200
    assert refused.value.extensions["count"] == 4_999


@pytest.mark.parametrize("name", ["absent.csv", "empty.csv", "heading.csv"])
def test_a_file_without_labels_is_refused_by_its_name(tmp_path, name):
    (tmp_path / "empty.csv").write_text("\n \n", encoding="utf-8")
    table(tmp_path, name="heading.csv")
    with pytest.raises(BadInput, match=name) as refused:
        read_labels(tmp_path / name)
    assert refused.value.remedy
