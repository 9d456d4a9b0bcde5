"""Hostile files: an error with its row, never a crash and never silence."""

import json

import pytest

from judge_server.core.errors import BadInput
from judge_server.labels.readers import read_labels
from tests.labels.readers.rows import HEADING, faults, human

HEAD = ",".join(HEADING) + "\n"
GOOD = "a,c,ann,human,1\n"


def test_bytes_that_are_not_utf8_are_placed(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(HEAD.encode() + GOOD.encode() + b"b,c,ann,human,\xe9\n")
    assert [(row, message) for row, _, message in faults(path)] == [(3, "the text is not UTF-8")]


def test_an_open_quotation_mark_is_placed(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(HEAD + GOOD + 'b,c,ann,human,"1\n' + GOOD * 50, encoding="utf-8")
    ((row, _, message),) = faults(path)
    assert row == 3
    assert "breaks off" in message


def test_a_field_that_never_ends_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(HEAD + GOOD + 'b,c,ann,human,"' + "x" * (17 * 2**20) + '"\n', encoding="utf-8")
    assert faults(path)[0][0] == 3


def test_long_texts_are_taken(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("item,criterion,annotator,role,label,response\na,c,ann,human,1," + "x" * 500_000, encoding="utf-8")
    assert len(read_labels(path).items["a"].response) == 500_000


def test_rows_of_another_width_are_placed(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(HEAD + GOOD + "b,c\n" + "c,c,ann,human,1,2\n", encoding="utf-8")
    assert [row for row, _, _ in faults(path)] == [3, 4]


@pytest.mark.parametrize("name", ["a\0b", "a\x1b[31m", "x" * 500])
def test_names_that_cannot_be_shown_are_placed(tmp_path, name):
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps(dict(zip(HEADING, human(name, "1"), strict=True))), encoding="utf-8")
    assert [(row, column) for row, column, _ in faults(path)] == [(1, "item")]


def test_lines_that_are_not_json_objects_are_placed(tmp_path):
    path = tmp_path / "x.jsonl"
    good = json.dumps(dict(zip(HEADING, human("a", "1"), strict=True)))
    path.write_text(f"{good}\nnot json\n\n[1]\n{'[' * 100_000}\n", encoding="utf-8")
    assert [row for row, _, _ in faults(path)] == [2, 4, 5]


def test_values_of_another_type_are_placed(tmp_path):
    path = tmp_path / "x.jsonl"
    record = dict(zip(HEADING, human("a", "1"), strict=True))
    path.write_text(json.dumps({**record, "label": {"deep": []}, "probabilities": {"1": 7}}), encoding="utf-8")
    assert {column for _, column, _ in faults(path)} == {"label", "probabilities"}


@pytest.mark.parametrize(
    "head", [b"PK\x03\x04", b"\x1f\x8b\x08", b"\xff\xfea\0", b"SQLite format 3\0", b"%PDF-1.7", b"PAR1broken"]
)
def test_other_kinds_of_files_are_named_with_a_remedy(tmp_path, head):
    path = tmp_path / "labels.csv"
    path.write_bytes(head + b"x" * 100)
    with pytest.raises(BadInput, match=r"labels\.csv") as refused:
        read_labels(path)
    assert refused.value.remedy


def test_a_broken_sidecar_is_named(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(HEAD + GOOD, encoding="utf-8")
    (tmp_path / "labels.csv.about.json").write_text('{"scales": [{"kind": "odd"}]}', encoding="utf-8")
    with pytest.raises(BadInput, match=r"labels\.csv\.about\.json"):
        read_labels(path)


@pytest.mark.parametrize("name", ["", "x" * 401])
def test_a_criterion_without_a_usable_name_is_placed_whatever_its_labels_are(tmp_path, name):
    path = tmp_path / "x.csv"
    path.write_text(HEAD + GOOD + f"b,{name},ann,human,1\n", encoding="utf-8")
    assert [(row, column) for row, column, _ in faults(path)] == [(3, "criterion")]
