"""From which fitted value a criterion counts as met, so that few unmet ones pass."""

from collections.abc import Sequence
from math import ceil

import numpy as np

from judge_server.agreement.array import Flags, Floats
from judge_server.calibration.pairing import Pairs
from judge_server.core.fitted_map import Threshold


def thresholds_for(values: Floats, pairs: Pairs, targets: Sequence[float]) -> tuple[Threshold, ...]:
    """One for each target false-positive rate that the labels can show: n negatives show no rate below 1 / n.
    ``values`` are (labels,), each from a curve that has not seen the label's prompt."""
    negative = pairs.target < 0.5
    found = []
    for target in targets:
        if target <= 0 or int(negative.sum()) < ceil(1 / target):
            continue
        chosen = _lowest(values, negative, target)
        if chosen is not None:
            passed = values >= chosen
            found.append(
                Threshold(
                    target=target,
                    value=chosen,
                    false_positive_rate=float(passed[negative].mean()),
                    true_positive_rate=float(passed[~negative].mean()) if (~negative).any() else 0.0,
                    negatives=int(negative.sum()),
                )
            )
    return tuple(found)


def _lowest(values: Floats, negative: Flags, target: float) -> float | None:
    """The lowest value from which at most the target's share of negatives passes; None where none lets a label pass."""
    candidates = np.unique(values)
    above = np.sort(values[negative])
    passing = len(above) - np.searchsorted(above, candidates, side="left")
    allowed = candidates[passing <= target * len(above)]
    return float(allowed[0]) if len(allowed) else None
