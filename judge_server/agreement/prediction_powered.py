"""Prediction-powered inference: a rate over many judged items, corrected by the few that people labelled.

Angelopoulos et al. (2023), Science 382:669; the weight λ of the judge: Angelopoulos, Duchi & Zrnic (2023), "PPI++".
"""

from math import sqrt

import numpy as np

from judge_server.agreement.array import Floats, Ints, floats
from judge_server.agreement.distribution import two_sided
from judge_server.agreement.estimate import Estimate
from judge_server.agreement.evidence import renumbered

FEWEST = 2


def prediction_powered_mean(
    labels: Floats,
    predicted: Floats,
    unlabelled: Floats,
    *,
    confidence: float = 0.95,
    weight: float | None = 1.0,
    clusters: tuple[Ints, Ints] | None = None,
) -> Estimate:
    """Mean of λ · judge over ``unlabelled``, plus the mean of label − λ · judge over the labelled items.

    ``labels`` and ``predicted`` have shape (labelled,), ``unlabelled`` holds the judge's values on the rest.
    ``weight`` is λ; None chooses the λ of least variance. ``clusters`` (labelled, unlabelled) sums residuals within
    prompts before taking their variance (ddof 0).
    """
    y, near, far = floats(labels), floats(predicted), floats(unlabelled)
    if len(y) != len(near):
        raise ValueError(f"labels and predicted: {len(y)} and {len(near)} entries, one each is needed")
    groups = clusters or (np.arange(len(y)), np.arange(len(far)))
    seen = renumbered(groups[0])[1]
    if min(seen, renumbered(groups[1])[1]) < FEWEST:
        return Estimate(
            n=len(y), clusters=seen, note=f"at least {FEWEST} labelled and unlabelled prompts are needed", needed=FEWEST
        )
    power = tuned(y, near, far) if weight is None else weight
    value = float(power * far.mean() + (y - power * near).mean())
    half = two_sided(confidence) * sqrt(
        mean_variance(power * far, groups[1]) + mean_variance(y - power * near, groups[0])
    )
    return Estimate(value=value, low=value - half, high=value + half, n=len(y), clusters=seen)


def tuned(labels: Floats, predicted: Floats, unlabelled: Floats) -> float:
    """λ that minimises the variance, within [0, 1]; a constant judge has nothing to give."""
    spread = float(np.concatenate([predicted, unlabelled]).var())
    if not spread:
        return 0.0
    shared = float(((labels - labels.mean()) * (predicted - predicted.mean())).mean())
    return float(np.clip(shared / (spread * (1 + len(labels) / len(unlabelled))), 0, 1))


def mean_variance(values: Floats, cluster: Ints) -> float:
    """Variance of a mean from sums of residuals within clusters; plain ddof-0 variance / n with one item a cluster."""
    group, groups = renumbered(cluster)
    residual = np.bincount(group, weights=values - values.mean(), minlength=groups)
    return float((residual**2).sum()) / len(values) ** 2
