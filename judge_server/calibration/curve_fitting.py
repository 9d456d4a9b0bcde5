"""Curves and thresholds for a judge's values.

Platt's sigmoid and isotonic regression from scikit-learn, the folds that keep prompts together, and the value from
which a criterion counts as met.
"""

from collections.abc import Iterator, Sequence
from math import ceil
from typing import Literal

import numpy as np

from judge_server.agreement.array import Flags, Floats, Ints
from judge_server.calibration.pairing import Pairs
from judge_server.core.errors import MissingDependency
from judge_server.core.fitted_map import Curve, Isotonic, Platt, Threshold, logit

try:
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold
except ImportError as missing:
    raise MissingDependency(
        "Fitting needs scikit-learn, which is not installed.", remedy="pip install 'judge-server[calibration]'"
    ) from missing

Method = Literal["platt", "isotonic"]
METHODS: tuple[Method, ...] = ("platt", "isotonic")
_DIGITS = 9  # of knots: as many as mean anything, so that the same labels give the same artefact


def fit(method: Method, raw: Floats, target: Floats) -> Curve | None:
    """The curve through (labels,) raw values and targets in [0, 1]; None where it would not rise: such a judge says
    nothing, or the opposite."""
    return _platt(raw, target) if method == "platt" else _isotonic(raw, target)


def applied(curve: Curve, raw: Floats) -> Floats:
    return np.fromiter((curve.apply(float(value)) for value in raw), dtype=np.float64, count=len(raw))


def folds(cluster: Ints, most: int = 5) -> Iterator[tuple[Ints, Ints]]:
    """Rows to fit on and rows to test on; no prompt stands on both sides."""
    splits = min(most, len(np.unique(cluster)))
    yield from GroupKFold(n_splits=splits).split(np.zeros(len(cluster)), groups=cluster)


def _platt(raw: Floats, target: Floats) -> Platt | None:
    """Logistic regression on log-odds, with Platt's targets: a class of n labels counts as (n + 1) / (n + 2) sure, so
    that a perfect judge gets a finite slope. A target between 0 and 1 counts for both classes in parts."""
    score = np.fromiter((logit(float(value)) for value in raw), dtype=np.float64, count=len(raw))
    positive = float(target.sum())
    highest, lowest = (positive + 1) / (positive + 2), 1 / (len(target) - positive + 2)
    share = lowest + target * (highest - lowest)
    model = LogisticRegression(C=1e6, max_iter=1_000)  # as good as without a penalty
    model.fit(
        np.concatenate([score, score])[:, np.newaxis],
        np.repeat([1, 0], len(score)),
        sample_weight=np.concatenate([share, 1 - share]),
    )
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    return Platt(kind="platt", slope=slope, intercept=intercept) if slope > 0 else None


def _isotonic(raw: Floats, target: Floats) -> Isotonic | None:
    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(raw, target)
    knots: dict[float, float] = {}
    for place, value in zip(model.X_thresholds_, model.y_thresholds_, strict=True):
        knots[round(float(place), _DIGITS)] = round(float(value), _DIGITS)
    flat = len(set(knots.values())) == 1
    return None if flat else Isotonic(kind="isotonic", knots=tuple(knots.items()))


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
