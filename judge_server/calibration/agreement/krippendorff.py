"""Krippendorff's α for any number of raters, missing ratings and four levels of measurement.

Krippendorff (2011), "Computing Krippendorff's alpha-reliability"; Hayes & Krippendorff (2007), Commun. Methods Meas.
1:77.
"""

from functools import partial
from typing import Literal

import numpy as np

from judge_server.calibration.agreement.array import Floats, floats, ratio
from judge_server.calibration.agreement.metric import Metric
from judge_server.calibration.agreement.scale import Scale

Level = Literal["nominal", "ordinal", "interval", "ratio"]
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval", "ratio")
CONSTANT = "every paired rating is the same label"


def krippendorff_alpha(coincidences: Floats, values: Floats, level: Level) -> Floats:
    """α of (replicates, labels, labels) coincidences; nan where all paired ratings are one label."""
    marginals = coincidences.sum(axis=-1)
    total = marginals.sum(axis=-1)
    distance = difference(marginals, values, level)
    observed = (coincidences * distance).sum(axis=(-2, -1))
    expected = np.einsum("bi,bij,bj->b", marginals, distance, marginals)
    return 1 - ratio((total - 1) * observed, expected)


def difference(marginals: Floats, values: Floats, level: Level) -> Floats:
    """δ² between labels, (replicates or 1, labels, labels); the ordinal one reads how often each label was used."""
    if level == "nominal":
        return (1 - np.eye(len(values)))[np.newaxis]
    if level == "ratio":
        share = ratio(np.subtract.outer(values, values), np.add.outer(values, values))
        return np.nan_to_num(share)[np.newaxis] ** 2
    place = np.cumsum(marginals, axis=-1) - marginals / 2 if level == "ordinal" else values[np.newaxis]
    return floats((place[:, :, np.newaxis] - place[:, np.newaxis, :]) ** 2)


def krippendorff_metrics(scale: Scale) -> list[Metric]:
    """Nominal always; ordinal and interval where labels are ordered; ratio where no value is below 0."""
    usable: tuple[Level, ...] = ("nominal",)
    if scale.values is not None:
        usable = LEVELS if min(scale.values) >= 0 else ("nominal", "ordinal", "interval")
    return [
        Metric(f"krippendorff_alpha_{level}", partial(krippendorff_alpha, values=scale.numbers, level=level), CONSTANT)
        for level in usable
    ]
