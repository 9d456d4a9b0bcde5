"""Probabilities against outcomes: Brier score, expected calibration error and the reliability curve.

Brier (1950), Mon. Weather Rev. 78:1; ECE over equally wide bins: Naeini, Cooper & Hauskrecht (2015), AAAI.
"""

import numpy as np

from judge_server.agreement.array import Floats, Ints, ratio
from judge_server.agreement.evidence import Evidence, cells
from judge_server.agreement.metric import Metric
from judge_server.core.model import Frozen
from judge_server.util.wilson import wilson

EMPTY = "no item has both a probability and a label"


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
    """(4, bins) sums within each cluster: count, probability, outcome and squared error in each bin.

    (items,) columns; ``outcome`` is 0 or 1, or the share of people who said yes; an item with nan is left out.
    """
    known = np.isfinite(probability) & np.isfinite(outcome)
    p, y = probability[known], outcome[known]
    place = np.minimum((p * bins).astype(np.int64), bins - 1)
    home = cluster[known]
    kinds = [cells(place, home, (bins,), value).rows for value in (np.ones(len(p)), p, y, (p - y) ** 2)]
    return Evidence(np.hstack([np.asarray(rows) for rows in kinds]), (4, bins), len(p), np.unique(home), EMPTY)


def brier(totals: Floats) -> Floats:
    return ratio(totals[:, 3].sum(axis=-1), totals[:, 0].sum(axis=-1))


def expected_calibration_error(totals: Floats) -> Floats:
    return ratio(np.abs(totals[:, 2] - totals[:, 1]).sum(axis=-1), totals[:, 0].sum(axis=-1))


def reliability_curve(evidence: Evidence, confidence: float = 0.95) -> list[ReliabilityBin]:
    """One entry per bin, including empty ones; Wilson's interval treats the bin's items as independent."""
    count, probability, outcome, _ = evidence.total()[0]
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
    Metric("ece", expected_calibration_error, EMPTY, "reflected"),
]
