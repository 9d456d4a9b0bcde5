"""A label is a reference, or an envelope that is right to the last field."""

import json

import pytest

from judge_server.core.errors import BadSubmission
from judge_server.server.dialects.envelope import MOST_CHARACTERS, envelope_in_row, open_label
from tests.submissions import rubric

WHOLE = {
    "rubric": "medical/consultation@1.0.0",
    "reference": "Call.",
    "prompt": "What now?",
    "facts": {"audience": "patient"},
    "judge": "default",
    "tags": ("study-7",),
}


@pytest.mark.parametrize(
    "label", [WHOLE, json.dumps(WHOLE), f"  {json.dumps(WHOLE)}\n"], ids=["object", "text", "spaced"]
)
def test_an_envelope_is_read_as_object_or_as_text(label):
    assert open_label(label).model_dump(exclude_none=True) == WHOLE


def test_an_envelope_may_hold_a_whole_rubric():
    assert open_label({"rubric": rubric()}).rubric == rubric()


@pytest.mark.parametrize(
    ("label", "reference"),
    [
        ("42", "42"),
        ("Call.", "Call."),
        ("{x | x > 0}", "{x | x > 0}"),
        ('{"answer": 1}', '{"answer": 1}'),
        ('["rubric"]', '["rubric"]'),
        (43, "43"),
        (1.5, "1.5"),
        (["a", 1], '["a",1]'),
        ({"answer": 1}, '{"answer":1}'),
        ("", None),
        (None, None),
    ],
)
def test_whatever_else_a_label_is_it_is_the_reference(label, reference):
    envelope = open_label(label)
    assert envelope.reference == reference
    assert envelope.rubric is None


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ({"rubric": "a/b", "refrence": "x"}, "refrence"),
        ({"rubric": 5}, "rubric"),
        ({"reference": 5}, "reference"),
        ({"facts": "no object", "rubric": "a/b"}, "facts"),
        ({"judge": "", "rubric": "a/b"}, "judge"),
        ({"prompt": [], "rubric": "a/b"}, "prompt"),
        ({"prompt": [{"role": "wizard", "content": "x"}]}, "prompt"),
        ('{"rubric": "a/b", ', "not JSON"),
        ('{"rubric": NaN}', "NaN"),
        ('{"rubric": "a/b", "facts": {"a": ' + "[" * 90 + "]" * 90 + "}}", "nested"),
        ({"reference": "r", "facts": {"a": float("inf")}}, "facts"),
    ],
)
def test_an_envelope_that_is_not_right_is_a_typed_fault_that_names_the_field(label, told):
    with pytest.raises(BadSubmission) as caught:
        open_label(label)
    assert caught.value.type == "bad_envelope"
    assert told in caught.value.detail
    assert "rubric" in caught.value.remedy


def test_a_label_of_any_length_is_refused_before_it_is_read():
    with pytest.raises(BadSubmission, match=f"{MOST_CHARACTERS} are the most"):
        open_label("{" * (MOST_CHARACTERS + 1))


def test_a_label_that_nests_without_end_is_a_reference_or_a_typed_fault():
    assert open_label("{" * 100_000).reference == "{" * 100_000
    assert open_label("[" * 100_000).reference == "[" * 100_000
    with pytest.raises(BadSubmission, match="nested too deeply"):
        open_label('{"rubric":' * 50_000)


def test_the_columns_of_a_row_are_an_envelope_and_a_reference_may_be_any_json():
    envelope = envelope_in_row({"rubric": "a/b", "reference": [1, 2], "other": 5, "facts": None})
    assert (envelope.rubric, envelope.reference, envelope.facts) == ("a/b", "[1,2]", None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([{"criteria": "Names towns.", "weight": 2}], [("Names towns.", 2)]),
        (["Names towns.", "Is cheap."], [("Names towns.", 1), ("Is cheap.", 1)]),
        ('[{"criterion": "Names towns.", "points": 3}]', [("Names towns.", 3)]),
        ({"criteria": [{"criterion": "Names towns.", "weight": 2}]}, [("Names towns.", 2)]),
        ("- Names towns.\n- Is cheap.", [("Names towns.", 1), ("Is cheap.", 1)]),
        ("Essential: Names towns.\nPitfall: Fails to say when.", [("Names towns.", 1), ("Fails to say when.", -0.9)]),
    ],
    ids=["list", "texts", "json", "object", "bullets", "categories"],
)
def test_a_rubric_of_another_project_in_a_row_is_read(given, expected):
    held = envelope_in_row({"rubric": given}).rubric
    assert [(one["statement"], one.get("points", 1)) for one in held["criteria"]] == expected


def test_a_rubric_of_ours_as_json_text_is_read():
    assert envelope_in_row({"rubric": json.dumps(rubric())}).rubric == rubric()


@pytest.mark.parametrize("given", [[], 5, "Be nice to people.\nAnd brief.", {"accuracy": "high"}])
def test_a_rubric_of_no_known_form_is_refused_rather_than_taken_for_a_name(given):
    with pytest.raises(BadSubmission, match="rubric of the row cannot be read"):
        envelope_in_row({"rubric": given})
