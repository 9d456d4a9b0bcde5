"""Krippendorff's α for any number of raters, missing ratings and four levels of measurement.

Krippendorff (2011), "Computing Krippendorff's alpha-reliability"; Hayes & Krippendorff (2007), Commun. Methods Meas.
1:77.
"""

from functools import partial
from typing import Literal

import numpy as np

from judge_server.agreement.array import Floats, Ints, floats, ratio
from judge_server.agreement.evidence import Evidence, sums
from judge_server.agreement.metric import Metric
from judge_server.agreement.moment import COUNT, SQUARED, XX, YY, X, Y, spread
from judge_server.agreement.scale import LabelScale

Level = Literal["nominal", "ordinal", "interval", "ratio"]
LEVELS: tuple[Level, ...] = ("nominal", "ordinal", "interval", "ratio")
CONSTANT = "every paired rating is the same label"


def krippendorff_alpha(coincidences: Floats, values: Floats, level: Level) -> Floats:
    """α of (replicates, labels, labels) coincidences; nan if all paired ratings are one label."""
    marginals = coincidences.sum(axis=-1)
    total = marginals.sum(axis=-1)
    distance = difference(marginals, values, level)
    observed = (coincidences * distance).sum(axis=(-2, -1))
    expected = np.einsum("bi,bij,bj->b", marginals, distance, marginals)
    return 1 - ratio((total - 1) * observed, expected)


def different(coincidences: Floats) -> Floats:
    """The share of paired ratings that differ."""
    total = coincidences.sum(axis=(-2, -1))
    return ratio(total - np.trace(coincidences, axis1=-2, axis2=-1), total)


def chance_difference(coincidences: Floats) -> Floats:
    """The share of pairs that would differ by chance, from the marginals."""
    shares = ratio(coincidences.sum(axis=-1), coincidences.sum(axis=(-2, -1))[..., np.newaxis])
    return floats(1 - (shares**2).sum(axis=-1))


def difference(marginals: Floats, values: Floats, level: Level) -> Floats:
    """δ² between labels, (replicates or 1, labels, labels); the ordinal one uses the frequency of each label."""
    if level == "nominal":
        return (1 - np.eye(len(values)))[np.newaxis]
    if level == "ratio":
        share = ratio(np.subtract.outer(values, values), np.add.outer(values, values))
        return np.nan_to_num(share)[np.newaxis] ** 2
    place = np.cumsum(marginals, axis=-1) - marginals / 2 if level == "ordinal" else values[np.newaxis]
    return floats((place[:, :, np.newaxis] - place[:, np.newaxis, :]) ** 2)


def measured_ratings(value: Floats, item: Ints, cluster: Ints) -> Evidence:
    """Evidence for α of measurements, without a table of labels: (ratings,) values and items, (items,) clusters.

    Statistics: ratings, Σ of values, Σ of squares, and the sum over items of
    (ratings · Σ of squares − squared Σ) / (ratings − 1).
    """
    shifted = value - np.partition(value, len(value) // 2)[len(value) // 2] if len(value) else value
    number, plain, square = (
        floats(np.bincount(item, weights=power, minlength=len(cluster))) for power in (shifted**0, shifted, shifted**2)
    )
    kept = number >= 2
    number, plain, square = number[kept], plain[kept], square[kept]
    return sums([number, plain, square, (number * square - plain**2) / (number - 1)], cluster[kept])


def interval_alpha(totals: Floats) -> Floats:
    """Interval α of (replicates, 4) totals of ``measured_ratings``."""
    ratings, plain, square, within = np.moveaxis(totals, -1, 0)
    return 1 - ratio((ratings - 1) * within, spread(square, plain, ratings))


def interval_alpha_of_moments(totals: Floats) -> Floats:
    """Interval α of two raters from the sums of ``moment.moments``."""
    count, plain = 2 * totals[:, COUNT], totals[:, X] + totals[:, Y]
    return 1 - ratio((count - 1) * totals[:, SQUARED], spread(totals[:, XX] + totals[:, YY], plain, count))


MEASURED_ALPHA = Metric("krippendorff_alpha_interval", interval_alpha, CONSTANT, "disagreement", nominal=False)
MOMENT_ALPHA = Metric("krippendorff_alpha_interval", interval_alpha_of_moments, CONSTANT, "disagreement", nominal=False)


def krippendorff_metrics(scale: LabelScale) -> list[Metric]:
    """Nominal always; ordinal and interval if labels are ordered; ratio if no value is below 0."""
    usable: tuple[Level, ...] = ("nominal",)
    if scale.values is not None:
        usable = LEVELS if min(scale.values) >= 0 else ("nominal", "ordinal", "interval")
    return [
        Metric(
            f"krippendorff_alpha_{level}",
            partial(krippendorff_alpha, values=scale.numbers, level=level),
            CONSTANT,
            "disagreement",
            trials=lambda table: table.sum(axis=(-2, -1)) / 2,
            observed=different,
            expected=chance_difference if level == "nominal" or scale.size == 2 else None,
            nominal=level == "nominal" or scale.size == 2,
        )
        for level in usable
    ]
