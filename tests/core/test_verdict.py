from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from judge_server.core.errors import DeadlineExceeded
from judge_server.core.verdict import Failure, Opinion, Verdict, VerdictStatus
from judge_server.util.redaction import keep_secret
from tests.core.build import TIMEOUT, missing, not_applicable, ok

GIVEN = {"criterion": "a", "source": "judge", "points": 1.0}


@given(st.floats(0, 1), st.none() | st.floats(0, 2), st.booleans(), st.floats(-10, 10))
def test_a_verdict_that_is_not_validated_again_is_the_one_that_validation_makes(value, mass, cached, points):
    made = Verdict.of_judge("a", points, value, mass, cached=cached)
    numbers = {"points": points, "value": value, "met": value, "label_mass": mass, "cached": cached}
    validated = Verdict(**GIVEN | numbers, status=VerdictStatus.OK)
    assert made == validated
    assert (made.model_fields_set, repr(made)) == (validated.model_fields_set, repr(validated))
    for left_out in ({}, {"exclude_defaults": True}, {"exclude_unset": True}):
        assert made.model_dump_json(**left_out) == validated.model_dump_json(**left_out)
    with pytest.raises(ValidationError):
        made.value = 0.5


@pytest.mark.parametrize(("status", "value", "error"), list(product(VerdictStatus, [None, 0.0, 0.5], [None, TIMEOUT])))
def test_a_value_stands_exactly_when_the_status_is_ok_and_an_error_exactly_when_something_failed(status, value, error):
    settled = status in (VerdictStatus.OK, VerdictStatus.NOT_APPLICABLE)
    fits = (value is not None) == (status is VerdictStatus.OK) and (error is None) == settled
    for make in (
        lambda: Verdict(**GIVEN, status=status, value=value, error=error),
        lambda: Opinion(judge="a", status=status, value=value, error=error),
    ):
        if fits:
            assert make().value == value
        else:
            with pytest.raises(ValidationError, match=r"a verdict (has a value exactly when|that is)"):
                make()


@pytest.mark.parametrize(
    "fields",
    [
        {"value": -0.1},
        {"value": 1.1},
        {"value": float("nan")},
        {"met": 2},
        {"label_mass": -1},
        {"step": -1},
        {"span": (5, 2)},
        {"span": (-1, 2)},
        {"options": {"good": 1.5}},
        {"source": "oracle"},
        {"score": 1},
    ],
    ids=str,
)
def test_numbers_outside_their_range_are_refused(fields):
    with pytest.raises(ValidationError):
        ok("a", **fields)


def test_an_abstained_verdict_may_show_the_probability_that_was_not_trusted():
    verdict = missing("a", VerdictStatus.ABSTAINED, met=0.9, label_mass=0.1)
    assert (verdict.value, verdict.met, verdict.decided, verdict.missing) == (None, 0.9, False, True)


def test_decided_missing_and_not_applicable_are_three_things():
    assert [(v.decided, v.missing) for v in (ok("a"), missing("a"), not_applicable("a"))] == [
        (True, False),
        (False, True),
        (False, False),
    ]


def test_a_fault_keeps_its_type_and_detail():
    assert Failure.of(DeadlineExceeded("Too late.", remedy="Wait longer.")) == Failure(
        type="timeout", detail="Too late."
    )


@settings(max_examples=100)
@given(st.floats(0, 1), st.text(max_size=20))
def test_a_verdict_survives_its_own_json_to_the_last_digit(value, reason):
    verdict = ok("a", value, met=value, reason=reason, options={"x": value}, span=(0, 3), step=0)
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_a_failure_repeats_no_secret_that_somebody_quoted():
    keep_secret("key-of-an-engine-1")
    assert Failure(type="judge_unavailable", detail="HTTP 401 (key-of-an-engine-1).").detail == "HTTP 401 (***)."
