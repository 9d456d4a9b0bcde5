"""Intervals for each shape of metric, from sums within clusters, or the reason why there is none.

- A proportion gets the score interval of ``util.clustered_share``. The t quantile has the effective number of clusters
  − 1 degrees of freedom (Carter, Schnepel & Steigerwald 2017, Rev. Econ. Stat. 99:698).
- A coefficient 1 − observed / expected disagreement gets the same interval on the scale of its observed disagreement,
  with the variance of the coefficient itself (leaving one cluster out) in the effective number of trials.
- F1 is an increasing function of a proportion, and gets the function of its bounds.
- Every other figure of a table of two labels combines the intervals of three shares (``two_labels``).
- Differences and means of metrics (the gap between judge and people, Youden's J, balanced accuracy, macro F1) combine
  their intervals with the correlation of their estimates (Zou & Donner 2008, Stat. Med. 27:1693).
- A correlation gets the jackknife's interval on Fisher's z, a mean difference on its own scale, an error on its
  logarithm.
- Without a formula, whole clusters are resampled and percentiles taken.

Graded coefficients use a t quantile whose degrees of freedom fall with the kurtosis of the clusters' influence, because
the variance is uncertain if it rests on few clusters. Simulated coverage: docs/calibration.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import atanh, exp, inf, sqrt, tanh

import numpy as np

from judge_server.agreement.array import Floats, floats
from judge_server.agreement.distribution import student_quantile
from judge_server.agreement.evidence import Evidence
from judge_server.agreement.metric import Estimate, Metric
from judge_server.agreement.resampling import Resampling, Task, leave_one_out, replicate_together
from judge_server.agreement.two_labels import least_and_largest
from judge_server.util.clustered_share import ASSUMED_EVENTS, assumed_effect, effective_degrees, share_bounds
from judge_server.util.wilson import score_interval

TOLERATED_UNDEFINED = 0.05  # with more resamples that lack a class the interval would be too optimistic
ASSUMED_GRADED = (
    2.0  # clusters with an event that the assumed correlation weighs as much as, if disagreements have degrees
)
FEWEST_EVENTS = 5  # fewest labels of the rarer kind for an interval
FEWEST_DEGREES = 4.0
DIRECT = ("proportion", "described")
DESCRIBED = "no interval: chance alone moves it"
SAME = "no interval: every cluster gives the same value"
UNCERTAIN = 4.0  # clusters' worth of doubt about a correlation
_NOTHING = 1e-12


def estimate(evidence: Evidence, metrics: Sequence[Metric], resampling: Resampling) -> dict[str, Estimate]:
    """All metrics of one body of evidence by name, with clustered intervals."""
    return estimate_all([(evidence, metrics)], resampling)


def estimate_all(tasks: Sequence[Task], resampling: Resampling) -> dict[str, Estimate]:
    """All metrics of several bodies of evidence by name; names must differ."""
    found: dict[str, Estimate] = {}
    resampled: list[Task] = []
    for evidence, metrics in tasks:
        if not evidence.clusters:
            found |= {metric.name: Estimate(note=evidence.empty) for metric in metrics}
            continue
        shortage = too_few(evidence, resampling)
        if shortage is not None:
            total = evidence.total()
            found |= {m.name: short(float(m.value(total)[0]), evidence, m, shortage) for m in metrics}
            continue
        drawn = [metric for metric in metrics if metric.shape == "resampled"]
        found |= by_formula(evidence, [metric for metric in metrics if metric not in drawn], resampling)
        if drawn:
            resampled.append((evidence, drawn))
    for (evidence, metrics), rows in zip(resampled, replicate_together(resampled, resampling), strict=True):
        for metric, row in zip(metrics, rows, strict=True):
            found[metric.name] = percentiles(evidence, metric, row, resampling)
    order = [metric.name for _, metrics in tasks for metric in metrics]
    return {name: found[name] for name in order}


def too_few(evidence: Evidence, resampling: Resampling) -> tuple[str, int] | None:
    if evidence.clusters < resampling.min_clusters:
        needed = resampling.min_clusters
        return f"no interval: {evidence.clusters} clusters, at least {needed} are needed", needed
    if evidence.n < resampling.min_items:
        needed = resampling.min_items
        return f"no interval: {evidence.n} items, at least {needed} are needed", needed
    return None


def short(value: float, evidence: Evidence, metric: Metric, shortage: tuple[str, int]) -> Estimate:
    """A value without an interval, or an undefined one with its reason."""
    if not np.isfinite(value):
        return Estimate(n=evidence.n, clusters=evidence.clusters, note=metric.undefined)
    note, needed = shortage
    return Estimate(value=value, n=evidence.n, clusters=evidence.clusters, note=note, needed=needed)


@dataclass(frozen=True, eq=False)
class Influence:
    """Leave-one-cluster-out results for a value: its variance, and how heavy the tails of that variance are."""

    variance: float
    degrees: float
    defined: bool


def influence(left_out: Floats) -> Influence:
    """From a metric's values without each cluster in turn: (clusters,)."""
    clusters = len(left_out)
    if not np.isfinite(left_out).all():
        return Influence(inf, 1.0, defined=False)
    deviation = left_out - left_out.mean()
    squares = float((deviation**2).sum())
    if squares <= _NOTHING**2:
        return Influence(0.0, clusters - 1.0, defined=True)
    kurtosis = float((deviation**4).sum()) * clusters / squares**2
    degrees = min(clusters - 1.0, 2 * clusters / max(kurtosis - 1, _NOTHING))
    return Influence((clusters - 1) / clusters * squares, max(degrees, FEWEST_DEGREES), defined=True)


def by_formula(evidence: Evidence, metrics: Sequence[Metric], resampling: Resampling) -> dict[str, Estimate]:
    total = evidence.total()
    found: dict[str, Estimate] = {}
    tabled = [metric for metric in metrics if metric.two_labels is not None]
    reached = least_and_largest(evidence, tabled, resampling.confidence)
    graded = [m for m in metrics if m.two_labels is None and m.shape not in DIRECT and not composed(m)]
    left_out = dict(zip([m.name for m in graded], leave_one_out(evidence, graded), strict=True)) if graded else {}
    for metric in metrics:
        value = float(metric.value(total)[0])
        if not np.isfinite(value):
            found[metric.name] = Estimate(n=evidence.n, clusters=evidence.clusters, note=metric.undefined)
        elif metric.two_labels is not None:
            found[metric.name] = of_table(evidence, metric, value, reached[metric.name])
        elif metric.shape == "described" or metric.bounds is not None:
            found[metric.name] = bounded(evidence, metric, value, resampling)
        elif composed(metric):
            found[metric.name] = of_others(evidence, metric, value, resampling)
        elif metric.shape == "proportion":
            found[metric.name] = proportion(evidence, metric, value, resampling)
        else:
            found[metric.name] = shaped(evidence, metric, value, influence(left_out[metric.name]), resampling)
    return found


def of_table(evidence: Evidence, metric: Metric, value: float, reached: tuple[float, float]) -> Estimate:
    """A figure of two labels, whose interval is between the ``reached`` values."""
    plain = Estimate(value=value, n=evidence.n, clusters=evidence.clusters)
    share = metric if metric.base is None else metric.base
    cases = float(share.trials(evidence.total())[0]) if share.shape == "proportion" and share.trials else evidence.n
    short_of = few_cases(cases) or few_rare(evidence, metric)
    if short_of is not None:
        return plain.model_copy(update={"note": short_of, "needed": FEWEST_EVENTS})
    return plain.model_copy(update={"low": min(reached[0], value), "high": max(reached[1], value)})


def few_cases(count: float) -> str | None:
    """Why a proportion of so many cases has no interval."""
    return f"no interval: {count:g} cases, at least {FEWEST_EVENTS} are needed" if count < FEWEST_EVENTS else None


def few_rare(evidence: Evidence, metric: Metric) -> str | None:
    """Why a metric that rests on the rarer labels has no interval."""
    if metric.rarer is None or (seen := float(metric.rarer(evidence.total())[0])) >= FEWEST_EVENTS:
        return None
    return f"no interval: {seen:g} labels are not the most common one, at least {FEWEST_EVENTS} are needed"


def composed(metric: Metric) -> bool:
    """Whether the metric is made of others that have intervals, or has its own."""
    return bool(metric.parts) or metric.base is not None or metric.bounds is not None


def bounded(evidence: Evidence, metric: Metric, value: float, resampling: Resampling) -> Estimate:
    """A metric that has an interval of its own, or none."""
    plain = Estimate(value=value, n=evidence.n, clusters=evidence.clusters)
    if metric.bounds is None:
        return plain.model_copy(update={"note": DESCRIBED})
    found = metric.bounds(evidence.total(), resampling.confidence)
    if found is None:
        return plain.model_copy(update={"note": SAME, "needed": 2 * evidence.clusters})
    return plain.model_copy(update={"low": min(found[0], value), "high": max(found[1], value)})


def of_others(evidence: Evidence, metric: Metric, value: float, resampling: Resampling) -> Estimate:
    """An increasing function of a proportion, or a sum of several metrics."""
    if metric.base is None:
        return combined(evidence, metric, value, resampling)
    base = proportion(evidence, metric.base, float(metric.base.value(evidence.total())[0]), resampling)
    if base.low is None or base.high is None:
        return base.model_copy(update={"value": value})
    bounds = {"low": min(metric.increasing(base.low), value), "high": max(metric.increasing(base.high), value)}
    return base.model_copy(update={"value": value, **bounds})


def proportion(evidence: Evidence, metric: Metric, value: float, resampling: Resampling) -> Estimate:
    n, clusters = evidence.n, evidence.clusters
    trials, hits = per_cluster(evidence, metric)
    used = trials > 0
    note = few_cases(float(trials.sum()))
    if note is not None:
        return Estimate(value=value, n=n, clusters=clusters, note=note, needed=FEWEST_EVENTS)
    bounds = share_interval(hits[used], trials[used], resampling.confidence)
    return Estimate(value=value, low=min(bounds[0], value), high=max(bounds[1], value), n=n, clusters=clusters)


def per_cluster(evidence: Evidence, metric: Metric) -> tuple[Floats, Floats]:
    """(clusters,) each: a proportion's trials and hits."""
    rows = evidence.dense()
    trials = metric.trials(rows) if metric.trials is not None else np.ones(len(rows))
    return trials, np.nan_to_num(metric.value(rows)) * trials


def share_interval(hits: Floats, trials: Floats, confidence: float) -> tuple[float, float]:
    """The interval of Σ hits / Σ trials; (clusters,) columns with trials above 0, at least two clusters."""
    return share_bounds(floats(hits), trials, partial(student_quantile, 0.5 + confidence / 2))


def raised(effect: float, assumed: float, events: float, weight: float) -> float:
    """A measured design effect, raised towards the assumed one if few events were seen."""
    return max(effect, (events * effect + weight * assumed) / (events + weight))


def combined(evidence: Evidence, metric: Metric, value: float, resampling: Resampling) -> Estimate:
    """A weighted sum of metrics, or the mean of the defined ones, from the interval of each."""
    plain = Estimate(value=value, n=evidence.n, clusters=evidence.clusters)
    whole, *left_out = leave_one_out(evidence, [metric, *(part for _, part in metric.parts)])
    if np.isfinite(whole).all() and np.ptp(whole) <= _NOTHING and any(weight < 0 for weight, _ in metric.parts):
        return plain.model_copy(update={"note": SAME, "needed": 2 * evidence.clusters})
    each = [by_formula(evidence, [part], resampling)[part.name] for _, part in metric.parts]
    known = [place for place, one in enumerate(each) if one.value is not None]
    weights = floats([metric.parts[place][0] for place in known])
    if (weights > 0).all():
        weights /= weights.sum()
    reaches: list[tuple[float, float]] = []  # down and up
    for weight, one in zip(weights, (each[place] for place in known), strict=True):
        if one.low is None or one.high is None or one.value is None:
            return plain.model_copy(update={"note": one.note, "needed": one.needed})
        down, up = one.value - one.low, one.high - one.value
        reaches.append((down, up) if weight > 0 else (up, down))
    alike = cautious(correlations(floats([left_out[place] for place in known])), weights, evidence.clusters)
    down, up = (apart(weights, floats([one[side] for one in reaches]), alike) for side in (0, 1))
    return plain.model_copy(update={"low": value - down, "high": value + up})


def correlations(left_out: Floats) -> Floats:
    """Correlations of several estimates on the same clusters, from their leave-one-out values: (estimates, clusters).
    Those of a constant or undefined one are 0."""
    known = np.isfinite(left_out).all(axis=1, keepdims=True)
    centred = np.where(known, left_out, 0.0)
    centred = centred - centred.mean(axis=1, keepdims=True)
    length = np.sqrt((centred**2).sum(axis=1, keepdims=True))
    unit = np.where(length > _NOTHING, centred / np.maximum(length, _NOTHING), 0.0)
    alike = floats(unit @ unit.T)
    np.fill_diagonal(alike, 1.0)
    return alike


def cautious(correlation: Floats, weights: Floats, clusters: int) -> Floats:
    """Correlations that narrow a sum, reduced: from few clusters they are uncertain, and the interval of a difference
    would be too narrow (simulated with 20 prompts: .917 of the intervals held the truth, and .95 with this)."""
    narrows = np.outer(weights, weights) * correlation < 0
    return np.where(narrows, correlation * max(1 - UNCERTAIN / clusters, 0.0), correlation)


def apart(weights: Floats, reaches: Floats, correlation: Floats) -> float:
    """The reach of a weighted sum, from those of its parts and their correlations."""
    weighted = weights * reaches
    return sqrt(max(float(weighted @ correlation @ weighted), 0.0))


def shaped(evidence: Evidence, metric: Metric, value: float, found: Influence, resampling: Resampling) -> Estimate:
    n, clusters = evidence.n, evidence.clusters
    plain = Estimate(value=value, n=n, clusters=clusters)
    if not found.defined:
        note = f"no interval: undefined without one of the clusters ({metric.undefined}): label more rare items"
        return plain.model_copy(update={"note": note, "needed": 2 * clusters})
    if (few := few_rare(evidence, metric)) is not None:
        return plain.model_copy(update={"note": few, "needed": FEWEST_EVENTS})
    if metric.shape in {"disagreement", "bounded"}:
        low, high = disagreement(evidence, metric, value, found, resampling)
    elif not found.variance:
        return plain.model_copy(update={"note": SAME, "needed": 2 * clusters})
    else:
        low, high = transformed(metric, value, found, resampling)
    return plain.model_copy(update={"low": min(low, value), "high": max(high, value)})


def transformed(metric: Metric, value: float, found: Influence, resampling: Resampling) -> tuple[float, float]:
    reach = student_quantile(0.5 + resampling.confidence / 2, found.degrees) * sqrt(found.variance)
    if metric.shape == "correlation" and abs(value) < 1 - _NOTHING:
        z, spread = atanh(value), reach / (1 - value**2)
        return tanh(z - spread), tanh(z + spread)
    if metric.shape == "positive" and value > 0:
        return value * exp(-reach / value), value * exp(reach / value)
    return value - reach, value + reach


def disagreement(
    evidence: Evidence, metric: Metric, value: float, found: Influence, resampling: Resampling
) -> tuple[float, float]:
    """Interval on the scale of the observed disagreement; the chance disagreement converts its bounds to the
    coefficient's."""
    total = evidence.total()
    expected = float(metric.expected(total)[0]) if metric.expected is not None else 1.0
    rate = min(max((1 - value) * expected, 0.0), 1.0)
    if metric.shape == "bounded":
        expected, rate = 1.0, min(max(1 - value, 0.0), 1.0)
    elif metric.expected is None:
        expected, rate = 0.5, min(max((1 - value) / 2, 0.0), 1.0)
    rows = evidence.dense()
    trials = metric.trials(rows) if metric.trials is not None else np.full(len(rows), evidence.n / len(rows))
    degrees = min(effective_degrees(trials), found.degrees) if not metric.nominal else effective_degrees(trials)
    quantile = student_quantile(0.5 + resampling.confidence / 2, degrees)
    variance = found.variance * expected**2
    ends = []
    for upper in (True, False):
        drawn = effect_of(metric, rows, trials, rate, variance, expected if upper and value < 0 else None)
        ends.append(score_interval(rate, float(trials.sum()) / max(drawn, _NOTHING), quantile)[0 if upper else 1])
    if metric.shape == "bounded":
        return 1 - ends[1], 1 - ends[0]
    below, above = expected - ends[1], expected - ends[0]
    smallest, largest = (expected, expected) if metric.expected_range is None else metric.expected_range(total)
    low = below / (expected if below >= 0 else smallest)
    high = above / (expected if above >= 0 else max(largest, expected))
    return max(low, -1.0), min(high, 1.0)


def effect_of(
    metric: Metric, rows: Floats, trials: Floats, rate: float, variance: float, chance: float | None
) -> float:
    """The design effect of an observed disagreement ``rate``. ``chance``: the disagreement by chance if there is more
    than that, for the upper bound: near complete disagreement the few agreements would widen the interval again."""
    count, assumed, effect = float(trials.sum()), assumed_effect(np.maximum(trials, _NOTHING)), 0.0
    if 0 < rate < 1:
        bounded_chance = 0.0 if chance is None else min(chance, 0.5)
        effect = variance / (max(rate * (1 - rate), bounded_chance * (1 - bounded_chance)) / count)
    events = float(len(rows))
    if metric.observed is not None:
        touched = int((np.nan_to_num(metric.observed(rows)) > _NOTHING).sum())
        events = float(min(touched, len(rows) - touched) if metric.nominal and chance is None else touched)
    elif metric.shape == "bounded":
        events = min(rate, 1 - rate) * float((trials > 0).sum())
    elif effect == 0:
        events = 0.0
    counted = metric.nominal and metric.shape != "bounded"
    return raised(effect, assumed, events, ASSUMED_EVENTS if counted else ASSUMED_GRADED)


def percentiles(evidence: Evidence, metric: Metric, replicates: Floats, resampling: Resampling) -> Estimate:
    n, clusters = evidence.n, evidence.clusters
    value = float(metric.value(evidence.total())[0])
    if not np.isfinite(value):
        return Estimate(n=n, clusters=clusters, note=metric.undefined)
    defined = replicates[np.isfinite(replicates)]
    missing = 1 - len(defined) / len(replicates)
    plain = Estimate(value=value, n=n, clusters=clusters)
    if missing > TOLERATED_UNDEFINED:
        note = f"no interval: undefined in {missing:.0%} of the resamples ({metric.undefined}): label more rare items"
        return plain.model_copy(update={"note": note, "needed": 2 * clusters})
    if np.ptp(defined) <= _NOTHING * max(1.0, abs(value)):
        note = "no interval: every resample gave the same value"
        return plain.model_copy(update={"note": note, "needed": 2 * clusters})
    tail = (1 - resampling.confidence) / 2
    low, high = (float(bound) for bound in np.quantile(defined, [tail, 1 - tail]))
    return plain.model_copy(update={"low": low, "high": high})
