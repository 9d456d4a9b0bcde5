"""A judge that fails, in every way and for any number of criteria, is never a reward."""

import asyncio
import json
from math import inf, log, nan

import pytest

from judge_server.core.errors import ContextOverflow, DeadlineExceeded, ModelUnavailable, UnusableVerdict
from judge_server.core.verdict import VerdictStatus
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Completion, TokenProbability
from tests.scoring.assembly import judge, rubric, scorer, submission
from tests.scripted_model import ScriptedModel, labelled, spoken, yes

CRITERIA = 20


def raising(make):
    def script(request):
        raise make()

    return script


def tokens(*pairs):
    return lambda request: Completion("Yes", tuple(TokenProbability(*pair) for pair in pairs))


RAISED = {
    "times out": (raising(lambda: DeadlineExceeded("late")), "timeout"),
    "times out on its own": (raising(TimeoutError), "timeout"),
    "is down": (raising(lambda: ModelUnavailable("HTTP 500")), "judge_unavailable"),
    "overflows": (raising(lambda: ContextOverflow("9,000 tokens")), "context_overflow"),
    "answers nothing usable": (raising(lambda: UnusableVerdict("no choices")), "unusable_verdict"),
    "has a bug": (raising(lambda: RuntimeError("oh")), "judge_unavailable"),
    "breaks off": (raising(asyncio.CancelledError), "judge_unavailable"),
}
DIRECT = RAISED | {
    "no probabilities": (lambda request: Completion("Yes"), "unusable_verdict"),
    "empty": (lambda request: Completion(""), "unusable_verdict"),
    "garbage": (lambda request: labelled(**{"\u0000": 0.6, "lorem": 0.4}), "low_label_mass"),
    "wrong label": (lambda request: labelled(Maybe=0.9, Yes=0.1), "low_label_mass"),
    "NaN": (tokens(("Yes", nan), ("No", -1.0)), "labels_not_listed"),
    "all NaN": (tokens(("a", nan), ("b", nan)), "labels_not_listed"),
    "infinity": (tokens(("Yes", inf), ("No", -1.0)), "unusable_verdict"),
    "minus infinity": (tokens(("Yes", -inf), ("No", -inf)), "low_label_mass"),
    "more than everything": (tokens(("Yes", log(0.9)), ("yes", log(0.9))), "unusable_verdict"),
}
REASON = RAISED | {
    "garbage": (lambda request: spoken("I think that Yes, it is met: 10/10"), "unusable_verdict"),
    "truncated JSON": (lambda request: spoken('{"reason": "It does", "verd'), "unusable_verdict"),
    "cut off": (lambda request: Completion('{"reason": "r", "verdict": "No"}', truncated=True), "unusable_verdict"),
    "thinks for ever": (lambda request: Completion("", truncated=True, thinking="Hm"), "unusable_verdict"),
    "wrong label": (lambda request: spoken({"reason": "r", "verdict": "Maybe"}), "unusable_verdict"),
    "empty": (lambda request: spoken(""), "unusable_verdict"),
    "blank": (lambda request: spoken(" " * 200), "unusable_verdict"),
    "null": (lambda request: spoken("null"), "unusable_verdict"),
    "two verdicts": (lambda request: spoken('{"reason": "r", "verdict": "No", "verdict": "Yes"}'), "unusable_verdict"),
    "no verdict": (lambda request: spoken({"reason": "r"}), "unusable_verdict"),
    "a number": (lambda request: spoken({"reason": "r", "verdict": 0}), "unusable_verdict"),
}
CASES = [("direct", name, *case) for name, case in DIRECT.items()]
CASES += [("reason", name, *case) for name, case in REASON.items()]


def signed(policy: str):
    """As many criteria with points as against."""
    criteria = [
        {"id": f"c{n}", "statement": f"Says thing {n:02}.", "points": 1 if n % 2 else -1} for n in range(CRITERIA)
    ]
    missing = {"policy": policy} if policy == "null" else {"policy": policy, "min_coverage": 0.8}
    return rubric(*criteria, missing=missing)


def failing(broken: int, fault):
    """Says 0.75 on every criterion but the first ``broken``."""
    hit = {f"Says thing {n:02}." for n in range(broken)}

    def script(request):
        return fault(request) if request.prompt.text_of("criterion") in hit else yes(0.75)(request)

    return script


def expected(policy: str, broken: int, value: float) -> float | None:
    """The reward that the rubric's policy defines where ``broken`` criteria have no verdict."""
    if broken and (policy == "null" or broken / CRITERIA > 0.2):
        return None
    if broken and policy == "skip":
        return None  # the first criterion has negative points: leaving it out would raise the reward
    values = [value] * CRITERIA
    for n in range(broken):
        values[n] = 0.0 if n % 2 else 1.0
    used = [(1 if n % 2 else -1, values[n]) for n in range(CRITERIA) if n >= broken or policy == "worst"]
    return sum(points * v for points, v in used) / sum(max(points, 0) for points, _ in used)


@pytest.mark.parametrize("policy", ["null", "skip", "worst"])
@pytest.mark.parametrize(("mode", "name", "fault", "kind"), CASES, ids=[f"{mode} {name}" for mode, name, *_ in CASES])
async def test_a_failed_judge_is_never_a_reward(mode, name, fault, kind, policy):
    for broken in (1, 5, CRITERIA):
        model = ScriptedModel(failing(broken, fault))
        judgment = await scorer(judge(model, mode=mode)).score(submission(rubric=signed(policy)))
        failed, sound = judgment.verdicts[:broken], judgment.verdicts[broken:]
        assert {verdict.value for verdict in failed} == {None}
        assert {verdict.error.type for verdict in failed} == {kind}
        assert not any(verdict.decided for verdict in failed)
        assert all(verdict.decided for verdict in sound)
        wanted = expected(policy, broken, 0.75 if mode == "direct" else 1.0)
        if wanted is None:
            assert judgment.reward is None
            assert judgment.error.type == kind
        else:
            assert judgment.reward == pytest.approx(wanted)
        assert judgment.status == ("failed" if broken == CRITERIA else "partial")
        assert judgment.coverage == pytest.approx(1 - broken / CRITERIA)


async def test_a_judge_that_never_answers_is_no_reward():
    model = ScriptedModel(yes(0.9), seconds=60)
    judgment = await scorer(judge(model)).score(submission(), Terms.within(0.05))
    assert judgment.reward is None
    assert judgment.error.type == "timeout"
    assert {verdict.status for verdict in judgment.verdicts} == {VerdictStatus.UNAVAILABLE}


async def test_one_unreadable_criterion_of_a_packed_call_fails_the_whole_call_and_no_other():
    def script(request):
        if "thing 00" in request.prompt.text_of("criterion"):
            return spoken({"1": {"reason": "r", "verdict": "Yes"}})
        return spoken({str(n): {"reason": "r", "verdict": "Yes"} for n in range(1, 6)})

    asked = judge(ScriptedModel(script), mode="reason", criteria_per_call=5)
    judgment = await scorer(asked).score(submission(rubric=signed("null")))
    assert [verdict.decided for verdict in judgment.verdicts] == [False] * 5 + [True] * 15
    assert judgment.reward is None


async def test_a_fault_that_passes_is_asked_for_again():
    asked = []

    def script(request):
        asked.append(request)
        return spoken("oh" if len(asked) % 2 else json.dumps({"reason": "r", "verdict": "Yes"}))

    judgment = await scorer(judge(ScriptedModel(script), mode="reason")).score(submission(rubric=rubric(count=1)))
    assert judgment.reward == 1.0
    assert judgment.usage.calls == 2
