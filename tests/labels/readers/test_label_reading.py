import json

import numpy as np
import pytest

from judge_server.authoring.library import rubrics_directory
from judge_server.authoring.parsing import parse
from judge_server.core.errors import BadInput
from judge_server.labels.readers import read_labels
from judge_server.labels.readers.layout import Layout
from judge_server.labels.readers.scale import parse_scale
from judge_server.labels.table import ABSTAINED, INVALID
from tests.labels.readers.rows import HEADING, faults, human, judge, table
from tests.yardstick import work_within

RECORDS = [
    {
        "item": "a",
        "criterion": "c",
        "annotator": "ann",
        "role": "human",
        "label": True,
        "prompt": "Q",
        "tags": ["x", "y"],
    },
    {
        "item": "a",
        "criterion": "c",
        "annotator": "gpt",
        "role": "judge",
        "label": 1,
        "probability": 0.9,
        "cluster": "a",
    },
    {"item": "b", "criterion": "c", "annotator": "ann", "role": "human", "label": False},
]


def consultation():
    return parse((rubrics_directory() / "medical" / "consultation.yaml").read_bytes()).rubric


def test_a_table_becomes_a_label_set_with_every_annotator_kept(tmp_path):
    found = read_labels(table(tmp_path, human("a", "yes"), human("a", "no", "bob"), judge("a", "yes")))
    assert [label.label for label in found.table] == ["yes", "no", "yes"]
    assert [label.row for label in found.table] == [2, 3, 4]
    assert found.table.annotators_of("human") == ("ann", "bob")
    assert found.scale_of("c").positive == "yes"
    assert found.id == "labels"
    assert found.provenance.checksum.startswith(f"sha256:{found.version}")


@pytest.mark.parametrize("name", ["labels.jsonl", "labels.json", "labels.txt"])
def test_json_is_told_from_what_the_file_holds(tmp_path, name):
    path = tmp_path / name
    lines = "\n".join(map(json.dumps, RECORDS))
    path.write_text(lines if name != "labels.json" else json.dumps(RECORDS, indent=1), encoding="utf-8")
    found = read_labels(path)
    assert [label.label for label in found.table] == ["true", "true", "false"]
    assert found.table.probabilities[1] == 0.9
    assert found.items["a"].tags == ("x", "y")
    assert found.items["a"].prompt == "Q"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_divides_the_heading(tmp_path, delimiter):
    path = tmp_path / "labels.csv"
    rows = [HEADING, human("a", "3"), judge("a", "4")]
    path.write_text("\ufeff" + "\n".join(delimiter.join(row) for row in rows), encoding="utf-8")
    assert [label.label for label in read_labels(path).table] == ["3", "4"]


def test_parquet_is_read_with_its_types(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow.parquet import write_table

    path = tmp_path / "labels.parquet"
    columns = {"item": ["a", "b"], "criterion": ["c", "c"], "annotator": ["x", "x"], "role": ["human"] * 2}
    write_table(pyarrow.table({**columns, "label": [1.0, None], "other": [1, 2]}), path)
    found = read_labels(path)
    assert [(label.label, label.status, label.row) for label in found.table] == [("1", "ok", 1), (None, "abstained", 2)]


def test_an_item_is_its_own_cluster_where_none_is_named(tmp_path):
    heading = (*HEADING, "cluster")
    path = table(tmp_path, (*human("a", "1"), "p"), (*human("b", "0"), ""), heading=heading)
    assert [label.cluster for label in read_labels(path).table] == ["p", "b"]


@pytest.mark.parametrize("word", ["", "n/a", "Abstain", "unsure", " skip ", "?"])
def test_abstentions_are_counted_and_never_coerced(tmp_path, word):
    found = read_labels(table(tmp_path, human("a", "yes"), human("b", word), human("c", "no")))
    assert found.table.labels.codes[1] == ABSTAINED
    assert found.counts.abstained == 1


def test_a_class_of_a_named_scale_is_no_abstention(tmp_path):
    path = table(tmp_path, human("a", "yes"), human("b", "unsure"))
    found = read_labels(path, scales=[parse_scale("c=no|unsure|yes")])
    assert [label.label for label in found.table] == ["yes", "unsure"]


def test_free_text_of_a_judge_is_invalid_and_kept_as_it_was_written(tmp_path):
    said = "I'm sorry, but I can't assist with that."
    path = table(tmp_path, human("a", "safe"), human("b", "unsafe"), judge("a", said), judge("b", "unsafe"))
    found = read_labels(path)
    assert found.table.labels.codes[2] == INVALID
    assert list(found.table)[2].written == said
    assert "1 of 2 labels" in next(note for note in found.notes if "gpt" in note)


def test_a_wide_table_is_read_by_its_annotators_columns(tmp_path):
    path = table(tmp_path, ("1", "yes", "no", "1"), ("2", "no", "", "0"), heading=("id", "ann", "bob", "gpt"))
    layout = Layout({"item": "id"}, {"criterion": "good"}, {"ann": "human", "bob": "human", "gpt": "judge"})
    found = read_labels(path, layout=layout)
    assert found.counts.humans == 2
    assert found.counts.abstained == 1
    assert [label.label for label in found.table if label.role == "judge"] == ["yes", "no"]


def test_scales_come_from_a_rubric_with_its_spellings(tmp_path):
    rows = [human("a", "yes", criterion="red_flags"), human("b", "0", criterion="red_flags")]
    found = read_labels(table(tmp_path, *rows, human("a", "Most", criterion="essential_points")), rubric=consultation())
    assert [label.label for label in found.table] == ["met", "unmet", "most"]
    assert found.scale_of("essential_points").classes == ("none", "few", "most", "all")


def test_a_criterion_missing_from_the_rubric_is_named_with_a_near_one(tmp_path):
    path = table(tmp_path, human("a", "yes", criterion="red_flag"))
    with pytest.raises(BadInput, match="red_flag") as refused:
        read_labels(path, rubric=consultation())
    assert "red_flags" in refused.value.remedy


def test_probabilities_of_each_class_give_an_expected_score(tmp_path):
    heading = (*HEADING, "probabilities")
    rows = [(*human("a", "3"), ""), (*human("b", "1"), ""), (*judge("a", "2"), '{"1": 0.5, "3": 0.5}')]
    found = read_labels(table(tmp_path, *rows, heading=heading), scales=[parse_scale("c=1<2<3")])
    assert found.table.expected_scores().tolist() == [3, 1, 2]


def test_words_count_by_their_place_in_an_expected_score(tmp_path):
    found = read_labels(table(tmp_path, human("a", "good"), human("b", "")), scales=[parse_scale("c=bad<fair<good")])
    np.testing.assert_equal(found.table.expected_scores(("bad", "fair", "good")), [2, np.nan])


def test_the_split_of_a_file_is_kept_and_a_prompt_in_both_is_refused(tmp_path):
    heading = (*HEADING, "split")
    path = table(tmp_path, (*human("a", "1"), "test"), (*human("b", "0"), "dev"), heading=heading)
    assert read_labels(path).splits == {"a": "test", "b": "dev"}
    path = table(tmp_path, (*human("a", "1"), "test"), (*human("a", "0", "bob"), "dev"), heading=heading)
    assert [(row, column) for row, column, _ in faults(path)] == [(3, "split")]


@pytest.mark.parametrize(
    ("text", "kind", "positive"),
    [
        ("a=no<yes", "binary", "yes"),
        ("a=1<2<3", "ordinal", None),
        ("a=x|y", "nominal", None),
        ("a=number", "continuous", None),
    ],
)
def test_a_scale_can_be_named_in_one_word(text, kind, positive):
    scale = parse_scale(text)
    assert (scale.criterion, scale.kind, scale.positive) == ("a", kind, positive)


@pytest.mark.parametrize("text", ["", "a", "a=", "a=one", "a=x<X", "=x<y", "a=x<<y"])
def test_a_scale_that_cannot_be_read_says_how_to_write_it(text):
    with pytest.raises(BadInput, match="scale") as refused:
        parse_scale(text)
    assert "--scale" in refused.value.remedy


def test_two_hundred_thousand_labels_are_read_within_the_time_bound(tmp_path):
    rows = [
        human(f"item {number}", "yes" if number % 3 else "no", f"ann {who}", f"c {criterion}")
        for number in range(5_000)
        for criterion in range(10)
        for who in range(4)
    ]
    path = table(tmp_path, *rows)
    with work_within(10):
        assert len(read_labels(path).table) == 200_000
