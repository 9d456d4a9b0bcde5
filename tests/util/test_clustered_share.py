"""The interval of a share in clusters: one more error never improves a bound, whatever the sizes of the clusters."""

from functools import cache, partial
from itertools import combinations_with_replacement, product

import numpy as np
import pytest
from scipy import stats

from judge_server.util.clustered_share import assumed_effect, effective_degrees, share_bounds
from judge_server.util.wilson import score_interval, wilson

SLACK = 1e-12
quantile = cache(partial(stats.t.ppf, 0.975))


def interval(hits, trials):
    return share_bounds(np.asarray(hits, float), np.asarray(trials, float), quantile)


def with_one_more(hits, trials):
    """Each different way to add one error: clusters of equal size with equally many errors are alike."""
    different = {own: place for place, own in enumerate(zip(hits, trials, strict=True))}
    for place in different.values():
        if hits[place] < trials[place]:
            yield place


def improves(hits, trials, known):
    before = known(hits)
    for place in with_one_more(hits, trials):
        more = list(hits)
        more[place] += 1
        after = known(tuple(more))
        if after[0] < before[0] - SLACK or after[1] < before[1] - SLACK:
            yield hits, place


def walked(states, trials):
    """Every state and one more error in each kind of cluster; a state stands for all orders of equal clusters."""
    found = {}

    def known(hits):
        key = tuple(sorted(zip(trials, hits, strict=True)))
        if key not in found:
            found[key] = interval(hits, trials)
        return found[key]

    return [case for hits in states for case in improves(hits, trials, known)]


@pytest.mark.parametrize("size", range(2, 61))
def test_among_independent_items_one_more_error_never_improves_a_bound(size):
    bounds = [interval(np.arange(size) < errors, np.ones(size)) for errors in range(size + 1)]
    lows, highs = zip(*bounds, strict=True)
    assert all(np.diff(lows) >= 0)
    assert all(np.diff(highs) >= 0)


@pytest.mark.parametrize(("clusters", "items"), [(30, 2), (20, 3), (10, 4)])
def test_among_equal_clusters_one_more_error_anywhere_never_improves_a_bound(clusters, items):
    """Every distribution of errors over clusters."""
    states = list(combinations_with_replacement(range(items + 1), clusters))
    assert len(states) >= 496
    assert not walked(states, [items] * clusters)


@pytest.mark.parametrize("sizes", [(30, *[1] * 30), (20, 10, *[2] * 15), (40, *[4] * 5), (12, 12, 12, *[1] * 24)])
def test_beside_large_clusters_one_more_error_anywhere_never_improves_a_bound(sizes):
    """Of the distributions of errors over 60 items, 150 drawn at random, and one more error in each kind of cluster."""
    large = [range(size + 1) for size in sizes if size >= 10]
    rest = [size for size in sizes if size < 10]
    small = list(combinations_with_replacement(range(rest[0] + 1), len(rest)))
    states = [(*first, *second) for first in product(*large) for second in small]
    random = np.random.default_rng(0)
    chosen = random.choice(len(states), min(len(states), 150), replace=False)
    assert not walked([states[place] for place in chosen], sizes)


@pytest.mark.parametrize("seed", range(4))
def test_with_clusters_of_very_unequal_sizes_one_more_error_never_improves_a_bound(seed):
    """A few clusters of 60 beside many of 1 to 4, and clusters of 1 to 60."""
    random = np.random.default_rng(seed)
    failed = []
    for _ in range(15):
        few = [60] * int(random.integers(1, 4))
        many = random.integers(1, 5, random.integers(17, 40)) if seed % 2 else random.integers(1, 61, 25)
        sizes = np.array([*few, *many])
        shape = ((0.1, 1), (0.5, 0.5), (0.3, 2), (2, 2))[int(random.integers(4))]
        hits = random.binomial(sizes, random.beta(*shape, len(sizes)))
        failed += walked([tuple(hits.tolist())], sizes.tolist())
    assert not failed


def test_three_errors_of_one_prompt_and_a_fourth_elsewhere():
    trials, hits = np.full(20, 3.0), np.zeros(20)
    hits[0] = 3
    before = interval(hits, trials)
    hits[7] = 1
    assert interval(hits, trials)[1] >= before[1] == pytest.approx(0.2608, abs=1e-3)


def test_the_bounds_of_what_is_no_error_mirror_those_of_the_errors():
    random = np.random.default_rng(1)
    sizes = random.integers(1, 20, 25)
    hits = random.binomial(sizes, 0.3)
    low, high = interval(hits, sizes)
    assert interval(sizes - hits, sizes) == pytest.approx((1 - high, 1 - low))
    assert 0 < low < hits.sum() / sizes.sum() < high < 1


def worth_of_events(hits, weights, trials, events, rate):
    """The largest Σ w (x² − 2 · rate · trials · x) over clusters, filled one after the other; what fits in part counts
    by its chord."""
    kinds = sorted(
        zip(hits, weights, trials, strict=True), key=lambda one: -one[1] * (one[0] - 2 * rate * one[2]) if one[0] else 0
    )
    worth = 0.0
    for own, weight, size in kinds:
        taken = min(own, events)
        events -= taken
        worth += taken * weight * (own - 2 * rate * size)
    return worth


def plain_upper(hits, trials, reach):
    """The upper bound as the module describes it, one number of events and one cluster after the other."""
    count, clusters, events = sum(trials), len(trials), sum(hits)
    weights = [1 / max(1 - size / count, 1e-9) ** 2 for size in trials]
    assumed = 1 + 0.3 * (sum(size**2 for size in trials) / count - 1)
    parts = 1 if len(set(trials)) == 1 else 8
    bounds = []
    for step in (0.0, *(events - left for left in range(int(events), -1, -1))):
        rate = step / count
        part = min(int(rate * parts), parts - 1)
        below, above = (worth_of_events(hits, weights, trials, step, (part + one) / parts) for one in (0, 1))
        share = rate * parts - part
        spread = rate**2 * sum(weight * size**2 for weight, size in zip(weights, trials, strict=True))
        squares = max(spread + (1 - share) * below + share * above, 0.0)
        effect = assumed
        if 0 < step < count and clusters > 1:
            effect = squares / count**2 * (clusters - 1) / clusters / (rate * (1 - rate) / count)
        rarer = min(step, count - step)
        raised = max(effect, (rarer * effect + 5 * assumed) / (rarer + 5), 1.0)
        bounds.append(score_interval(rate, count / raised, reach)[1])
    return max(bounds)


@pytest.mark.parametrize(
    ("hits", "trials"),
    [
        ([0, 0, 0, 0], [1, 1, 1, 1]),
        ([1, 0, 1, 0, 0, 1], [1, 1, 1, 1, 1, 1]),
        ([2, 0, 1, 3], [3, 3, 3, 3]),
        ([4, 0, 0, 1], [4, 4, 4, 4]),
        ([3, 3, 3], [3, 3, 3]),
        ([1, 0, 2, 5, 0], [1, 2, 4, 8, 3]),
        ([9, 1, 0, 0, 0, 0, 0], [20, 1, 2, 1, 2, 1, 1]),
        ([0, 6, 2], [1, 6, 9]),
        ([2, 5], [4, 9]),
        ([2], [7]),
        ([0.5, 0, 0], [2, 3, 4]),
        ([1.25, 0.5, 2], [2, 3, 4]),
    ],
    ids=str,
)
def test_the_bounds_are_those_of_the_description_worked_out_step_by_step(hits, trials):
    reach = quantile(effective_degrees(np.asarray(trials, float)))
    missed = [size - own for own, size in zip(hits, trials, strict=True)]
    low, high = interval(hits, trials)
    assert high == pytest.approx(plain_upper(hits, trials, reach), abs=1e-9)
    assert low == pytest.approx(1 - plain_upper(missed, trials, reach), abs=1e-9)


def test_without_events_independent_items_have_the_interval_of_wilson():
    low, high = share_bounds(np.zeros(12), np.ones(12), lambda _: stats.norm.ppf(0.975))
    assert (low, high) == pytest.approx(wilson(0, 12), abs=1e-12)


@pytest.mark.parametrize(
    ("trials", "degrees", "effect"),
    [([1, 1, 1, 1, 1], 4, 1), ([5, 5, 5, 5], 3, 2.2), ([1, 2, 3], 36 / 14 - 1, 1 + 0.3 * (14 / 6 - 1)), ([7], 1, 2.8)],
    ids=str,
)
def test_degrees_of_freedom_and_the_assumed_effect_are_those_of_kish(trials, degrees, effect):
    sizes = np.asarray(trials, float)
    assert effective_degrees(sizes) == pytest.approx(degrees)
    assert assumed_effect(sizes) == pytest.approx(effect)


def test_one_large_cluster_beside_small_ones_leaves_one_degree_of_freedom():
    assert effective_degrees(np.array([100.0, 1.0, 1.0])) == 1.0


@pytest.mark.parametrize("reach", [1.2815515655446008, 1.96, 2.5758293035489004])
def test_rounding_moves_no_end_off_its_bound(reach):
    for size in range(1, 41):
        ones = np.ones(size)
        assert share_bounds(ones, ones, lambda _: reach)[1] == 1.0
        assert share_bounds(0 * ones, ones, lambda _: reach)[0] == 0.0
