"""A failed judge is never a reward: what the three policies do with every subset of missing verdicts."""

from itertools import product
from math import isfinite

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from judge_server.core.outcome import JudgmentStatus
from judge_server.core.reward import reward
from judge_server.core.verdict import Failure, VerdictStatus
from tests.core.build import missing, not_applicable, ok, rubric, verdicts
from tests.core.strategies import KINDS, MISSING, POINTS, VALUES, decided, outcomes, rubrics

EVERY_KIND = (*KINDS, "expression")
SKIP = {"policy": "skip", "min_coverage": 0.5}
WORST = {"policy": "worst", "min_coverage": 0.5}


@settings(max_examples=100)
@given(st.data())
def test_a_failed_judge_is_never_a_reward_under_the_null_policy(data):
    judged = data.draw(rubrics(kinds=EVERY_KIND, points=POINTS, gates=True, missing=st.just({"policy": "null"})))
    found = data.draw(outcomes(judged))
    assume(any(value in ("missing", None) for value in found.values()))
    outcome = reward(judged, verdicts(**found))
    assert outcome.reward is None
    assert outcome.error is not None
    assert outcome.status is not JudgmentStatus.OK


@settings(max_examples=100)
@given(st.data())
def test_where_nothing_is_decided_no_policy_gives_a_number(data):
    judged = data.draw(rubrics(kinds=EVERY_KIND, points=POINTS, gates=True))
    silent = st.sampled_from(["missing", None, "n/a"])
    outcome = reward(judged, verdicts(**{leaf.id: data.draw(silent) for leaf in judged.leaves}))
    assert outcome.reward is None
    assert outcome.status is JudgmentStatus.FAILED
    assert outcome.coverage == 0.0
    assert all(value is None for value in outcome.components.values())


@settings(max_examples=150)
@given(st.data())
def test_skip_treats_a_missing_verdict_as_a_criterion_that_does_not_apply_if_enough_is_decided(data):
    skip = MISSING.filter(lambda given: given["policy"] == "skip")
    nested = rubrics(kinds=("weighted_mean", "all", "any"), missing=skip)
    judged = data.draw(st.one_of(nested, rubrics(kinds=EVERY_KIND, depth=0, missing=skip)))
    found = data.draw(outcomes(judged))
    outcome = reward(judged, verdicts(**found))
    silent = {name for name, value in found.items() if value in ("missing", None)}
    if outcome.coverage < judged.missing.min_coverage - 1e-9 or silent & judged.required_verdicts:
        assert outcome.reward is None
    else:
        without = {name: "n/a" if value in ("missing", None) else value for name, value in found.items()}
        assert outcome.reward == reward(judged, verdicts(**without)).reward


@settings(max_examples=150)
@given(st.data())
def test_worst_is_no_more_than_any_answer_the_judge_could_have_given(data):
    judged = data.draw(rubrics(gates=True, missing=MISSING.filter(lambda given: given["policy"] == "worst")))
    found = data.draw(outcomes(judged))
    outcome = reward(judged, verdicts(**found))
    if outcome.coverage < judged.missing.min_coverage - 1e-9:
        only_vetoes = [gate.reward for gate in outcome.gates if not gate.assumed]
        assert outcome.reward is None or outcome.reward == min(only_vetoes)
    for_all = {name: data.draw(VALUES) if value in ("missing", None) else value for name, value in found.items()}
    possible = reward(judged, verdicts(**for_all)).reward
    if outcome.reward is not None and possible is not None:
        assert outcome.reward <= possible + 1e-12


@settings(max_examples=100)
@given(st.data())
def test_worst_equals_the_reward_with_the_worst_values_filled_in(data):
    judged = data.draw(rubrics(kinds=EVERY_KIND, missing=st.just(WORST)))
    found = data.draw(outcomes(judged))
    outcome = reward(judged, verdicts(**found))
    assume(outcome.coverage >= 0.5)
    filled = {name: judged.worst_values[name] if value in ("missing", None) else value for name, value in found.items()}
    assert outcome.reward == reward(judged, verdicts(**filled)).reward


@settings(max_examples=100)
@given(st.data())
def test_status_coverage_and_error_say_exactly_what_happened(data):
    judged = data.draw(rubrics(kinds=EVERY_KIND, points=POINTS, gates=True))
    found = data.draw(outcomes(judged))
    outcome = reward(judged, verdicts(**found))
    absent = [name for name, value in found.items() if value in ("missing", None)]
    heard = [name for name, value in found.items() if isinstance(value, float)]
    assert (outcome.error is None) == (outcome.reward is not None)
    assert (outcome.coverage == 1.0) == (not absent and bool(heard))
    if not absent:
        assert outcome.status is (JudgmentStatus.FAILED if outcome.reward is None else JudgmentStatus.OK)
    else:
        assert outcome.status is (JudgmentStatus.PARTIAL if heard else JudgmentStatus.FAILED)
    numbers = [outcome.reward, outcome.coverage, *outcome.components.values()]
    assert all(isfinite(number) for number in numbers if number is not None)


@settings(max_examples=100)
@given(st.data())
def test_with_every_verdict_there_the_policy_does_not_matter(data):
    judged = data.draw(rubrics(kinds=EVERY_KIND, gates=True))
    found = verdicts(**data.draw(decided(judged)))
    for policy in ("null", "skip", "worst"):
        other = judged.model_copy(update={"missing": judged.missing.model_copy(update={"policy": policy})})
        first, second = reward(judged, found), reward(other, found)
        assert (first.reward, first.status, first.coverage) == (second.reward, second.status, second.coverage)
        assert (first.gates, first.error) == (second.gates, second.error)
        assert first.reward is None or first.gates or first.components == second.components


def test_what_is_decided_in_a_group_that_skip_leaves_out_does_not_count_as_covered():
    formula = {"kind": "expression", "expression": "g_0 * g_1"}
    group = {"id": "g", "kind": "group", "aggregate": formula, "criteria": [{"points": 9}, {"points": 1}]}
    judged = rubric(group, {"id": "other"}, missing={"policy": "skip", "min_coverage": 0.8})
    outcome = reward(judged, verdicts(g_0=0, g_1="missing", other=1))
    assert (outcome.reward, outcome.coverage) == (None, 0.5)


@pytest.mark.parametrize("policy", ["null", "skip", "worst"])
def test_a_group_without_a_value_in_spite_of_its_verdicts_makes_the_reward_undefined(policy):
    group = {"id": "g", "kind": "group", "aggregate": {"kind": "points"}, "criteria": [{"points": -1}]}
    outcome = reward(rubric(group, {"id": "other"}, missing={"policy": policy}), verdicts(g_0=0, other=1))
    assert (outcome.reward, outcome.status, outcome.error.type) == (None, JudgmentStatus.FAILED, "undefined_reward")
    assert outcome.error.detail.startswith("The aggregation of g has no value")


SILENCES = [VerdictStatus.ABSTAINED, VerdictStatus.UNUSABLE, VerdictStatus.UNAVAILABLE]


@pytest.mark.parametrize(("silence", "points", "kind"), list(product(SILENCES, [4, -4], ["points", "all", "any"])))
def test_no_kind_of_silence_becomes_a_zero_or_rewards_a_bad_answer(silence, points, kind):
    judged = rubric({"points": points}, {"points": 6}, aggregate={"kind": kind, "clip": [0, 1]})
    outcome = reward(judged, [missing("c0", silence), ok("c1", 1)])
    assert (outcome.reward, outcome.status) == (None, JudgmentStatus.PARTIAL)


def test_exactly_the_needed_coverage_is_enough_in_spite_of_rounding():
    criteria = [{"points": 1}, {"points": 7}, {"points": 2}]
    judged = rubric(*criteria, missing={"policy": "skip", "min_coverage": 0.8})
    assert reward(judged, verdicts(c0=1, c1=0, c2="missing")).reward == pytest.approx(1 / 8)
    assert reward(judged, verdicts(c0="missing", c1="missing", c2=1)).error.type == "timeout"


def test_a_group_decided_only_by_a_criterion_without_points_is_not_decided():
    group = {"id": "g", "kind": "group", "criteria": [{"points": 1}, {"points": 0}]}
    judged = rubric(group, {"id": "other", "points": 9}, missing={"policy": "skip", "min_coverage": 0.8})
    outcome = reward(judged, verdicts(g_0="missing", g_1=0, other=1))
    assert (outcome.reward, outcome.components) == (1.0, {"g": None})


def test_the_worst_of_a_criterion_inside_a_negative_group_is_to_be_met():
    group = {"id": "pitfalls", "kind": "group", "points": -5, "criteria": [{}, {}]}
    judged = rubric({"id": "good", "points": 10}, group, missing=WORST)
    assert judged.worst_values == {"good": 0.0, "pitfalls_0": 1.0, "pitfalls_1": 1.0}
    assert reward(judged, verdicts(good=1, pitfalls_0="missing", pitfalls_1=0)).reward == pytest.approx(0.75)


def test_a_component_shows_no_number_that_nobody_decided():
    judged = rubric({"points": 1, "tags": ["axis:a"]}, {"points": 9, "tags": ["axis:b"]}, missing=WORST)
    assert reward(judged, verdicts(c0="missing", c1=1)).components == {"axis:a": None, "axis:b": 1.0}


def test_the_error_names_the_commonest_cause_and_the_criteria():
    faults = [
        Failure(type=kind, detail=f"about {kind}.") for kind in ("timeout", "unusable_verdict", "unusable_verdict")
    ]
    found = [missing(f"c{place}", error=fault) for place, fault in enumerate(faults)]
    outcome = reward(rubric({}, {}, {}), found)
    assert outcome.error == Failure(
        type="unusable_verdict", detail="3 criteria have no verdict (c0, c1, c2): about unusable_verdict."
    )
    assert reward(rubric({}), [missing("c0")]).error.detail == "1 criterion has no verdict (c0): The deadline passed."


def test_a_criterion_nobody_spoke_about_is_missing():
    outcome = reward(rubric({}, {}), verdicts(c0=1))
    assert (outcome.reward, outcome.error.type, outcome.error.detail) == (None, "no_verdict", "No verdict for c1.")


def test_too_little_coverage_is_named_where_no_judge_is_at_fault():
    judged = rubric({}, {}, missing={"policy": "skip", "min_coverage": 0.9})
    assert reward(judged, verdicts(c0=1)).error.type == "no_verdict"
    assert reward(judged, verdicts(c0=1, c1="n/a")).reward == 1.0


CHECKED = {"id": "has_date", "kind": "check", "check": {"kind": "regex", "pattern": "[0-9]"}, "points": 9}


@pytest.mark.parametrize("policy", ["skip", "worst"])
def test_without_a_required_verdict_there_is_no_reward_under_any_policy(policy):
    judged = rubric({"id": "a", "verdict": "required"}, {"id": "b", "points": 9}, missing={"policy": policy})
    without = reward(judged, verdicts(a="missing", b=1.0))
    assert (without.reward, without.status) == (None, JudgmentStatus.PARTIAL)
    assert without.error.type == "timeout"
    assert "(a)" in without.error.detail
    assert reward(judged, verdicts(b=1.0)).error.type == "no_verdict"
    assert reward(judged, verdicts(a="n/a", b=1.0)).reward == 1.0
    assert reward(judged, verdicts(a=0.0, b=1.0)).reward == 0.9


def test_skip_never_leaves_out_a_criterion_that_is_better_not_met():
    judged = rubric({"id": "harm", "points": -1}, {"id": "help", "points": 9}, missing={"policy": "skip"})
    assert reward(judged, verdicts(harm="missing", help=1.0)).reward is None
    assert reward(judged, verdicts(harm=0.0, help=1.0)).reward == 1.0
    worst = rubric({"id": "harm", "points": -1}, {"id": "help", "points": 9}, missing={"policy": "worst"})
    assert reward(worst, verdicts(harm="missing", help=1.0)).reward == pytest.approx(8 / 9)


def test_a_group_of_negative_points_turns_the_direction_of_its_criteria():
    group = {"id": "faults", "kind": "group", "points": -1, "criteria": [{"id": "f"}, {"id": "g"}]}
    judged = rubric(group, {"id": "help", "points": 9}, missing={"policy": "skip"})
    assert judged.required_verdicts == {"f", "g"}


def test_what_has_to_have_a_verdict_changes_no_question_to_the_judge():
    plain, required = (rubric({"id": "a"} | more).by_id["a"] for more in ({}, {"verdict": "required"}))
    assert plain.question_digest == required.question_digest


def test_the_judged_coverage_tells_a_dead_judge_from_a_live_one_where_checks_carry_the_weight():
    judged = rubric(CHECKED, {"id": "a"}, {"id": "b", "points": 3}, missing={"policy": "skip"})
    dead = reward(judged, verdicts(has_date=1.0, a="missing", b="missing"))
    assert dead.coverage == pytest.approx(9 / 13)
    assert dead.judged_coverage == 0.0
    half = reward(judged, verdicts(has_date=1.0, a="missing", b=1.0))
    assert half.judged_coverage == pytest.approx(0.75)
    assert reward(judged, verdicts(has_date=1.0, a=0.5, b=1.0)).judged_coverage == 1.0
    assert reward(judged, verdicts(has_date=1.0, a="n/a", b="n/a")).judged_coverage is None
    assert reward(rubric(CHECKED), verdicts(has_date=1.0)).judged_coverage is None


def test_the_judged_coverage_of_pure_gates_counts_each_alike():
    judged = rubric({"id": "a", "gate": {}}, {"id": "b", "gate": {}}, CHECKED, missing={"policy": "skip"})
    assert reward(judged, verdicts(a=0.0, b="missing", has_date=1.0)).judged_coverage == 0.5


SKIP = {"policy": "skip", "min_coverage": 0.1}


def test_the_reason_is_that_of_the_required_verdicts_if_one_of_them_is_missing():
    judged = rubric({"id": "must", "verdict": "required"}, {"id": "may"}, {"id": "might"}, {"id": "done"}, missing=SKIP)
    other = Failure(type="refused", detail="No.")
    failed = [missing("must"), missing("may", error=other), missing("might", error=other), ok("done")]
    assert reward(judged, failed).error == Failure(
        type="timeout", detail="1 criterion has no verdict (must): The deadline passed."
    )
    assert reward(judged, [ok("done")]).error.detail == "No verdict for must."


def test_a_group_with_a_missing_verdict_has_no_value_under_the_null_policy():
    group = {"id": "both", "kind": "group", "criteria": [{"id": "a"}, {"id": "b"}]}
    outcome = reward(rubric(group, {"id": "c"}), [ok("a"), missing("b"), ok("c")])
    assert outcome.reward is None
    assert outcome.components["both"] is None
    assert reward(rubric(group, {"id": "c"}, missing=SKIP), [ok("a"), missing("b"), ok("c")]).components["both"] == 1.0


def test_coverage_is_the_share_of_the_weight_that_is_decided():
    judged = rubric({"id": "a", "points": 3}, {"id": "b"}, missing=SKIP)

    def covered(*found):
        outcome = reward(judged, found)
        return outcome.coverage, outcome.judged_coverage

    assert covered(ok("a"), missing("b")) == covered(ok("a")) == (0.75, 0.75)
    assert covered(ok("a", step=1), missing("a", step=2), ok("b")) == (0.625, 0.625)
    assert covered(ok("a"), ok("b")) == covered(ok("a"), not_applicable("b")) == (1.0, 1.0)
    assert covered(not_applicable("a"), not_applicable("b")) == (0.0, None)
    assert covered(missing("a"), missing("b")) == (0.0, 0.0)


def test_coverage_is_below_1_if_anything_is_missing_however_light_it_is():
    judged = rubric({"id": "a", "points": 1e5}, {"id": "b", "points": 1e-9}, missing=SKIP)
    outcome = reward(judged, [ok("a"), missing("b")])
    assert (outcome.coverage, outcome.judged_coverage) == (1.0 - 1e-12, 1.0 - 1e-12)


def test_judged_coverage_counts_what_a_judge_is_asked_and_gates_alike_if_there_are_only_gates():
    check = {"id": "check", "kind": "check", "points": 8, "check": {"kind": "regex", "pattern": "a"}}
    outcome = reward(
        rubric(check, {"id": "a", "points": 1}, {"id": "b", "points": 3}, missing=SKIP), [ok("check"), ok("b")]
    )
    assert outcome.judged_coverage == 0.75
    assert outcome.coverage == pytest.approx(11 / 12)
    gates = [{"id": name, "gate": {"reward": 0.0}} for name in ("x", "y", "z", "w")]
    outcome = reward(
        rubric(check, *gates, missing=SKIP), [ok("check"), ok("x", 0.0), missing("y"), ok("z", 0.0), ok("w", 0.0)]
    )
    assert outcome.judged_coverage == 0.75
    assert reward(rubric(check), [ok("check")]).judged_coverage is None
    assert reward(rubric(check, missing=SKIP), []).judged_coverage is None


def test_a_group_that_skip_leaves_out_has_no_share_of_the_coverage_but_its_verdicts_were_judged():
    group = {"id": "g", "kind": "group", "aggregate": {"kind": "expression", "expression": "a + b"}}
    group["criteria"] = [{"id": "a"}, {"id": "b"}]
    outcome = reward(rubric(group, {"id": "c"}, missing=SKIP), [ok("a"), missing("b"), ok("c")])
    assert (outcome.coverage, outcome.judged_coverage) == (0.5, 0.75)


def test_a_required_verdict_is_missing_if_one_of_its_steps_is():
    judged = rubric({"id": "must", "verdict": "required"}, {"id": "may"}, missing=SKIP)
    assert reward(judged, [ok("must", step=1), missing("must", step=2), ok("may")]).reward is None
    assert reward(judged, [ok("must", step=1), ok("must", step=2)]).reward == 1.0


def test_without_a_length_the_response_has_no_characters():
    adjusted = {"kind": "points", "length_adjustment": {"penalty": 0.5, "center": 0, "unit": 1}}
    assert reward(rubric({"id": "a"}, aggregate=adjusted), [ok("a")]).reward == 1.0
    assert reward(rubric({"id": "a"}, aggregate=adjusted), [ok("a")], 1).reward == 0.5


def test_two_verdicts_on_one_step_are_refused_with_their_place():
    judged = rubric({"id": "a"})
    with pytest.raises(ValueError, match="two verdicts on 'a'; give one"):
        reward(judged, [ok("a"), ok("a")])
    with pytest.raises(ValueError, match="two verdicts on 'a', step 3; give one"):
        reward(judged, [ok("a", step=3), ok("a", step=1), ok("a", step=3)])
    with pytest.raises(ValueError, match="a verdict on 'b'"):
        reward(judged, [ok("b")])


def test_a_tag_of_pitfalls_alone_has_no_score_under_points():
    criteria = [
        {"id": "a", "points": 2, "tags": ["t"]},
        {"id": "b", "points": -2, "tags": ["t", "u"]},
        {"id": "c", "points": 1, "tags": ["v"]},
    ]
    found = verdicts(a=1, b=0.5, c=0.25)
    assert reward(rubric(*criteria), found).components == {"t": 0.5, "v": 0.25}
    assert reward(rubric(*criteria, missing=SKIP), [ok("a"), ok("c")]).components["t"] == 1.0
    assert reward(rubric(*criteria), [ok("a"), ok("c")]).components["t"] is None


def test_without_points_all_criteria_weigh_the_same_and_a_missing_check_is_no_gap_of_the_judge():
    gates = [{"id": name, "gate": {"reward": 0.0}} for name in ("x", "y", "z", "w")]
    outcome = reward(rubric(*gates, missing=SKIP), [ok("x", 0.0), missing("y"), ok("z", 0.0), ok("w", 0.0)])
    assert (outcome.coverage, outcome.judged_coverage) == (0.75, 0.75)
    check = {"id": "check", "kind": "check", "points": 1, "check": {"kind": "regex", "pattern": "a"}}
    outcome = reward(rubric(check, {"id": "a", "points": 3}, missing=SKIP), [missing("check"), ok("a")])
    assert (outcome.coverage, outcome.judged_coverage) == (0.75, 1.0)


def test_a_tag_of_gates_without_points_has_no_score_under_points():
    veto = {"id": "veto", "gate": {"reward": 0.0}, "tags": ["w"]}
    assert reward(rubric(veto, {"id": "a", "tags": ["t"]}), verdicts(veto=0, a=1)).components == {"t": 1.0}
