"""The interval of a figure of two labels, over prompts of several items."""

from collections.abc import Iterator
from itertools import combinations_with_replacement, product
from math import hypot

import numpy as np
import pytest

from judge_server.agreement.array import Ints
from judge_server.agreement.catalogue import judge_metrics
from judge_server.agreement.contingency import pair_table, table_of
from judge_server.agreement.interval import estimate
from judge_server.agreement.resampling import Resampling
from judge_server.agreement.scale import LabelScale
from judge_server.agreement.two_labels import together
from tests.agreement.test_one_more_error import FIGURES, Figures, better

YES_NO = LabelScale.of(["no", "yes"])
ANY_NUMBER = Resampling(min_clusters=2, min_items=2)
State = tuple[int, int]  # misses and inventions of one prompt


def figures(prompt: Ints, truth: Ints, said: Ints, how: Resampling = ANY_NUMBER) -> Figures:
    return estimate(pair_table(truth, said, prompt, 2), FIGURES, how)


def of_states(states: tuple[State, ...], positives: int, negatives: int) -> Figures:
    prompt = np.repeat(np.arange(len(states)), positives + negatives)
    truth = np.tile(np.repeat([1, 0], [positives, negatives]), len(states))
    said = []
    for missed, invented in states:
        said += [0] * missed + [1] * (positives - missed) + [1] * invented + [0] * (negatives - invented)
    return figures(prompt, truth, np.array(said))


def worse(states: tuple[State, ...], positives: int, negatives: int) -> Iterator[tuple[State, ...]]:
    """The same prompts with one more miss or invention."""
    for place, (missed, invented) in enumerate(states):
        for more in ((missed + 1, invented), (missed, invented + 1)):
            if more[0] <= positives and more[1] <= negatives:
                yield tuple(sorted((*states[:place], more, *states[place + 1 :])))


def improvements(prompts: int, positives: int, negatives: int) -> list[str]:
    each = sorted(product(range(positives + 1), range(negatives + 1)))
    found = {states: of_states(states, positives, negatives) for states in combinations_with_replacement(each, prompts)}
    return [
        f"{name} with {states} and {more}: {improved}"
        for states, before in found.items()
        for more in sorted(set(worse(states, positives, negatives)))
        for name, one in before.items()
        if (improved := better(name, one, found[more][name]))
    ]


@pytest.mark.parametrize(("prompts", "positives", "negatives"), [(5, 2, 1), (8, 1, 1)])
def test_one_more_error_in_any_prompt_improves_no_figure_and_no_bound(prompts, positives, negatives):
    assert improvements(prompts, positives, negatives) == []


@pytest.mark.longest
@pytest.mark.timeout(7200)
@pytest.mark.parametrize(("prompts", "positives", "negatives"), [(30, 1, 1), (12, 1, 2)])
def test_one_more_error_among_many_items_of_prompts_improves_no_figure_and_no_bound(prompts, positives, negatives):
    assert improvements(prompts, positives, negatives) == []


@pytest.mark.parametrize("seed", range(12))
def test_one_more_error_among_prompts_of_any_sizes_improves_no_figure_and_no_bound(seed):
    random = np.random.default_rng(seed)
    prompt = np.repeat(np.arange(40), random.integers(1, 14, 40))
    alike = random.beta(*(random.choice([0.1, 0.5, 3]) * np.array([0.1, 0.9])), 40)
    truth = (random.random(len(prompt)) < random.choice([0.05, 0.1, 0.5])).astype(np.int64)
    said = truth ^ (random.random(len(prompt)) < alike[prompt])
    before = figures(prompt, truth, said)
    for place in random.permutation(np.flatnonzero(truth == said))[:8]:
        more = said.copy()
        more[place] ^= 1
        after = figures(prompt, truth, more)
        assert [name for name, one in before.items() if better(name, one, after[name])] == []


def test_six_errors_in_one_prompt_do_not_take_the_bound_of_kappa_below_chance():
    """The variance of κ without each prompt in turn gave −.52, and one more error elsewhere +.04."""
    prompt = np.repeat(np.arange(100), 7)
    truth = (np.arange(700) % 41 == 0).astype(np.int64)
    said = truth.copy()
    said[7:13] ^= 1
    kappa = figures(prompt, truth, said, Resampling())["cohen_kappa"]
    assert kappa.low is not None
    assert 0.1 < kappa.low < 0.5


def test_of_independent_items_youden_s_j_has_the_combination_of_its_shares():
    found = estimate(table_of([[70, 10], [12, 48]]), judge_metrics(YES_NO), Resampling())
    sensitivity, wrong, j = found["sensitivity"], found["false_positive_rate"], found["youden_j"]
    down = hypot(sensitivity.value - sensitivity.low, wrong.high - wrong.value)
    up = hypot(sensitivity.high - sensitivity.value, wrong.value - wrong.low)
    assert (j.low, j.high) == pytest.approx((j.value - down, j.value + up), abs=1e-3)


def test_a_judge_without_an_error_has_a_lower_bound_and_an_upper_one_of_1():
    found = estimate(table_of([[30, 0], [0, 20]]), judge_metrics(YES_NO), Resampling())
    for name in ("cohen_kappa", "youden_j", "balanced_accuracy", "f1[yes]", "precision[yes]"):
        assert 0.5 < found[name].low < 1, name
        assert found[name].high == pytest.approx(1, abs=1e-6), name


def test_the_order_of_the_labels_changes_no_bound():
    one = estimate(table_of([[31, 4], [9, 16]]), judge_metrics(YES_NO), Resampling())["cohen_kappa"]
    other = estimate(table_of([[16, 9], [4, 31]]), judge_metrics(YES_NO), Resampling())["cohen_kappa"]
    assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_misses_and_inventions_come_together_only_if_prompts_hold_both_labels():
    assert together(np.array([1.0, 0, 1]), np.array([0.0, 1, 0])) == 0
    assert together(np.array([0.0, 0]), np.array([2.0, 1])) == 0
    assert together(np.array([3.0, 3]), np.array([3.0, 3])) == pytest.approx(0.75)


def test_too_few_labels_of_the_rarer_kind_leave_no_interval():
    found = estimate(table_of([[60, 2], [1, 3]]), judge_metrics(YES_NO), Resampling())
    for name in ("cohen_kappa", "youden_j", "krippendorff_alpha_nominal"):
        assert (found[name].low, found[name].needed) == (None, 5), name
    assert found["gwet_ac1"].low is not None
    assert found["precision[yes]"].low is not None
