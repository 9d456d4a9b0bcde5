import pytest
from pydantic import TypeAdapter, ValidationError

from judge_server.core.condition import Condition, When, applies

WHEN = TypeAdapter(When)


def holds(when, facts=None, reference=None, policy=None):
    return applies(WHEN.validate_python(when), {"facts": facts or {}, "reference": reference, "policy": policy})


@pytest.mark.parametrize(
    ("compared", "fact", "expected"),
    [
        ("patient", "patient", True),
        ("patient", "doctor", False),
        (["patient", "carer"], "carer", True),
        (["patient", "carer"], "doctor", False),
        ({"equals": "patient"}, "patient", True),
        ({"one_of": ["patient"]}, "doctor", False),
        ({"not": "patient"}, "doctor", True),
        ({"not": "patient"}, "patient", False),
        ({"exists": True}, "anything", True),
        ({"exists": False}, "anything", False),
        ({"exists": True}, False, True),
        ({"exists": True}, 0, True),
        ({"gte": 18}, 18, True),
        ({"gte": 18}, 17.9, False),
        ({"lte": 0.5}, 0.5, True),
        ({"lte": 0.5}, 1, False),
        ({"gte": 18}, "forty", False),
        ({"gte": 0}, True, False),
        (True, True, True),
        (True, 1, False),
        (1, True, False),
        (0, False, False),
        (1, 1.0, True),
        ({"not": True}, 1, True),
        ([1, 2], True, False),
        ("x", ["x"], False),
        (None, "x", False),
        ({"not": None}, "x", True),
    ],
)
def test_a_fact_is_compared(compared, fact, expected):
    assert holds({"facts.name": compared}, {"name": fact}) is expected


@pytest.mark.parametrize(
    ("compared", "expected"),
    [
        ("patient", False),
        (["patient", None], True),
        (["patient"], False),
        ({"exists": False}, True),
        ({"exists": True}, False),
        ({"not": "patient"}, True),
        ({"not": None}, False),
        (None, True),
        ({"gte": 0}, False),
        ({"lte": 0}, False),
        (False, False),
        (0, False),
    ],
)
@pytest.mark.parametrize("facts", [{}, {"name": None}, {"name.other": 1}])
def test_an_absent_fact_is_null(compared, expected, facts):
    assert holds({"facts.name": compared}, facts) is expected


def test_facts_are_looked_up_in_depth():
    assert holds({"facts.patient.age": {"gte": 65}}, {"patient": {"age": 70}})
    assert not holds({"facts.patient.age": {"gte": 65}}, {"patient": 70})


def test_reference_and_policy_can_be_read():
    assert holds({"reference": {"exists": True}}, reference="The answer.")
    assert not holds({"reference": {"exists": True}})
    assert holds({"policy": ["grpo-7b"]}, policy="grpo-7b")


def test_all_conditions_must_hold_and_none_always_does():
    when = {"facts.a": 1, "facts.b": 2}
    assert holds(when, {"a": 1, "b": 2})
    assert not holds(when, {"a": 1, "b": 3})
    assert holds({})


@pytest.mark.parametrize("path", ["audience", "facts", "facts.", "facts..a", "reference.x", "policy.x", "prompt", ""])
def test_a_condition_on_anything_else_is_refused(path):
    with pytest.raises(ValidationError, match=r"reads facts\.NAME, reference or policy"):
        WHEN.validate_python({path: 1})


@pytest.mark.parametrize(
    "compared",
    [
        {},
        {"gte": 1, "lte": 2},
        {"exists": None},
        {"gte": None},
        {"one_of": None},
        {"like": "x"},
        {"exists": "true"},
        {"gte": "5"},
        {"gte": True},
        [],
        [["nested"]],
        {"equals": {"a": 1}},
    ],
)
def test_a_comparison_compares_in_one_known_way(compared):
    with pytest.raises(ValidationError):
        WHEN.validate_python({"facts.name": compared})


@pytest.mark.parametrize("compared", ["x", None, True, 1, ["a", None], {"not": None}, {"exists": False}, {"gte": 2}])
def test_a_comparison_survives_its_own_json(compared):
    first = Condition.model_validate(compared)
    again = Condition.model_validate_json(first.model_dump_json())
    assert again.model_dump() == first.model_dump()
    assert [again.holds(fact, fact is not None) for fact in (None, "x", 3, True)] == [
        first.holds(fact, fact is not None) for fact in (None, "x", 3, True)
    ]
