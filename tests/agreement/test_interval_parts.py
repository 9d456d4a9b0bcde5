"""The parts of which intervals are made, each against its formula."""

from math import atanh, exp, inf, nan, sqrt, tanh

import numpy as np
import pytest
from scipy import stats

from judge_server.agreement.evidence import Evidence, sums
from judge_server.agreement.interval import (
    DESCRIBED,
    FEWEST_EVENTS,
    SAME,
    Influence,
    apart,
    bounded,
    by_formula,
    cautious,
    combined,
    composed,
    correlations,
    disagreement,
    estimate,
    estimate_all,
    influence,
    of_others,
    per_cluster,
    percentiles,
    proportion,
    raised,
    shaped,
    share_interval,
    short,
    too_few,
    transformed,
)
from judge_server.agreement.metric import Metric
from judge_server.agreement.resampling import Resampling
from judge_server.util.clustered_share import assumed_effect, effective_degrees
from judge_server.util.wilson import score_interval

DEFAULT = Resampling()
NINETY = Resampling(confidence=0.9)
RNG = np.random.default_rng(0)


def column(place):
    return lambda totals: totals[..., place]


def share(hits, trials):
    return lambda totals: np.where(totals[..., trials] > 0, totals[..., hits], nan) / np.maximum(totals[..., trials], 1)


def metric(name="m", value=None, **more):
    return Metric(name, value or share(0, 1), "it is undefined", **more)


def evidence(hits, trials, *others, n=None):
    rows = np.column_stack([hits, trials, *others]).astype(float)
    return Evidence(rows, (rows.shape[1],), n if n is not None else int(rows[:, 1].sum()))


SOME = evidence([1, 0, 2, 3, 1, 0] * 5, [2, 1, 3, 3, 2, 2] * 5)


def test_too_few_says_what_is_missing_at_each_limit():
    limits = Resampling(min_clusters=4, min_items=9)
    assert too_few(evidence([0] * 4, [1] * 4, n=9), limits) is None
    assert too_few(evidence([0] * 3, [1] * 3, n=9), limits) == ("no interval: 3 clusters, at least 4 are needed", 4)
    assert too_few(evidence([0] * 4, [1] * 4, n=8), limits) == ("no interval: 8 items, at least 9 are needed", 9)


def test_without_an_interval_a_value_keeps_its_counts_and_an_undefined_one_says_so():
    found = short(0.5, SOME, metric(), ("too few", 7))
    assert (found.value, found.n, found.clusters, found.note, found.needed) == (0.5, 65, 30, "too few", 7)
    found = short(nan, SOME, metric(), ("too few", 7))
    assert (found.value, found.n, found.clusters, found.note, found.needed) == (None, 65, 30, "it is undefined", None)


@pytest.mark.parametrize(
    ("left_out", "variance", "degrees"),
    [
        ([1, 2, 3, 6], 3 / 4 * 14, 4),
        ([0] * 10 + [1, -1], 11 / 12 * 2, 24 / 5),
        ([1, -1] * 6, 11 / 12 * 12, 11),
        ([3.5] * 7, 0, 6),
    ],
    ids=["few", "heavy tails", "light tails", "constant"],
)
def test_the_influence_of_clusters_has_the_jackknife_variance_and_degrees_by_kurtosis(left_out, variance, degrees):
    found = influence(np.asarray(left_out, float))
    assert (found.variance, found.degrees) == pytest.approx((variance, degrees))
    assert found.defined


def test_rounding_is_no_influence_and_a_small_one_is():
    rounding = influence(np.array([0.1, 0.1 + 1e-14, 0.1, 0.1, 0.1]))
    assert (rounding.variance, rounding.degrees) == (0.0, 4.0)
    small = influence(np.array([0.5, 0.5 + 1e-6] * 2))
    assert small.variance == pytest.approx(3 / 4 * 1e-12, rel=1e-6, abs=0)


def test_a_value_that_is_undefined_without_a_cluster_has_no_influence():
    assert influence(np.array([1.0, nan, 2.0])) != influence(np.array([1.0, 1.5, 2.0]))
    found = influence(np.array([1.0, nan, 2.0]))
    assert (found.variance, found.degrees, found.defined) == (inf, 1.0, False)


def test_an_effect_is_raised_towards_the_assumed_one_and_never_lowered():
    assert raised(2.0, 1.5, 3, 5) == 2.0
    assert raised(1.0, 3.0, 3, 5) == (3 * 1 + 5 * 3) / 8


def test_estimates_that_vary_together_have_their_correlation_and_a_constant_or_undefined_one_none():
    values = RNG.normal(size=(3, 12))
    values[2] += values[0]
    assert correlations(values) == pytest.approx(np.corrcoef(values))
    odd = np.vstack([values, np.full(12, 0.3), [nan, *values[0, 1:]]])
    assert correlations(odd) == pytest.approx(
        np.block([[np.corrcoef(values), np.zeros((3, 2))], [np.zeros((2, 3)), np.eye(2)]])
    )


def test_only_a_correlation_that_narrows_a_sum_is_reduced():
    alike = np.array([[1.0, 0.5], [0.5, 1.0]])
    signs = np.array([1.0, -1.0])
    assert cautious(alike, signs, 20) == pytest.approx(np.array([[1.0, 0.4], [0.4, 1.0]]))
    assert cautious(alike, signs, 4) == pytest.approx(np.eye(2))
    assert cautious(alike, signs, 2) == pytest.approx(np.eye(2))
    assert cautious(alike, np.ones(2), 20) == pytest.approx(alike)
    opposed = np.array([[1.0, -0.5], [-0.5, 1.0]])
    assert cautious(opposed, np.ones(2), 20)[0, 1] == pytest.approx(-0.4)
    assert cautious(opposed, signs, 20)[0, 1] == pytest.approx(-0.5)


def test_the_reach_of_a_sum_is_that_of_its_parts_and_their_correlation():
    assert apart(np.array([1.0, -1.0]), np.array([3.0, 4.0]), np.eye(2)) == pytest.approx(5)
    alike = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert apart(np.array([1.0, -1.0]), np.array([3.0, 4.0]), alike) == pytest.approx(sqrt(13))
    assert apart(np.array([2.0, 1.0]), np.array([3.0, 4.0]), alike) == pytest.approx(sqrt(36 + 16 + 24))
    assert apart(np.array([1.0, -1.0]), np.array([1.0, 1.0]), np.array([[1, 1 + 1e-12], [1 + 1e-12, 1]])) == 0.0


REACH = stats.t.ppf(0.95, 10) * 0.2
VARIED = Influence(0.04, 10.0, defined=True)


@pytest.mark.parametrize(
    ("shape", "value", "bounds"),
    [
        ("correlation", 0.5, (tanh(atanh(0.5) - REACH / 0.75), tanh(atanh(0.5) + REACH / 0.75))),
        ("correlation", -0.5, (tanh(atanh(-0.5) - REACH / 0.75), tanh(atanh(-0.5) + REACH / 0.75))),
        ("correlation", 1.0, (1 - REACH, 1 + REACH)),
        ("correlation", -1.0, (-1 - REACH, -1 + REACH)),
        ("positive", 2.0, (2 * exp(-REACH / 2), 2 * exp(REACH / 2))),
        ("positive", 0.5, (0.5 * exp(-REACH / 0.5), 0.5 * exp(REACH / 0.5))),
        ("positive", 0.0, (-REACH, REACH)),
        ("difference", 0.5, (0.5 - REACH, 0.5 + REACH)),
    ],
)
def test_a_bound_is_found_on_the_scale_of_its_shape(shape, value, bounds):
    assert transformed(metric(shape=shape), value, VARIED, NINETY) == pytest.approx(bounds)


def test_a_shape_without_an_interval_says_what_it_lacks():
    undefined = shaped(SOME, metric(), 0.5, Influence(inf, 1.0, defined=False), NINETY)
    note = "no interval: undefined without one of the clusters (it is undefined): label more rare items"
    assert (undefined.value, undefined.low, undefined.note, undefined.needed) == (0.5, None, note, 60)
    same = shaped(SOME, metric(), 0.5, Influence(0.0, 9.0, defined=True), NINETY)
    assert (same.low, same.note, same.needed, same.n, same.clusters) == (None, SAME, 60, 65, 30)
    rare = metric(rarer=lambda totals: np.array([4.0]))
    note = "no interval: 4 labels are not the most common one, at least 5 are needed"
    found = shaped(SOME, rare, 0.5, VARIED, NINETY)
    assert (found.low, found.note, found.needed) == (None, note, FEWEST_EVENTS)
    found = shaped(SOME, metric(rarer=lambda totals: np.array([5.0])), 0.5, VARIED, NINETY)
    assert (found.low, found.high) == pytest.approx((0.5 - REACH, 0.5 + REACH))


def test_percentiles_are_those_of_the_defined_replicates():
    rows = np.linspace(0, 1, 101)
    whole = percentiles(SOME, metric(), rows, NINETY)
    assert (whole.value, whole.low, whole.high) == pytest.approx((35 / 65, 0.05, 0.95))
    assert (whole.n, whole.clusters, whole.needed) == (65, 30, None)
    some = percentiles(SOME, metric(), np.concatenate([np.linspace(0, 1, 96), [nan] * 4]), NINETY)
    assert (some.low, some.high) == pytest.approx((0.05, 0.95))
    many = percentiles(SOME, metric(), np.concatenate([np.linspace(0, 1, 94), [nan] * 6]), NINETY)
    note = "no interval: undefined in 6% of the resamples (it is undefined): label more rare items"
    assert (many.value, many.low, many.note, many.needed) == (35 / 65, None, note, 60)
    same = percentiles(SOME, metric(), np.full(100, 0.25), NINETY)
    assert (same.low, same.note, same.needed) == (None, "no interval: every resample gave the same value", 60)


def test_resamples_of_a_large_value_may_differ_by_rounding_alone():
    large = metric(value=lambda totals: np.full(len(totals), 1e6))
    assert percentiles(SOME, large, np.array([1e6, 1e6 + 1e-7]), NINETY).low is None
    assert percentiles(SOME, large, np.array([1e6, 1e6 + 1e-4]), NINETY).low is not None
    assert percentiles(SOME, metric(), np.array([0.5, 0.5 + 1.5e-12]), NINETY).low is not None


def test_an_undefined_value_has_no_percentiles():
    nothing = evidence([0] * 30, [0] * 30, n=40)
    found = percentiles(nothing, metric(), np.zeros(100), NINETY)
    assert (found.value, found.note, found.n, found.clusters) == (None, "it is undefined", 40, 30)


def test_a_metric_with_bounds_of_its_own_keeps_its_value_inside():
    def found(bounds, value=0.5):
        return bounded(SOME, metric(bounds=lambda total, confidence: bounds), value, NINETY)

    assert (found((0.2, 0.8)).low, found((0.2, 0.8)).high) == (0.2, 0.8)
    assert (found((0.6, 0.8)).low, found((0.2, 0.4)).high) == (0.5, 0.5)
    assert (found(None).value, found(None).note, found(None).needed) == (0.5, SAME, 60)
    described = bounded(SOME, metric(shape="described"), 0.5, NINETY)
    assert (described.value, described.low, described.note) == (0.5, None, DESCRIBED)
    asked = bounded(SOME, metric(bounds=lambda total, confidence: (total[0, 0] / 100, confidence)), 0.5, NINETY)
    assert (asked.low, asked.high) == (0.35, 0.9)


def test_what_is_made_of_others_is_known():
    assert not composed(metric())
    assert composed(metric(parts=((1.0, metric()),)))
    assert composed(metric(base=metric()))
    assert composed(metric(bounds=lambda total, confidence: None))


def test_the_trials_and_hits_of_a_share_are_counted_by_cluster():
    trials, hits = per_cluster(SOME, metric(trials=column(1)))
    assert trials.tolist() == [2, 1, 3, 3, 2, 2] * 5
    assert hits.tolist() == [1, 0, 2, 3, 1, 0] * 5
    trials, hits = per_cluster(evidence([1, 0], [1, 0]), metric(value=column(0)))
    assert (trials.tolist(), hits.tolist()) == ([1, 1], [1, 0])


def test_a_share_of_fewer_than_five_cases_has_no_interval():
    def found(trials):
        return proportion(evidence([1, 0, 0], trials, n=50), metric(trials=column(1)), 0.2, NINETY)

    four, five = found([2, 2, 0]), found([2, 3, 0])
    assert (four.note, four.needed, four.low) == ("no interval: 4 cases, at least 5 are needed", 5, None)
    assert (four.value, four.n, four.clusters) == (0.2, 50, 3)
    low, high = share_interval(np.array([1.0, 0.0]), np.array([2.0, 3.0]), 0.9)
    assert (five.low, five.high, five.n, five.clusters) == (min(low, 0.2), max(high, 0.2), 50, 3)


def test_the_quantile_of_a_share_is_two_sided():
    low, high = share_interval(np.zeros(12), np.ones(12), 0.9)
    assert (low, high) == pytest.approx(score_interval(0, 12, stats.t.ppf(0.95, 11)))


def test_a_function_of_a_share_has_the_function_of_its_bounds():
    base = metric(trials=column(1))
    grown = metric("grown", base=base, increasing=lambda value: value**2)
    plain = proportion(SOME, base, 35 / 65, NINETY)
    found = of_others(SOME, grown, 0.29, NINETY)
    assert (found.value, found.low, found.high) == pytest.approx((0.29, plain.low**2, plain.high**2))
    assert of_others(SOME, grown, 0.01, NINETY).low == 0.01
    assert of_others(SOME, grown, 0.99, NINETY).high == 0.99
    few = of_others(evidence([1, 0], [2, 2], n=50), grown, 0.3, NINETY)
    assert (few.value, few.low, few.needed) == (0.3, None, 5)


PAIR = evidence(
    [1, 0, 2, 3, 1, 0, 2] * 4, [2, 1, 3, 3, 2, 2, 2] * 4, [0, 1, 1, 2, 1, 0, 1] * 4, [1, 1, 2, 3, 2, 1, 2] * 4
)
FIRST = metric("first", share(0, 1), shape="proportion", trials=column(1))
SECOND = metric("second", share(2, 3), shape="proportion", trials=column(3))


def left_out(body, one):
    total = body.total()[0]
    return np.array([float(one.value((total - row)[np.newaxis])[0]) for row in body.dense()])


@pytest.mark.parametrize("weights", [(1.0, -1.0), (1.0, 1.0), (2.0, 6.0), (-1.0, 1.0)], ids=str)
def test_a_sum_of_two_shares_combines_their_reaches_with_their_correlation(weights):
    each = [by_formula(PAIR, [one], NINETY)[one.name] for one in (FIRST, SECOND)]
    used = np.array(weights) / (sum(weights) if min(weights) > 0 else 1)
    total = metric(
        "sum",
        lambda totals: used[0] * FIRST.value(totals) + used[1] * SECOND.value(totals),
        parts=tuple(zip(weights, (FIRST, SECOND), strict=True)),
    )
    correlation = np.corrcoef(left_out(PAIR, FIRST), left_out(PAIR, SECOND))[0, 1]
    if used[0] * used[1] * correlation < 0:
        correlation *= 1 - 4 / 28
    value = used @ [one.value for one in each]
    down = [one.value - one.low if weight > 0 else one.high - one.value for one, weight in zip(each, used, strict=True)]
    up = [one.high - one.value if weight > 0 else one.value - one.low for one, weight in zip(each, used, strict=True)]

    def reach(sides):
        a, b = used * sides
        return sqrt(a * a + b * b + 2 * correlation * a * b)

    found = combined(PAIR, total, value, NINETY)
    assert (found.low, found.high) == pytest.approx((value - reach(down), value + reach(up)))
    assert (found.value, found.n, found.clusters) == (value, 56 + 4, 28)


def test_a_sum_of_what_does_not_vary_has_no_interval_if_it_is_a_difference():
    difference = metric("none", lambda totals: 0 * totals[..., 0], parts=((1.0, FIRST), (-1.0, FIRST)))
    found = combined(PAIR, difference, 0.0, NINETY)
    assert (found.low, found.note, found.needed) == (None, SAME, 56)
    mean = metric("mean", lambda totals: 0 * totals[..., 0], parts=((0.5, FIRST), (0.5, FIRST)))
    assert combined(PAIR, mean, 0.5, NINETY).low is not None


def test_a_part_without_an_interval_leaves_the_sum_without_one_for_the_same_reason():
    few = metric("few", share(2, 3), shape="proportion", trials=lambda totals: totals[..., 3] * 0.05)
    total = metric("sum", parts=((1.0, FIRST), (-1.0, few)))
    found = combined(PAIR, total, 0.1, NINETY)
    assert (found.value, found.low, found.needed) == (0.1, None, 5)
    assert "cases, at least 5 are needed" in found.note


def test_the_mean_of_parts_leaves_out_what_is_undefined():
    gone = metric("gone", lambda totals: np.full(len(totals), nan), shape="proportion", trials=column(1))
    mean = metric("mean", FIRST.value, parts=((3.0, FIRST), (5.0, gone)))
    one = by_formula(PAIR, [FIRST], NINETY)["first"]
    found = combined(PAIR, mean, one.value, NINETY)
    assert (found.low, found.high) == pytest.approx((one.low, one.high))


def bound_of_rate(rate, trials, effect, events, weight, degrees):
    """Of a disagreement: the score interval with the effective number of trials."""
    drawn = raised(effect, assumed_effect(trials), events, weight)
    return score_interval(rate, trials.sum() / drawn, stats.t.ppf(0.95, degrees))


TRIALS = np.array([2, 1, 3, 3, 2, 2] * 5, float)


@pytest.mark.parametrize("nominal", [True, False])
@pytest.mark.parametrize("value", [0.7, 0.2, 1.0])
def test_a_coefficient_has_the_interval_of_its_observed_disagreement(nominal, value):
    coefficient = metric(
        shape="disagreement",
        trials=column(1),
        observed=share(0, 1),
        expected=lambda totals: np.full(len(totals), 0.4),
        nominal=nominal,
    )
    rate = (1 - value) * 0.4
    effect = 0.04 * 0.4**2 / (rate * (1 - rate) / 65) if rate else 0.0
    touched = 20
    events, weight = (10.0, 5.0) if nominal else (float(touched), 2.0)
    degrees = effective_degrees(TRIALS) if nominal else min(effective_degrees(TRIALS), 10.0)
    least, most = bound_of_rate(rate, TRIALS, effect, events, weight, degrees)
    found = disagreement(SOME, coefficient, value, VARIED, NINETY)
    assert found == pytest.approx((max(1 - most / 0.4, -1), 1 - least / 0.4))


def test_a_coefficient_without_expected_disagreement_is_that_of_a_fair_coin():
    coefficient = metric(shape="disagreement", trials=column(1), observed=share(0, 1))
    rate = (1 - 0.7) / 2
    effect = 0.04 * 0.25 / (rate * (1 - rate) / 65)
    least, most = bound_of_rate(rate, TRIALS, effect, 10.0, 5.0, effective_degrees(TRIALS))
    assert disagreement(SOME, coefficient, 0.7, VARIED, NINETY) == pytest.approx((1 - most / 0.5, 1 - least / 0.5))
    assert disagreement(SOME, coefficient, -3.0, VARIED, NINETY)[0] == -1.0


@pytest.mark.parametrize("value", [0.8, 0.0, -0.5, 1.0])
def test_a_bounded_metric_has_the_interval_of_its_distance_from_1(value):
    rate = min(max(1 - value, 0.0), 1.0)
    even = np.full(30, 65 / 30)
    effect = 0.04 / (rate * (1 - rate) / 65) if 0 < rate < 1 else 0.0
    for nominal, weight, degrees in ((True, 5.0, effective_degrees(even)), (False, 2.0, 10.0)):
        events = 30.0 if effect else 0.0
        least, most = bound_of_rate(rate, even, effect, events, weight, degrees)
        found = disagreement(SOME, metric(shape="bounded", nominal=nominal), value, VARIED, NINETY)
        assert found == pytest.approx((1 - most, 1 - least))


def test_one_call_answers_several_bodies_of_evidence_in_their_order():
    drawn = metric("drawn", shape="resampled")
    empty = Evidence(np.zeros((0, 2)), (2,), 0, empty="nothing was rated")
    few = evidence([1] * 3, [1] * 3, n=99)
    tasks = [
        (SOME, [drawn, metric("plain")]),
        (empty, [metric("none")]),
        (few, [metric("short")]),
        (SOME, [metric("last")]),
        (PAIR, [metric("other", shape="resampled"), metric("undefined", lambda totals: np.full(len(totals), nan))]),
    ]
    found = estimate_all(tasks, NINETY)
    assert list(found) == ["drawn", "plain", "none", "short", "last", "other", "undefined"]
    assert found["none"].note == "nothing was rated"
    assert found["none"].value is None
    assert found["short"].note == "no interval: 3 clusters, at least 20 are needed"
    assert (found["undefined"].note, found["undefined"].n, found["undefined"].clusters) == ("it is undefined", 60, 28)
    assert found["plain"] == found["last"].model_copy()
    assert found["drawn"].low != found["plain"].low
    assert estimate(SOME, [metric("plain")], NINETY)["plain"] == found["plain"]


def test_sums_by_cluster_are_the_evidence():
    made = sums([np.array([1.0, 0.0, 1.0]), np.ones(3)], np.array([4, 7, 4]))
    assert (made.n, made.clusters) == (3, 2)
    assert made.dense().tolist() == [[2, 2], [0, 1]]
