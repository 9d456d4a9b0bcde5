"""What physicians write in label columns: read right, or refused with row and remedy."""

import json

import pytest

from judge_server.authoring.parsing import from_data
from judge_server.core.errors import BadInput
from judge_server.labels.readers import read_labels
from judge_server.labels.readers.scale import parse_mapping, parse_scale
from judge_server.labels.table import ABSTAINED
from tests.labels.readers.rows import faults, human, table

RUBRIC = from_data(
    {
        "id": "t/words",
        "version": "1.0.0",
        "title": "T",
        "criteria": [
            {"id": "c", "statement": "Names water."},
            {"id": "tone", "kind": "scale", "statement": "How kind?", "options": [
                {"label": "cold", "value": 0}, {"label": "fair", "value": 0.5}, {"label": "warm", "value": 1},
            ]},
        ],
    }
).rubric  # fmt: skip


def labels_of(path, **options):
    return [(label.label, label.status) for label in read_labels(path, **options).table]


@pytest.mark.parametrize(
    "word", ["N.A.", "-", "–", "k.A.", "entfällt", "Not applicable", "ignore", "n/a", "keine Angabe", "", " "], ids=repr
)
def test_words_for_no_answer_are_no_class(tmp_path, word):
    path = table(tmp_path, human("a", "yes"), human("b", "no"), human("c", word))
    labels = read_labels(path)
    assert labels.scales[0].classes == ("no", "yes")
    assert labels.table.labels.codes[2] == ABSTAINED


def test_a_scale_may_have_such_a_class_where_it_is_asked_for(tmp_path):
    path = table(tmp_path, human("a", "yes"), human("b", "n/a"))
    assert labels_of(path, scales=[parse_scale("c=no|yes|n/a")])[1] == ("n/a", "ok")


def test_other_languages_need_a_mapping(tmp_path):
    path = table(tmp_path, human("a", "ja"), human("b", "Nein"))
    (first, second) = faults(path, rubric=RUBRIC)
    assert first[:2] == (2, "label")
    assert "is not on the scale" in second[2]
    with pytest.raises(BadInput, match="--map 'ja=CLASS'"):
        read_labels(path, rubric=RUBRIC)
    mapping = [parse_mapping("ja=met"), parse_mapping("c:nein=unmet")]
    assert labels_of(path, rubric=RUBRIC, mapping=mapping) == [("met", "ok"), ("unmet", "ok")]


def test_a_word_may_be_mapped_to_nothing(tmp_path):
    path = table(tmp_path, human("a", "yes"), human("b", "later"))
    assert labels_of(path, mapping=[parse_mapping("later=")])[1] == (None, "abstained")


@pytest.mark.parametrize("text", ["ja", "=met", ":ja=met", "c:=met", ""])
def test_a_mapping_that_cannot_be_read_says_how_to_write_one(text):
    with pytest.raises(BadInput, match="--map ja=met"):
        parse_mapping(text)


def test_what_a_mapping_does_is_noted(tmp_path):
    path = table(tmp_path, human("a", "yes"), human("b", "0"))
    notes = read_labels(path, rubric=RUBRIC).notes
    assert "criterion 'c': '0' counts as 'unmet' (1), 'yes' counts as 'met' (1)" in notes


def test_a_decimal_comma_is_a_decimal(tmp_path):
    path = table(tmp_path, human("a", "0,5"), human("b", "1"), human("c", "0"))
    assert labels_of(path) == [("0.5", "ok"), ("1", "ok"), ("0", "ok")]


@pytest.mark.parametrize(
    ("word", "what"),
    [
        ("8/10", "is a fraction"),
        ("8 von 10", "is a fraction"),
        ("1,000", "may hold a decimal or a thousands separator"),
        ("80 %", "is a percentage"),
        ("08. Okt", "is a date"),
        ("8-Oct", "is a date"),
        ("2026-10-08", "is a date"),
        ("Oct-26", "is a date"),
    ],
)
@pytest.mark.parametrize("other", ["5", "good"])
def test_what_only_looks_like_a_number_is_refused(tmp_path, word, what, other):
    path = table(tmp_path, human("a", word), human("b", other), human("c", other))
    assert faults(path) == [(2, "label", f"the label {word!r} {what}{_rest(what)}")]


def _rest(what):
    return ": spreadsheets make dates of entries such as 8/10" if what == "is a date" else ""


def test_school_grades_do_not_become_options_by_their_order(tmp_path):
    path = table(tmp_path, human("a", "1", criterion="tone"), human("b", "3", criterion="tone"))
    found = faults(path, rubric=RUBRIC)
    assert [message for _, _, message in found] == [
        f"the label '{grade}' is not on the scale of 'tone' (cold, fair, warm)" for grade in (1, 3)
    ]
    mapping = [parse_mapping("tone:1=warm"), parse_mapping("tone:3=cold")]
    assert labels_of(path, rubric=RUBRIC, mapping=mapping) == [("warm", "ok"), ("cold", "ok")]


def test_an_identifier_of_zero_is_an_identifier(tmp_path):
    def task(number):
        result = [{"type": "choices", "from_name": "c", "value": {"choices": ["yes"]}}]
        return {"id": number, "data": {"prompt": f"Q {number}", "response": 0}, "annotations": [
            {"completed_by": {"id": 0}, "result": result}]}  # fmt: skip

    path = tmp_path / "export.json"
    path.write_text(json.dumps([task(0), task(1)]), "utf-8")
    labels = read_labels(path)
    assert labels.table.items.names == ("0", "1")
    assert labels.table.annotators.names == ("0",)
    assert labels.items["0"].response == "0"
