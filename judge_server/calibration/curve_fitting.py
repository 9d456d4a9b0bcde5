"""Curves and thresholds for a judge's values.

Platt's sigmoid and isotonic regression from scikit-learn, the folds that keep prompts together, and the threshold from
which a criterion counts as met.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from judge_server.agreement.array import Floats, Ints
from judge_server.agreement.distribution import binomial_tail
from judge_server.calibration.pairing import Pairs
from judge_server.core.errors import MissingDependency
from judge_server.core.extra import installing
from judge_server.core.fitted_map import Curve, Isotonic, Platt, Threshold, logit

try:
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold
except ImportError as missing:
    raise MissingDependency(
        "Fitting needs scikit-learn, which is not installed.", remedy=installing("calibration")
    ) from missing

Method = Literal["platt", "isotonic"]
METHODS: tuple[Method, ...] = ("platt", "isotonic")
CONFIDENCE = 0.95  # that a threshold keeps the false-positive rate it was chosen for
_DIGITS = 9  # decimals of knots, so that the same labels give the same artefact


def fit(method: Method, raw: Floats, target: Floats) -> Curve | None:
    """The curve through (labels,) raw values and targets in [0, 1]; None if it would not rise, because then the judge
    is uninformative or inverted."""
    return _platt(raw, target) if method == "platt" else _isotonic(raw, target)


def applied(curve: Curve, raw: Floats) -> Floats:
    return np.fromiter((curve.apply(float(value)) for value in raw), dtype=np.float64, count=len(raw))


def folds(cluster: Ints, most: int = 5) -> Iterator[tuple[Ints, Ints]]:
    """Rows to fit on and rows to test on; no prompt is in both."""
    splits = min(most, len(np.unique(cluster)))
    yield from GroupKFold(n_splits=splits).split(np.zeros(len(cluster)), groups=cluster)


def _platt(raw: Floats, target: Floats) -> Platt | None:
    """Logistic regression on log-odds, with Platt's targets: a class of n labels counts as (n + 1) / (n + 2) sure, so
    that a perfect judge gets a finite slope. A target between 0 and 1 counts for both classes in parts."""
    score = np.fromiter((logit(float(value)) for value in raw), dtype=np.float64, count=len(raw))
    positive = float(target.sum())
    highest, lowest = (positive + 1) / (positive + 2), 1 / (len(target) - positive + 2)
    share = lowest + target * (highest - lowest)
    model = LogisticRegression(C=1e6, max_iter=1_000)  # practically without a penalty
    model.fit(
        np.concatenate([score, score])[:, np.newaxis],
        np.repeat([1, 0], len(score)),
        sample_weight=np.concatenate([share, 1 - share]),
    )
    slope, intercept = float(model.coef_[0, 0]), float(model.intercept_[0])
    return Platt(kind="platt", slope=slope, intercept=intercept) if slope > 0 else None


def _isotonic(raw: Floats, target: Floats) -> Isotonic | None:
    """Each level segment is shrunk towards the mean of all labels by one label, so that none is exactly 0 or 1."""
    model = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(raw, target)
    levels, part, counts = np.unique(model.predict(raw), return_inverse=True, return_counts=True)
    if len(levels) == 1:
        return None
    drawn = np.maximum.accumulate((levels * counts + target.mean()) / (counts + 1))
    knots: dict[float, float] = {}
    for place, own in sorted(zip(raw, part, strict=True)):
        knots[round(float(place), _DIGITS)] = round(float(drawn[own]), _DIGITS)
    inner = list(knots.items())
    kept = [
        knot
        for number, knot in enumerate(inner)
        if number in (0, len(inner) - 1) or not (inner[number - 1][1] == knot[1] == inner[number + 1][1])
    ]
    return Isotonic(kind="isotonic", knots=tuple(kept))


def thresholds_for(values: Floats, pairs: Pairs, targets: Sequence[float]) -> tuple[Threshold, ...]:
    """One for each target false-positive rate that the labels can show with ``CONFIDENCE``: for 5 % that takes 59
    prompts with an unmet label, each counted once. ``values`` are (labels,), each from a curve fitted without the
    label's prompt.

    The threshold lies above an order statistic of the negatives (Tong, Feng & Li 2018, "Neyman–Pearson classification
    algorithms and NP receiver operating characteristics", Sci. Adv. 4:eaao1659).
    """
    negative = pairs.target < 0.5
    places = np.flatnonzero(negative)
    single = np.sort(values[places[np.unique(pairs.cluster[places], return_index=True)[1]]])
    found = []
    for target in targets:
        chosen = _above(values, single, target)
        if chosen is not None:
            passed = values >= chosen
            found.append(
                Threshold(
                    target=target,
                    value=chosen,
                    confidence=CONFIDENCE,
                    false_positive_rate=float(passed[negative].mean()),
                    true_positive_rate=float(passed[~negative].mean()) if (~negative).any() else 0.0,
                    negatives=int(negative.sum()),
                )
            )
    return tuple(found)


def _above(values: Floats, negatives: Floats, target: float) -> float | None:
    """The lowest value above the order statistic of the sorted ``negatives`` that keeps the rate with confidence; None
    if no order statistic does, or none passes."""
    count = len(negatives)
    if target <= 0 or not count:
        return None
    ranks = np.arange(1, count + 1)
    risk = binomial_tail(ranks, count, 1 - target)
    enough = np.flatnonzero(risk <= 1 - CONFIDENCE)
    if not len(enough):
        return None
    passing = np.unique(values[values > negatives[enough[0]]])
    return float(passing[0]) if len(passing) else None
