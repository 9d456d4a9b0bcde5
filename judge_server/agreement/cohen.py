"""Cohen's κ, plain and weighted (Cohen 1960, Educ. Psychol. Meas. 20:37; 1968, Psychol. Bull. 70:213)."""

from functools import partial

import numpy as np

from judge_server.agreement.array import Floats, ratio, where_defined
from judge_server.agreement.metric import Metric
from judge_server.agreement.pair import margins
from judge_server.agreement.scale import Scale
from judge_server.agreement.weighting import Weighting, disagreement

CONSTANT = "one side gave a single label, so κ says nothing about agreement"
UNORDERED = "the labels are names without an order"


def cohen_kappa(table: Floats, distance: Floats) -> Floats:
    """1 − observed / expected disagreement of (replicates, labels, labels); nan where either side is constant.

    With one constant side κ is 0 by construction, however good or bad the judge: that is no measurement.
    """
    rows, columns, total = margins(table)
    observed = total * np.einsum("bij,ij->b", table, distance)
    expected = np.einsum("bi,ij,bj->b", rows, distance, columns)
    varied = (rows.max(axis=-1) < total) & (columns.max(axis=-1) < total)
    return where_defined(1 - ratio(observed, expected), varied)


def cohen_metrics(scale: Scale) -> list[Metric]:
    weightings: dict[str, Weighting] = {"cohen_kappa": "nominal"}
    if scale.values is not None:
        weightings |= {"cohen_kappa_linear": "linear", "cohen_kappa_quadratic": "quadratic"}
    return [
        Metric(name, partial(cohen_kappa, distance=disagreement(scale.numbers, weighting)), CONSTANT)
        for name, weighting in weightings.items()
    ]
