"""Which criteria earn their place: known faults are found, and a rubric without faults gets no remark."""

import numpy as np
import pytest

from judge_server.monitoring.reward_signal import reward_signal
from judge_server.monitoring.rubric_audit import AskedTwice, audit
from judge_server.store.observation import Observed

POINTS = {"first": 5.0, "second": 3.0, "third": 2.0, "bad": -4.0}


def judgment(number, scores, *, prompt=None, points=POINTS, reward=None, flags=(), asked=4):
    possible = sum(max(points[name], 0) for name in scores)
    given = sum(points[name] * value for name, value in scores.items()) / possible if possible else None
    return Observed(
        id=f"j{number}",
        created_us=number,
        cluster=prompt or f"p{number // 4}",
        group=None,
        policy=None,
        reward=given if reward is None else reward,
        failed=False,
        flags=flags,
        characters=100,
        scores={name: float(value >= 0.5) for name, value in scores.items()},
        values=scores,
        points=points,
        negative=frozenset(name for name, own in points.items() if own < 0),
        asked=asked,
        unsure=0,
        response=None,
        prompt=None,
    )


def judged(seed, count=400, **shares):
    """``shares``: how often each criterion is met; criteria are independent."""
    random = np.random.default_rng(seed)
    rates = {"first": 0.5, "second": 0.4, "third": 0.6, "bad": 0.2, **shares}
    return [
        judgment(number, {name: float(random.random() < rate) for name, rate in rates.items()})
        for number in range(count)
    ]


def kinds(found):
    return {(remark.kind, remark.criteria) for remark in found.remarks}


def test_the_shares_of_the_variance_are_covariances_that_add_up_to_one():
    rows = [judgment(n, {"first": a, "second": b}, prompt="p") for n, (a, b) in enumerate([(1, 0), (0, 0), (1, 1)])]
    signal = reward_signal(rows)
    # rewards 5/8, 0, 1; contributions of first 5/8, 0, 5/8
    rewards, first = np.array([5 / 8, 0, 1]), np.array([5 / 8, 0, 5 / 8])
    expected = np.cov(first, rewards, bias=True)[0, 1] / np.var(rewards)
    assert signal.shares["first"].mean == pytest.approx(expected)
    assert signal.shares["first"].mean + signal.shares["second"].mean == pytest.approx(1)
    assert signal.rest == pytest.approx(0, abs=1e-12)
    assert signal.within


def test_what_differs_between_prompts_only_carries_nothing():
    rows = [judgment(n, {"first": float(n // 4 % 2), "second": float(n % 2)}, prompt=f"p{n // 4}") for n in range(400)]
    signal = reward_signal(rows)
    assert signal.shares["first"].mean == 0
    assert signal.shares["second"].mean == pytest.approx(1)


def test_what_a_gate_does_is_carried_by_no_criterion():
    rows = [judgment(n, {"first": float(n % 2), "second": 1.0}, reward=0.0 if n % 4 == 1 else None) for n in range(400)]
    assert abs(reward_signal(rows).rest) > 0.2


def test_equal_rewards_carry_nothing_and_divide_by_nothing():
    signal = reward_signal([judgment(n, {"first": 1.0}) for n in range(8)])
    assert (dict(signal.shares), signal.rest) == ({}, 0.0)


@pytest.mark.parametrize(
    ("shares", "kind", "criterion"),
    [
        ({"first": 1.0}, "always_met", "first"),
        ({"second": 0.0}, "never_met", "second"),
        ({"bad": 1.0}, "always_met", "bad"),
    ],
)
def test_a_criterion_that_all_or_no_response_meets_is_named(shares, kind, criterion):
    assert (kind, (criterion,)) in kinds(audit("r", "j", judged(1, **shares)))


def test_something_bad_that_never_happens_is_as_it_should_be():
    assert kinds(audit("r", "j", judged(1, bad=0.0))) == set()


@pytest.mark.parametrize(("turned", "kind"), [(False, "redundant"), (True, "opposite")])
def test_criteria_that_say_the_same_are_named_together(turned, kind):
    random = np.random.default_rng(2)
    rows = []
    for number in range(400):
        first = float(random.random() < 0.5)
        alike = first if random.random() < 0.98 else 1 - first
        scores = {"first": first, "second": 1 - alike if turned else alike, "third": float(random.random() < 0.5)}
        rows.append(judgment(number, scores))
    found = audit("r", "j", rows)
    assert kinds(found) == {(kind, ("first", "second"))}
    assert "of 400 responses" in found.remarks[0].evidence


def test_criteria_that_are_both_nearly_always_met_are_not_alike():
    found = audit("r", "j", judged(3, first=0.95, second=0.95))
    assert not any(kind in {"redundant", "opposite"} for kind, _ in kinds(found))


def test_a_criterion_with_next_to_no_points_is_idle():
    points = {"first": 10.0, "second": 0.01}
    random = np.random.default_rng(4)
    rows = [
        judgment(n, {name: float(random.random() < 0.5) for name in points}, points=points, prompt=f"p{n // 4}")
        for n in range(400)
    ]
    assert kinds(audit("r", "j", rows)) == {("idle", ("second",))}


@pytest.mark.parametrize("kind", ["unstable", "order"])
def test_verdicts_that_change_when_the_judge_is_asked_again_are_named(kind):
    random = np.random.default_rng(5)
    pairs = []
    for number in range(200):
        first = {"first": float(random.random() < 0.5), "second": 1.0}
        second = {**first, "first": first["first"] if random.random() < 0.75 else 1 - first["first"]}
        pairs.append(AskedTwice(f"j{number}", f"p{number // 2}", first, second))
    found = audit("r", "j", judged(6), **{"again" if kind == "unstable" else "turned": pairs})
    assert kinds(found) == {(kind, ("first",))}
    (first, second, *_) = found.criteria
    own = (first.repeated, second.repeated) if kind == "unstable" else (first.reordered, second.reordered)
    assert own[0].value == pytest.approx(0.25, abs=0.08)
    assert (own[1].value, own[1].n) == (0.0, 200)


def test_chance_is_not_taken_for_the_order_of_labels():
    random = np.random.default_rng(9)
    first = {"first": 1.0}
    again, turned = (
        [AskedTwice(f"j{n}", f"p{n // 2}", first, {"first": float(random.random() > 0.3)}) for n in range(200)]
        for _ in range(2)
    )
    assert kinds(audit("r", "j", judged(6), again, turned)) == {("unstable", ("first",))}


def test_few_judgments_make_no_remark():
    found = audit("r", "j", judged(7, count=60, first=1.0))
    assert not found.enough
    assert found.remarks == ()


def test_judgments_of_few_prompts_make_no_remark():
    rows = [judgment(n, {"first": 1.0, "second": float(n % 2)}, prompt=f"p{n % 5}") for n in range(400)]
    assert audit("r", "j", rows).remarks == ()


def test_what_the_guard_refused_is_no_evidence_about_criteria():
    refused = [judgment(1_000 + n, dict.fromkeys(POINTS, 0.0), flags=("degenerate",), asked=0) for n in range(300)]
    found = audit("r", "j", [*judged(8), *refused])
    assert (found.refused, found.judgments) == (300, 400)
    assert found.remarks == ()


def test_a_rubric_without_faults_seldom_gets_a_remark():
    """Any remark in at most one of twenty of 100 audits, within the error of 100 (3 standard deviations)."""
    claims = sum(bool(audit("r", "j", judged(seed, count=200, first=0.97, second=0.9)).remarks) for seed in range(100))
    assert claims <= 100 * 0.05 + 3 * (100 * 0.05 * 0.95) ** 0.5
