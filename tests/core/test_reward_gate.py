"""Vetoes: a gate that fired caps the reward, a gate that could not be read never lets one through."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge_server.core.outcome import GateFired, JudgmentStatus
from judge_server.core.reward import read_gates, reward
from tests.core.build import missing, ok, rubric, verdicts
from tests.core.strategies import KINDS, decided, rubrics

GOOD = {"id": "good", "points": 10}
VETO = {"id": "veto", "gate": {"when": "met", "reward": 0.0}}
CLIPPED = {"kind": "points", "clip": [0, 1]}
SKIP = {"policy": "skip", "min_coverage": 0.5}
WORST = {"policy": "worst", "min_coverage": 0.5}


@settings(max_examples=100)
@given(st.data())
def test_a_gate_that_fired_caps_the_reward(data):
    judged = data.draw(rubrics(kinds=(*KINDS, "expression"), gates=True))
    values = data.draw(decided(judged))
    outcome = reward(judged, verdicts(**values))
    fired = {leaf.id: leaf.gate.reward for leaf in judged.leaves if leaf.gate and leaf.gate.fires(values[leaf.id])}
    assert {gate.criterion: gate.reward for gate in outcome.gates} == fired
    assert not any(gate.assumed for gate in outcome.gates)
    if outcome.reward is not None:
        assert all(outcome.reward <= cap for cap in fired.values())


def test_a_pure_gate_changes_nothing_until_it_fires():
    judged = rubric(GOOD, VETO, aggregate=CLIPPED)
    assert reward(judged, verdicts(good=0.7, veto=0.49)).reward == 0.7
    outcome = reward(judged, verdicts(good=0.7, veto=0.5))
    assert (outcome.reward, outcome.gates) == (0.0, (GateFired(criterion="veto", when="met", reward=0.0),))


def test_an_unmet_gate_fires_below_its_threshold():
    judged = rubric(GOOD, {"id": "format", "gate": {"when": "unmet", "reward": -1.0, "threshold": 0.8}})
    assert reward(judged, verdicts(good=1, format=0.8)).reward == 1.0
    assert reward(judged, verdicts(good=1, format=0.79)).reward == -1.0


def test_the_lowest_of_several_gates_holds():
    criteria = [GOOD, VETO, {"id": "worse", "gate": {"reward": -2.0}}]
    assert reward(rubric(*criteria), verdicts(good=1, veto=1, worse=1)).reward == -2.0


def test_a_gate_does_not_raise_a_reward():
    judged = rubric(GOOD, {"id": "cap", "gate": {"reward": 0.5}})
    assert reward(judged, verdicts(good=0.2, cap=1)).reward == 0.2
    assert reward(judged, verdicts(good=0.9, cap=1)).reward == 0.5


@pytest.mark.parametrize("kind", ["all", "any", "weighted_mean"])
def test_a_pure_gate_has_no_part_in_the_aggregate(kind):
    judged = rubric(GOOD, VETO, aggregate={"kind": kind})
    assert reward(judged, verdicts(good=0.7, veto=0)).reward == pytest.approx(0.7)


def test_vetoes_alone_are_worth_not_being_met():
    judged = rubric({"id": "one", "gate": {}}, {"id": "two", "gate": {"when": "unmet"}}, aggregate={"kind": "all"})
    assert reward(judged, verdicts(one=0.1, two=0.8)).reward == pytest.approx(0.8)
    assert reward(judged, verdicts(one=0.6, two=0.8)).reward == 0.0


@pytest.mark.parametrize("policy", [{"policy": "null"}, SKIP])
def test_a_gate_that_could_not_be_read_blocks_the_reward(policy):
    outcome = reward(rubric(GOOD, VETO, aggregate=CLIPPED, missing=policy), verdicts(good=1, veto="missing"))
    assert (outcome.reward, outcome.status, outcome.gates) == (None, JudgmentStatus.PARTIAL, ())
    assert outcome.error.type == "timeout"


def test_a_gate_that_could_not_be_read_does_not_matter_where_it_could_not_lower_the_reward():
    judged = rubric(GOOD, VETO, aggregate=CLIPPED, missing=SKIP)
    assert reward(judged, verdicts(good=0, veto="missing")).reward == 0.0
    capped = rubric(GOOD, VETO, {"id": "cap", "gate": {"reward": -1.0}}, aggregate=CLIPPED, missing=SKIP)
    assert reward(capped, verdicts(good=1, veto="missing", cap=1)).reward == -1.0


def test_worst_takes_a_gate_that_could_not_be_read_to_have_fired_and_says_that_it_assumes_so():
    outcome = reward(rubric(GOOD, VETO, aggregate=CLIPPED, missing=WORST), verdicts(good=1, veto="missing"))
    assert outcome.reward == 0.0
    assert outcome.gates == (GateFired(criterion="veto", when="met", reward=0.0, assumed=True),)


def test_a_gate_assumed_to_have_fired_is_no_reward_where_too_little_is_decided():
    judged = rubric(GOOD, VETO, aggregate=CLIPPED, missing=WORST)
    for found in ({"good": "missing", "veto": "missing"}, {"good": None, "veto": None}, {"good": "missing", "veto": 0}):
        assert reward(judged, verdicts(**found)).reward is None


@pytest.mark.parametrize("policy", [SKIP, WORST])
def test_a_veto_that_was_read_decides_by_itself_where_nothing_goes_lower(policy):
    judged = rubric(GOOD, VETO, aggregate=CLIPPED, missing=policy)
    outcome = reward(judged, verdicts(good="missing", veto=1))
    assert (outcome.reward, outcome.status, outcome.error) == (0.0, JudgmentStatus.PARTIAL, None)


def test_a_veto_holds_even_where_the_arithmetic_has_no_value():
    judged = rubric({"points": -3}, VETO, aggregate=CLIPPED)
    assert reward(judged, verdicts(c0=0, veto=1)).reward == 0.0
    assert reward(judged, verdicts(c0=0, veto=0)).error.type == "undefined_reward"


def test_a_veto_that_was_read_decides_nothing_where_the_rest_could_go_lower():
    unclipped = rubric(GOOD, VETO, missing=SKIP)
    assert reward(unclipped, verdicts(good="missing", veto=1)).reward is None
    for policy in (SKIP, WORST):
        lower = rubric(GOOD, VETO, {"id": "lower", "gate": {"reward": -1.0}}, aggregate=CLIPPED, missing=policy)
        assert reward(lower, verdicts(good="missing", veto=1, lower="missing")).reward is None
        assert reward(lower, verdicts(good="missing", veto=1, lower=0)).reward == 0.0


def test_the_null_policy_gives_no_reward_even_to_a_veto():
    assert reward(rubric(GOOD, VETO, aggregate=CLIPPED), verdicts(good="missing", veto=1)).reward is None


def test_a_gate_that_does_not_apply_neither_fires_nor_blocks():
    outcome = reward(rubric(GOOD, VETO, aggregate=CLIPPED), verdicts(good=0.4, veto="n/a"))
    assert (outcome.reward, outcome.gates, outcome.status) == (0.4, (), JudgmentStatus.OK)


def test_one_bad_step_is_enough_for_a_gate():
    judged = rubric(GOOD, VETO | {"scope": "step"}, aggregate=CLIPPED)
    found = [ok("good"), ok("veto", 0, step=0), ok("veto", 1, step=1), ok("veto", 0, step=2)]
    assert reward(judged, found).reward == 0.0


def test_a_gate_inside_a_group_vetoes_the_whole_reward():
    judged = rubric({"id": "g", "kind": "group", "criteria": [{"id": "inner", "gate": {}, "points": 1}]}, GOOD)
    assert reward(judged, verdicts(inner=1, good=1)).reward == 0.0


def test_only_a_gate_below_a_value_could_lower_it():
    judged = rubric(GOOD, {"id": "veto", "gate": {"reward": 0.25}})
    unread = read_gates(judged, {"good": [ok("good")], "veto": []})
    assert (unread.might_lower(0.25), unread.might_lower(0.26)) == (False, True)
    worst = rubric(GOOD, {"id": "veto", "gate": {"reward": 0.25}}, missing=WORST)
    taken = read_gates(worst, {"good": [], "veto": []})
    assert (taken.fired[0].assumed, taken.might_lower(0.25), taken.might_lower(0.26)) == (True, False, True)


def test_a_gate_with_one_missing_step_is_unread_until_another_step_fires_it():
    judged = rubric(GOOD, VETO)
    quiet, absent, loud = ok("veto", 0.0, step=1), missing("veto", step=2), ok("veto", 1.0, step=3)

    def read(*found):
        gates = read_gates(judged, {"good": [ok("good")], "veto": list(found)})
        return len(gates.fired), len(gates.unread)

    assert read(quiet) == (0, 0)
    assert read(quiet, absent) == (0, 1)
    assert read(quiet, absent, loud) == (1, 0)
    assert read() == (0, 1)


@pytest.mark.parametrize("kind", ["all", "any", "weighted_mean"])
def test_among_gates_alone_a_veto_is_worth_what_is_left_of_it(kind):
    assert reward(rubric(VETO, aggregate={"kind": kind}), verdicts(veto=0.25)).reward == 0.75
