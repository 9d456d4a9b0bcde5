from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from judge_server.core.judgment import JudgeReference, Judgment, Timing, Usage
from judge_server.core.reward import reward
from tests.core.build import missing, ok, rubric

USAGES = st.builds(Usage, **dict.fromkeys(Usage.model_fields, st.integers(0, 10**9)))


@settings(max_examples=50)
@given(USAGES, USAGES, USAGES)
def test_usage_adds_up(first, second, third):
    assert (first + second) + third == first + (second + third)
    assert first + second == second + first
    assert first + Usage() == first


def judgment(**fields):
    judged = rubric({"tags": ["axis:a"], "points": 0.1}, {})
    found = (ok("c0", 0.1), missing("c1"))
    outcome = reward(judged, found)
    given = {name: getattr(outcome, name) for name in type(outcome).model_fields} | {
        "id": "j1",
        "verdicts": found,
        "rubric": judged.reference,
        "judge": JudgeReference(name="a", model="baseline", mode="direct", fingerprint="f"),
        "timing": Timing(total_seconds=0.1),
        "created_at": datetime.now(UTC),
    }
    return Judgment(**given | fields)


def test_a_judgment_without_a_reward_says_null_and_why_in_its_json():
    text = judgment().model_dump_json()
    assert '"reward":null' in text
    assert '"type":"timeout"' in text


def test_a_judgment_survives_its_own_json():
    first = judgment()
    assert Judgment.model_validate_json(first.model_dump_json()) == first


@pytest.mark.parametrize(
    "fields",
    [{"reward": float("nan")}, {"reward": float("inf")}, {"coverage": 1.1}, {"created_at": datetime(2026, 1, 1)}],  # noqa: DTZ001
    ids=str,
)
def test_a_judgment_holds_no_nonsense(fields):
    with pytest.raises(ValidationError):
        judgment(**fields)
