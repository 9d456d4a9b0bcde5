import pytest
from pydantic import ValidationError

from judge_server.core.judge import JudgeSpecification


def judge(**fields):
    return JudgeSpecification.model_validate({"name": "strict", "model": "baseline"} | fields)


def test_a_model_alone_is_enough():
    made = judge()
    assert (made.mode, made.votes, made.effective_temperature, made.panel) == ("direct", 1, 0.0, ())


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"model": None}, "give a model, a panel"),
        ({"panel": ["a", "b"]}, "give a model, a panel"),
        ({"model": None, "panel": ["a"]}, "at least two different judges"),
        ({"model": None, "panel": ["a", "a"]}, "at least two different judges"),
        ({"model": None, "panel": ["a", "strict"]}, "the panel 'strict' names itself"),
        ({"model": None, "panel": ["a", "b"], "quorum": 3}, "a quorum of 3 is more than the panel's 2 members"),
        ({"thinking_tokens": 100}, "thinking_tokens needs mode = reason"),
        ({"criteria_per_call": 5}, "criteria_per_call needs mode = reason"),
        ({"votes": 0}, "greater than or equal to 1"),
        ({"temperature": 3}, "less than or equal to 2"),
        ({"min_label_mass": 1.5}, "less than or equal to 1"),
        ({"attempts": 0}, "greater than or equal to 1"),
        ({"mode": "chat"}, "'direct' or 'reason'"),
        ({"name": "a b"}, "pattern"),
        ({"name": "http://elsewhere"}, "pattern"),
        ({"url": "http://elsewhere"}, "Extra inputs"),
    ],
    ids=str,
)
def test_a_judge_that_cannot_work_is_refused_with_the_reason(fields, problem):
    with pytest.raises(ValidationError, match=problem):
        judge(**fields)


@pytest.mark.parametrize(
    ("fields", "temperature"),
    [
        ({"mode": "reason"}, 0.0),
        ({"mode": "reason", "votes": 3}, 0.7),
        ({"votes": 3}, 0.0),
        ({"mode": "reason", "votes": 3, "temperature": 0.2}, 0.2),
        ({"mode": "reason", "votes": 3, "temperature": 0}, 0.0),
    ],
)
def test_several_votes_with_reasons_need_some_temperature(fields, temperature):
    assert judge(**fields).effective_temperature == temperature


def test_a_panel_has_members_and_perhaps_a_quorum():
    made = judge(model=None, panel=["a", "b", "c"], quorum=2, combine="majority")
    assert (made.panel, made.quorum, made.combine) == (("a", "b", "c"), 2, "majority")
    assert JudgeSpecification.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize("band", [[0.2], [], 0.5, [0.1, 2], {"water": [0.1]}, {"water": 0.5}, ["a", "b"]])
def test_a_band_that_cannot_be_read_is_told_in_words(band):
    with pytest.raises(ValidationError) as refused:
        judge(model=None, cascade={"first": "a", "then": "b", "band": band})
    (fault,) = refused.value.errors()
    assert fault["loc"][-1] == "band"
    assert "[low, high]" in fault["msg"]


@pytest.mark.parametrize("band", [[0.2, 0.8], {"water": [0.1, 0.3], "*": [0.5, 0.5]}, {}])
def test_a_band_is_one_for_all_or_one_by_criterion(band):
    made = judge(model=None, cascade={"first": "a", "then": "b", "band": band})
    assert JudgeSpecification.model_validate_json(made.model_dump_json()) == made
