"""Probabilities against outcomes: Brier score, calibration error and the reliability curve.

Brier (1950), Mon. Weather Rev. 78:1; ECE over equally wide bins: Naeini, Cooper & Hauskrecht (2015), AAAI. ECE is above
0 for a calibrated judge too, the more so the fewer labels there are (.10 for 100). ``calibration_error`` is the root
mean squared error over bins less what chance alone adds to it (Kumar, Liang & Ma 2019, "Verified uncertainty
calibration", NeurIPS, sec. 4), with the variance of a bin between prompts.
"""

import numpy as np
from scipy import optimize, stats

from judge_server.agreement.array import Floats, Ints, ratio
from judge_server.agreement.evidence import Evidence, cells
from judge_server.agreement.metric import Metric
from judge_server.core.model import Frozen
from judge_server.util.wilson import wilson

EMPTY = "no item has both a probability and a label"
ROUNDING = 1e-12  # a variance smaller than this share of its sum of squares is an error of rounding
LARGE = 1e6


class ReliabilityBin(Frozen):
    """One bin of the reliability curve: ``low`` ≤ probability < ``high`` (the last bin holds 1)."""

    low: float
    high: float
    n: int
    mean_probability: float | None = None
    rate: float | None = None
    rate_low: float | None = None
    rate_high: float | None = None


def probability_evidence(probability: Floats, outcome: Floats, cluster: Ints, bins: int = 10) -> Evidence:
    """(6, bins) sums within each cluster: count, probability, outcome and squared error in each bin, the square of the
    cluster's outcomes less its probabilities there, and whether it has any items there.

    (items,) columns; ``outcome`` is 0 or 1, or the share of people who said yes; an item with nan is left out.
    """
    known = np.isfinite(probability) & np.isfinite(outcome)
    p, y = probability[known], outcome[known]
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    home = cluster[known]
    kinds = [np.asarray(cells(place, home, (bins,), value).rows) for value in (np.ones(len(p)), p, y, (p - y) ** 2)]
    kinds += [(kinds[2] - kinds[1]) ** 2, (kinds[0] > 0).astype(np.float64)]
    return Evidence(np.hstack(kinds), (6, bins), len(p), np.unique(home), EMPTY)


def brier(totals: Floats) -> Floats:
    return ratio(totals[:, 3].sum(axis=-1), totals[:, 0].sum(axis=-1))


def expected_calibration_error(totals: Floats) -> Floats:
    return ratio(np.abs(totals[:, 2] - totals[:, 1]).sum(axis=-1), totals[:, 0].sum(axis=-1))


def gaps(totals: Floats) -> tuple[Floats, Floats, Floats]:
    """(replicates, bins) each: a bin's share of the items, its rate less its mean probability, and the variance of
    that difference between clusters; both 0 for a bin with one cluster."""
    count, surplus, clusters = totals[:, 0], totals[:, 2] - totals[:, 1], totals[:, 5]
    several = clusters >= 2
    spread = totals[:, 4] - np.nan_to_num(ratio(surplus**2, clusters))
    spread = ratio(clusters, clusters - 1) * np.where(spread > ROUNDING * totals[:, 4], spread, 0.0)
    gap = np.where(several, ratio(surplus, count), 0.0)
    variance = np.where(several, ratio(spread, count**2), 0.0)
    return np.nan_to_num(ratio(count, count.sum(axis=-1, keepdims=True))), gap, variance


def calibration_error(totals: Floats) -> Floats:
    share, gap, variance = gaps(totals)
    squared = (share * (gap**2 - variance)).sum(axis=-1)
    return np.where(totals[:, 0].sum(axis=-1) > 0, np.sqrt(np.maximum(squared, 0.0)), np.nan)


def calibration_error_bounds(total: Floats, confidence: float) -> tuple[float, float] | None:
    """The interval of ``calibration_error`` for (1, 6, bins) totals: the observed sum of squared gaps is distributed
    about as a multiple of a noncentral χ² (Satterthwaite 1946, Biometrics Bull. 2:110), whose noncentrality is the true
    error. None if no bin has a variance."""
    share, gap, variance = (one[0] for one in gaps(total))
    mean, unit = float((share * variance).sum()), float(((share * variance) ** 2).sum())
    if mean <= 0:
        return None
    scale, degrees = unit / mean, mean**2 / unit
    seen, tail = float((share * gap**2).sum()) / scale, (1 - confidence) / 2

    def noncentrality(probability: float) -> float:
        """The one at which a sum of at most ``seen`` has this probability; 0 if it has less without any."""
        if stats.chi2.cdf(seen, degrees) <= probability:
            return 0.0
        if seen > LARGE:  # the root of a sum so large is normal with variance 1
            return float(max(np.sqrt(seen) - stats.norm.ppf(probability), 0.0) ** 2)
        most = 4 * (seen + 50)
        return float(optimize.brentq(lambda own: stats.ncx2.cdf(seen, degrees, own) - probability, 1e-9, most))

    return tuple(float(np.sqrt(scale * noncentrality(each))) for each in (1 - tail, tail))  # type: ignore[return-value]  # two


def reliability_curve(evidence: Evidence, confidence: float = 0.95) -> list[ReliabilityBin]:
    """One entry per bin, including empty ones; Wilson's interval treats the bin's items as independent."""
    count, probability, outcome = evidence.total()[0][:3]
    edges = np.linspace(0, 1, len(count) + 1)
    curve = []
    for place, n in enumerate(count.astype(int)):
        low, high = float(edges[place]), float(edges[place + 1])
        if not n:
            curve.append(ReliabilityBin(low=low, high=high, n=0))
            continue
        rate = float(outcome[place] / n)
        rate_low, rate_high = wilson(rate * n, n, confidence)
        mean = float(probability[place] / n)
        curve.append(
            ReliabilityBin(
                low=low, high=high, n=n, mean_probability=mean, rate=rate, rate_low=rate_low, rate_high=rate_high
            )
        )
    return curve


PROBABILITY_METRICS = [
    Metric("brier", brier, EMPTY, "bounded", trials=lambda totals: totals[:, 0].sum(axis=-1)),
    Metric("ece", expected_calibration_error, EMPTY, "described"),
    Metric("calibration_error", calibration_error, EMPTY, bounds=calibration_error_bounds),
]
