"""The reward on the steps that hold its evidence: by hand, through a server, and on the tokens."""

import json
import re
from math import fsum

import pytest

from judge_client.client import Client
from judge_client.evidence_steps import evidence_steps
from judge_client.judgment import Judgment, QuotedStep, Verdict
from judge_client.sample import Sample
from judge_client.token_rewards import token_rewards
from tests.served import judged_by
from tests.stub_judge import text

RUBRIC = {
    "id": "clinic/advice",
    "version": "1.0.0",
    "title": "Advice",
    "criteria": [
        {"id": "remedy", "statement": "Names a remedy.", "points": 3, "evidence": "quote"},
        {"id": "danger", "statement": "Recommends something dangerous.", "points": -2, "evidence": "quote"},
        {"id": "kind", "statement": "Is kind.", "points": 1},
    ],
}
RESPONSE = "Drink water.\n\nTake thirty pills.\n\nGet well soon."
WATER, PILLS, WELL = (0, 12), (14, 32), (34, 48)


def verdict(name, points, value, *evidence):
    return Verdict(name, "ok", "judge", points, value=value, evidence=evidence)


def judgment(reward, *verdicts):
    return Judgment(id="jdg_1", reward=reward, status="ok", coverage=1.0, verdicts=verdicts)


def test_the_parts_of_each_step_by_hand():
    """4 points are possible. remedy adds 3 · 1 / 4 = .75, two thirds of it in step 0; danger adds −2 · .5 / 4 = −.25;
    kind adds 1 · .4 / 4 = .1, without evidence."""
    found = evidence_steps(
        judgment(
            0.6,
            verdict("remedy", 3.0, 1.0, QuotedStep(0, WATER, 2 / 3), QuotedStep(2, WELL, 1 / 3)),
            verdict("danger", -2.0, 0.5, QuotedStep(1, PILLS, 0.5), QuotedStep(2, WELL, 0.5)),
            verdict("kind", 1.0, 0.4),
        )
    )
    assert {name: [(one.index, one.value) for one in own] for name, own in found.by_criterion.items()} == {
        "remedy": [(0, pytest.approx(0.5)), (2, pytest.approx(0.25))],
        "danger": [(1, pytest.approx(-0.125)), (2, pytest.approx(-0.125))],
    }
    assert [(one.index, one.span, one.value) for one in found.steps] == [
        (0, WATER, pytest.approx(0.5)),
        (1, PILLS, pytest.approx(-0.125)),
        (2, WELL, pytest.approx(0.125)),
    ]
    assert found.rest == pytest.approx(0.1)


def test_what_a_gate_takes_away_is_in_the_rest():
    found = evidence_steps(judgment(0.0, verdict("remedy", 1.0, 0.8, QuotedStep(0, WATER, 1.0))))
    assert ([one.value for one in found.steps], found.rest) == ([0.8], -0.8)


def test_a_judgment_without_a_reward_has_nothing_to_place():
    found = evidence_steps(judgment(None, verdict("remedy", 1.0, 0.8, QuotedStep(0, WATER, 1.0))))
    assert (found.by_criterion, found.steps, found.rest) == ({}, (), None)


def test_points_that_cannot_be_earned_count_over_their_absolute_sum():
    found = evidence_steps(judgment(-0.5, verdict("danger", -2.0, 0.5, QuotedStep(1, PILLS, 1.0))))
    assert ([one.value for one in found.steps], found.rest) == ([-0.5], 0.0)


def reasons(body):
    asked = json.dumps(body["messages"][-1])
    if "Names a remedy" in asked:
        return text('{"reason": "It says «drink water».", "verdict": "Yes"}')
    if "something dangerous" in asked:
        return text('{"reason": "«Take thirty pills» is far too much.", "verdict": "Yes"}')
    return text('{"reason": "It wishes well.", "verdict": "Yes"}')


def test_a_server_s_judgment_reaches_the_tokens_and_keeps_its_evidence():
    with judged_by(reasons) as (http, _), Client(str(http.base_url)) as client:
        found = client.score(Sample("My head aches.", RESPONSE, rubric=RUBRIC, explain=True))
        assert client.judgment(found.id).verdicts == found.verdicts
    steps = evidence_steps(found)
    assert [(one.index, one.span, one.value) for one in steps.steps] == [(0, WATER, 0.75), (1, PILLS, -0.5)]
    assert steps.rest == pytest.approx(0.25)
    words = [match.span() for match in re.finditer(r"\S+", RESPONSE)]
    placed = token_rewards(steps.steps, words).values
    assert placed == [0.0, 0.75, 0.0, 0.0, -0.5, 0.0, 0.0, 0.0]
    assert fsum(placed) + steps.rest == pytest.approx(found.reward)
