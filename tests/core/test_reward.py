"""The arithmetic of rewards against formulas written out here a second time."""

import random

import pytest

from judge_server.core.outcome import JudgmentStatus
from judge_server.core.reward import reward
from tests.core.build import missing, not_applicable, ok, rubric, verdicts

POINTS = {"kind": "points"}


def healthbench(items):
    """simple-evals: the points of what is met over the positive points; None where there are none."""
    possible = sum(points for points, _ in items if points > 0)
    if possible == 0:
        return None
    return sum(points for points, met in items if met) / possible


def healthbench_case(source):
    tags = ["axis:accuracy", "axis:context", "theme:hedging", "level:example"]
    return [
        {
            "points": source.choice([-10, -8, -5, -3, -1, 1, 2, 4, 5, 7, 9, 10]),
            "tags": source.sample(tags, source.randint(0, 3)),
            "met": source.random() < 0.5,
        }
        for _ in range(source.randint(1, 12))
    ]


def test_healthbench_scores_equal_the_published_arithmetic_on_three_thousand_random_cases():
    source = random.Random(20250512)
    undefined = 0
    for _ in range(3_000):
        case = healthbench_case(source)
        judged = rubric(*({"points": one["points"], "tags": one["tags"]} for one in case), aggregate=POINTS)
        outcome = reward(judged, verdicts(**{f"c{place}": one["met"] for place, one in enumerate(case)}))
        assert outcome.reward == healthbench([(one["points"], one["met"]) for one in case])
        by_tag = {
            tag: healthbench([(one["points"], one["met"]) for one in case if tag in one["tags"]])
            for tag in {tag for one in case for tag in one["tags"]}
        }
        assert outcome.components == {tag: score for tag, score in by_tag.items() if score is not None}
        undefined += outcome.reward is None
    assert undefined > 20


def test_the_example_of_the_healthbench_paper_goes_below_zero_until_it_is_clipped():
    criteria = [{"points": 7}, {"points": 5}, {"points": -9}, {"points": -4}]
    found = verdicts(c0=True, c1=False, c2=True, c3=False)
    assert reward(rubric(*criteria, aggregate=POINTS), found).reward == pytest.approx((7 - 9) / 12)
    assert reward(rubric(*criteria, aggregate=POINTS | {"clip": [0, 1]}), found).reward == 0.0


def test_a_probability_earns_its_share_of_the_points():
    judged = rubric({"points": 6}, {"points": -2}, {"points": 4})
    assert reward(judged, verdicts(c0=0.5, c1=0.25, c2=1)).reward == pytest.approx((3 - 0.5 + 4) / 10)


def tree_value(node, values):
    """PaperBench: a leaf is its value, a node the weighted mean of its children."""
    if "criteria" not in node:
        return values[node["id"]]
    total = sum(child["points"] for child in node["criteria"])
    return sum(child["points"] * tree_value(child, values) for child in node["criteria"]) / total


def paper_tree(source, name, depth):
    if depth == 0 or source.random() < 0.3:
        return {"id": name, "points": source.randint(1, 9)}
    children = [paper_tree(source, f"{name}_{place}", depth - 1) for place in range(source.randint(1, 4))]
    return {"id": name, "kind": "group", "points": source.randint(1, 9), "criteria": children}


def test_paperbench_trees_equal_the_weighted_mean_of_weighted_means():
    source = random.Random(7)
    for _ in range(300):
        root = {"criteria": [paper_tree(source, f"n{place}", 4) for place in range(source.randint(1, 4))]}
        judged = rubric(*root["criteria"], aggregate={"kind": "weighted_mean"})
        values = {leaf.id: float(source.random() < 0.5) for leaf in judged.leaves}
        outcome = reward(judged, verdicts(**values))
        assert outcome.reward == pytest.approx(tree_value(root, values), abs=1e-12)
        for node in root["criteria"]:
            if "criteria" in node:
                assert outcome.components[node["id"]] == pytest.approx(tree_value(node, values), abs=1e-12)


def test_rubrics_as_rewards_weighs_essential_important_optional_and_pitfall():
    weights = {"essential": 1.0, "important": 0.7, "optional": 0.3, "pitfall": 0.9}
    judged = rubric(
        *({"id": name, "weight": weight} for name, weight in weights.items()), aggregate={"kind": "weighted_mean"}
    )
    outcome = reward(judged, verdicts(essential=True, important=False, optional=True, pitfall=True))
    assert outcome.reward == pytest.approx((1.0 + 0.3 + 0.9) / 2.9)


@pytest.mark.parametrize(("met", "expected"), [((0, 0, 1), 0.0), ((1, 0, 1), 2 / 8), ((1, 1, 0), 1.0)])
def test_autorubric_clamps_every_item(met, expected):
    judged = rubric({"points": 5}, {"points": 3}, {"points": -3}, aggregate=POINTS | {"clip": [0, 1]})
    assert reward(judged, verdicts(c0=met[0], c1=met[1], c2=met[2])).reward == pytest.approx(expected)


@pytest.mark.parametrize(
    ("characters", "expected"),
    [(2_000, 0.5), (2_500, 0.5 - 0.0299), (1_500, 0.5 + 0.0299), (4_750, 0.5 - 0.0299 * 5.5), (0, 0.5 + 0.0299 * 4)],
)
def test_length_costs_a_penalty_for_every_unit_beyond_the_centre(characters, expected):
    judged = rubric({}, {}, aggregate=POINTS | {"length_adjustment": {"penalty": 0.0299}})
    assert reward(judged, verdicts(c0=1, c1=0), characters).reward == pytest.approx(expected, abs=1e-12)


def test_a_response_whose_length_is_not_told_counts_as_empty():
    judged = rubric({}, {}, aggregate=POINTS | {"length_adjustment": {"penalty": 1.0, "unit": 1.0, "center": 0.0}})
    said = verdicts(c0=1, c1=0)
    assert reward(judged, said) == reward(judged, said, 0)
    assert reward(judged, said).reward == 0.5


def test_length_is_adjusted_before_clipping_and_scaling():
    aggregate = POINTS | {"length_adjustment": {"penalty": 0.1}, "clip": [0, 1], "scale": [-1, 1]}
    judged = rubric({}, {}, aggregate=aggregate)
    assert reward(judged, verdicts(c0=1, c1=0), 2_500).reward == pytest.approx(2 * 0.4 - 1)
    assert reward(judged, verdicts(c0=1, c1=0), 9_000).reward == -1.0
    assert reward(judged, verdicts(c0=1, c1=1), 0).reward == 1.0


@pytest.mark.parametrize(("kind", "expected"), [("all", 0.3), ("any", 0.9)])
def test_all_and_any_read_a_negative_criterion_as_satisfied_when_it_is_not_met(kind, expected):
    judged = rubric({"points": 1}, {"points": -5}, {"points": 2}, aggregate={"kind": kind})
    assert reward(judged, verdicts(c0=0.6, c1=0.1, c2=0.3)).reward == pytest.approx(expected)


@pytest.mark.parametrize(("kind", "expected"), [("all", 0.25), ("any", 0.75)])
def test_all_and_any_choose_among_the_values_whatever_the_points(kind, expected):
    judged = rubric({"points": 1}, {"points": 100}, aggregate={"kind": kind})
    assert reward(judged, verdicts(c0=0.25, c1=0.75)).reward == expected


def test_an_expression_reads_criteria_groups_tags_and_parameters():
    judged = rubric(
        {"id": "complete"},
        {"id": "style", "kind": "group", "criteria": [{"points": 3}, {"points": 1}]},
        {"id": "harm", "points": -4, "tags": ["axis:safety"]},
        {"id": "leak", "points": -2, "tags": ["axis:safety"]},
        aggregate={
            "kind": "expression",
            "expression": "0.5*complete + style/4 - gamma*axis:safety^2",
            "parameters": {"gamma": 0.3},
        },
    )
    outcome = reward(judged, verdicts(complete=0.8, style_0=1, style_1=0, harm=0.5, leak=1))
    risk = (4 * 0.5 + 2 * 1) / 6
    assert outcome.reward == pytest.approx(0.5 * 0.8 + 0.75 / 4 - 0.3 * risk**2)


def test_an_expression_without_a_value_gives_no_reward_and_says_so():
    judged = rubric({}, {}, aggregate={"kind": "expression", "expression": "c0 / c1"})
    outcome = reward(judged, verdicts(c0=1, c1=0))
    assert (outcome.reward, outcome.status) == (None, JudgmentStatus.FAILED)
    assert outcome.error.type == "undefined_reward"
    assert reward(judged, verdicts(c0=1, c1=0.5)).reward == 2.0


def test_a_rubric_without_positive_points_has_no_healthbench_score():
    outcome = reward(rubric({"points": -3}, {"points": -1}), verdicts(c0=0, c1=1))
    assert (outcome.reward, outcome.status, outcome.error.type) == (None, JudgmentStatus.FAILED, "undefined_reward")


def test_a_group_is_clamped_to_the_range_of_a_criterion():
    harmful = {"id": "g", "kind": "group", "aggregate": POINTS, "criteria": [{"points": 1}, {"points": -9}]}
    judged = rubric(harmful, {"id": "other"}, aggregate={"kind": "weighted_mean"})
    outcome = reward(judged, verdicts(g_0=1, g_1=1, other=1))
    assert (outcome.components["g"], outcome.reward) == (0.0, 0.5)


def test_components_under_a_weighted_mean_are_means_by_weight():
    judged = rubric({"points": 3, "tags": ["t"]}, {"points": 1, "tags": ["t"]}, aggregate={"kind": "weighted_mean"})
    assert reward(judged, verdicts(c0=1, c1=0)).components == {"t": 0.75}


def test_a_criterion_that_does_not_apply_is_in_neither_numerator_nor_denominator():
    judged = rubric({"points": 5}, {"points": 3}, {"points": -2})
    outcome = reward(judged, verdicts(c0=1, c1="n/a", c2=1))
    assert (outcome.reward, outcome.coverage, outcome.status) == ((5 - 2) / 5, 1.0, JudgmentStatus.OK)


def test_a_group_whose_criteria_do_not_apply_is_left_out():
    judged = rubric({"id": "g", "kind": "group", "points": 9, "criteria": [{}, {}]}, {"id": "other"})
    outcome = reward(judged, verdicts(g_0="n/a", g_1="n/a", other=0.5))
    assert (outcome.reward, outcome.components) == (0.5, {})


def test_nothing_that_applies_is_a_typed_failure():
    outcome = reward(rubric({}), verdicts(c0="n/a"))
    assert (outcome.reward, outcome.status, outcome.coverage) == (None, JudgmentStatus.FAILED, 0.0)
    assert outcome.error.type == "nothing_applicable"


def test_the_reward_reads_the_points_of_the_rubric_not_those_that_a_stored_verdict_remembers():
    judged = rubric({"points": 3}, {"points": 1})
    assert reward(judged, [ok("c0", 1, points=1.0), ok("c1", 0, points=99.0)]).reward == 0.75


def test_a_verdict_on_an_unknown_criterion_is_refused():
    with pytest.raises(ValueError, match=r"'elsewhere', which test/rubric@1\.0\.0 does not have"):
        reward(rubric({}), [ok("elsewhere")])


def test_two_verdicts_on_one_criterion_are_refused():
    with pytest.raises(ValueError, match="two verdicts on 'c0'; give one"):
        reward(rubric({}), [ok("c0", 1), ok("c0", 0)])
    with pytest.raises(ValueError, match="two verdicts on 'c0', step 2; give one"):
        reward(rubric({"scope": "step"}), [ok("c0", 1, step=2), missing("c0", step=2)])


def steps(name, *values):
    return [ok(name, value, step=place, span=(10 * place, 10 * place + 9)) for place, value in enumerate(values)]


def test_a_step_criterion_is_worth_the_mean_over_its_steps():
    judged = rubric({"scope": "step", "points": 3}, {"points": 1})
    outcome = reward(judged, [*steps("c0", 1, 0, 0.5, 0.5), ok("c1", 1)])
    assert outcome.reward == pytest.approx((3 * 0.5 + 1) / 4)
    assert [(step.index, step.span, step.value) for step in outcome.step_rewards] == [
        (0, (0, 9), 1.0),
        (1, (10, 19), 0.0),
        (2, (20, 29), 0.5),
        (3, (30, 39), 0.5),
    ]


def test_a_step_reward_combines_the_criteria_of_that_step():
    judged = rubric({"scope": "step", "points": 3}, {"scope": "step", "points": -1})
    outcome = reward(judged, [*steps("c0", 1, 0), *steps("c1", 0, 1)])
    assert [step.value for step in outcome.step_rewards] == [1.0, pytest.approx(-1 / 3)]


def test_a_step_with_only_negative_criteria_loses_their_share():
    judged = rubric({"scope": "step", "points": -4}, {"scope": "step", "points": -1}, {"points": 1})
    outcome = reward(judged, [*steps("c0", 1), *steps("c1", 0), ok("c2")])
    assert [step.value for step in outcome.step_rewards] == [pytest.approx(-0.8)]


def test_a_step_with_a_missing_verdict_has_no_step_reward():
    judged = rubric({"scope": "step"}, missing={"policy": "skip", "min_coverage": 0.4})
    found = [ok("c0", 1, step=0, span=(0, 5)), missing("c0", step=1, span=(7, 9)), not_applicable("c0", step=2)]
    outcome = reward(judged, found)
    assert (outcome.reward, outcome.coverage, outcome.status) == (1.0, 0.5, JudgmentStatus.PARTIAL)
    assert [(step.index, step.value) for step in outcome.step_rewards] == [(0, 1.0), (1, None)]
    first, second = outcome.step_rewards
    assert (first.error, second.error.type) == (None, found[1].error.type)
    assert "c0" in second.error.detail


def test_a_step_reward_without_any_points_says_so():
    outcome = reward(rubric({"scope": "step", "points": 0}, {"points": 1}), [*steps("c0", 1), ok("c1")])
    assert [(step.value, step.error.type) for step in outcome.step_rewards] == [(None, "undefined_reward")]


def test_a_step_reward_stands_where_its_verdicts_do():
    found = [ok("c0", 1, step=0, span=(0, 5), message=2, field="reasoning")]
    (step,) = reward(rubric({"scope": "step"}), found).step_rewards
    assert (step.span, step.message, step.field) == ((0, 5), 2, "reasoning")


def test_a_criterion_judged_on_two_steps_is_worth_their_mean():
    judged = rubric({"id": "each", "points": 2})
    steps = [ok("each", 0.25, step=1), ok("each", 0.75, step=2)]
    assert reward(judged, steps).reward == 0.5
    assert reward(judged, [steps[0], ok("each", 1.0, step=2), ok("each", 1.0, step=3)]).reward == 0.75


def test_the_value_of_a_group_never_leaves_0_to_1_whatever_its_scale():
    def value(scale, given):
        group = {
            "id": "group",
            "points": 1,
            "aggregate": {"kind": "weighted_mean", "scale": scale},
            "kind": "group",
            "criteria": [{"id": "a"}],
        }
        return reward(rubric(group), verdicts(a=given)).components["group"]

    assert value([0, 3], 0.25) == 0.75
    assert value([0, 3], 0.5) == 1.0
    assert value([-1, 1], 0.25) == 0.0
