"""From replicates to estimates: intervals where they can be given, reasons where they cannot."""

from collections.abc import Sequence

import numpy as np

from judge_server.agreement.array import Floats
from judge_server.agreement.distribution import normal_cumulative, normal_quantile, two_sided, wilson
from judge_server.agreement.evidence import Evidence
from judge_server.agreement.metric import Estimate, Metric
from judge_server.agreement.resampling import Resampling, Task, leave_one_out, replicate_together

TOLERATED_UNDEFINED = 0.05  # more resamples without a class would make the interval that of a luckier data set


def estimate(evidence: Evidence, metrics: Sequence[Metric], resampling: Resampling) -> dict[str, Estimate]:
    """Every metric of one body of evidence with its clustered interval, by name."""
    return estimate_all([(evidence, metrics)], resampling)


def estimate_all(tasks: Sequence[Task], resampling: Resampling) -> dict[str, Estimate]:
    """Every metric of several bodies of evidence by name; names must differ. One pass of draws serves them all."""
    enough = [task for task in tasks if task[0].clusters and not too_few(task[0], resampling)]
    replicates = iter(replicate_together(enough, resampling))
    found: dict[str, Estimate] = {}
    for task in tasks:
        found |= resampled(task, next(replicates), resampling) if task in enough else unsampled(task, resampling)
    return found


def unsampled(task: Task, resampling: Resampling) -> dict[str, Estimate]:
    """Values without intervals, for evidence from too few clusters or none."""
    evidence, metrics = task
    shortage = too_few(evidence, resampling)
    if not evidence.clusters or shortage is None:
        return {metric.name: Estimate(note=evidence.empty) for metric in metrics}
    total = evidence.total()
    return {metric.name: standing(float(metric.value(total)[0]), evidence, metric, shortage) for metric in metrics}


def resampled(task: Task, replicates: Floats, resampling: Resampling) -> dict[str, Estimate]:
    evidence, metrics = task
    total = evidence.total()
    jackknife = leave_one_out(evidence, metrics) if resampling.method == "bca" else [None] * len(metrics)
    return {
        metric.name: concluded(evidence, metric, float(metric.value(total)[0]), row, left_out, resampling)
        for metric, row, left_out in zip(metrics, replicates, jackknife, strict=True)
    }


def too_few(evidence: Evidence, resampling: Resampling) -> tuple[str, int] | None:
    if evidence.clusters < resampling.min_clusters:
        needed = resampling.min_clusters
        return f"no interval: {evidence.clusters} clusters, at least {needed} are needed", needed
    if evidence.n < resampling.min_items:
        needed = resampling.min_items
        return f"no interval: {evidence.n} items, at least {needed} are needed", needed
    return None


def standing(value: float, evidence: Evidence, metric: Metric, shortage: tuple[str, int]) -> Estimate:
    """A value without an interval, or an undefined one with its reason."""
    if not np.isfinite(value):
        return Estimate(n=evidence.n, clusters=evidence.clusters, note=metric.undefined)
    note, needed = shortage
    return Estimate(value=value, n=evidence.n, clusters=evidence.clusters, note=note, needed=needed)


def concluded(
    evidence: Evidence,
    metric: Metric,
    value: float,
    replicates: Floats,
    left_out: Floats | None,
    resampling: Resampling,
) -> Estimate:
    n, clusters = evidence.n, evidence.clusters
    if not np.isfinite(value):
        return Estimate(n=n, clusters=clusters, note=metric.undefined)
    defined = replicates[np.isfinite(replicates)]
    missing = 1 - len(defined) / len(replicates)
    if missing > TOLERATED_UNDEFINED:
        note = (
            f"no interval: undefined in {missing:.0%} of the resamples ({metric.undefined}): label more of what is rare"
        )
        return Estimate(value=value, n=n, clusters=clusters, note=note, needed=rarer(clusters, missing))
    if np.ptp(defined) <= 1e-12 * max(1.0, abs(value)):
        return unvarying(evidence, metric, value, resampling)
    low, high = bounds(value, defined, left_out, metric, resampling)
    return Estimate(value=value, low=low, high=high, n=n, clusters=clusters)


def rarer(clusters: int, missing: float) -> int:
    """Clusters at which a class missing from this share of resamples would be missing from few enough: missing ≈
    exp(−clusters · rate).
    """
    return int(np.ceil(clusters * np.log(TOLERATED_UNDEFINED) / np.log(min(missing, 0.999))))


def bounds(
    value: float, replicates: Floats, left_out: Floats | None, metric: Metric, resampling: Resampling
) -> tuple[float, float]:
    tail = (1 - resampling.confidence) / 2
    if metric.interval == "reflected":
        low, high = np.quantile(replicates, [tail, 1 - tail])
        return max(0.0, 2 * value - high), max(0.0, 2 * value - low)
    tails = np.array([tail, 1 - tail]) if left_out is None else accelerated(value, replicates, left_out, resampling)
    low, high = np.quantile(replicates, tails)
    return float(low), float(high)


def accelerated(value: float, replicates: Floats, left_out: Floats, resampling: Resampling) -> Floats:
    """The two percentiles of the BCa interval (Efron 1987, eq. 3.9 with the jackknife's acceleration)."""
    below = (np.sum(replicates < value) + 0.5 * np.sum(replicates == value)) / len(replicates)
    bias = normal_quantile(float(np.clip(below, 1 / len(replicates), 1 - 1 / len(replicates))))
    deviation = np.nanmean(left_out) - left_out[np.isfinite(left_out)]
    scale = float(np.sum(deviation**2)) ** 1.5
    acceleration = float(np.sum(deviation**3)) / (6 * scale) if scale else 0.0
    shifted = bias + two_sided(resampling.confidence) * np.array([-1.0, 1.0])
    return normal_cumulative(bias + shifted / (1 - acceleration * shifted))


def unvarying(evidence: Evidence, metric: Metric, value: float, resampling: Resampling) -> Estimate:
    """All resamples agree, typically at perfect agreement, where [1, 1] would be a lie: the bound of an unseen
    disagreement instead.

    A proportion gets Wilson's interval, with each cluster counted as one trial. A coefficient gets the value it would
    take if the share of disagreement that Wilson's interval cannot exclude were there, spread as chance would spread
    it.
    """
    n, clusters = evidence.n, evidence.clusters
    total = evidence.total()
    if metric.trials is not None and value in {0.0, 1.0}:
        trials = float(metric.trials(total)[0]) * min(1.0, clusters / n)
        low, high = wilson(value * trials, trials, resampling.confidence)
        note = "nothing varied: Wilson's interval, one trial a cluster"
        return Estimate(value=value, low=low, high=high, n=n, clusters=clusters, note=note)
    if evidence.disturb is not None:
        unseen = wilson(0, clusters, resampling.confidence)[1]
        other = float(metric.value(evidence.disturb(total, unseen))[0])
        if np.isfinite(other) and other != value:
            note = f"nothing varied: bounded by {unseen:.1%} of disagreement not seen"
            low, high = min(value, other), max(value, other)
            return Estimate(value=value, low=low, high=high, n=n, clusters=clusters, note=note)
    note = "no interval: every resample gave the same value"
    return Estimate(value=value, n=n, clusters=clusters, note=note, needed=2 * clusters)
