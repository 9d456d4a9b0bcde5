"""How much two different labels disagree: nothing about data, only about the scale."""

from typing import Literal

import numpy as np

from judge_server.agreement.array import Floats, floats

Weighting = Literal["nominal", "ordinal", "linear", "quadratic"]


def disagreement(values: Floats, weighting: Weighting) -> Floats:
    """(labels, labels) distances in [0, 1]: 0 on the diagonal, 1 for the furthest labels.

    ``ordinal`` counts the pairs of labels from one to the other, C(|i−j|+1, 2), and reads only their order (Gwet
    2014, table 3.A.2).
    """
    labels = len(values)
    if weighting == "nominal" or labels < 2:
        return 1 - np.eye(labels)
    if weighting == "ordinal":
        steps = np.abs(np.subtract.outer(np.arange(labels), np.arange(labels))).astype(np.float64)
        distance = steps * (steps + 1) / 2
    else:
        distance = np.abs(np.subtract.outer(values, values)) ** (2 if weighting == "quadratic" else 1)
    return floats(distance / distance.max())
