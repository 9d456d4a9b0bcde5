"""Chance-corrected agreement on labels: the κ of Cohen and of Fleiss, and Gwet's AC.

Cohen's κ, plain and weighted: Cohen (1960), Educ. Psychol. Meas. 20:37, and (1968), Psychol. Bull. 70:213. Fleiss' κ
and raw agreement for any number of raters: Fleiss (1971), Psychol. Bull. 76:378, generalised to missing ratings by Gwet
(2014), Handbook of Inter-Rater Reliability, 4th ed., ch. 2; with two raters it is Scott's π. AC1 and AC2, whose chance
agreement stays small if one label is rare: Gwet (2008), Br. J. Math. Stat. Psychol. 61:29; weighted and with missing
ratings: Gwet (2014), chs. 3 and 5.
"""

from functools import partial
from typing import Literal

import numpy as np

from judge_server.agreement.array import Floats, floats, ratio, where_defined
from judge_server.agreement.contingency import diagonal, margins, not_commonest
from judge_server.agreement.metric import Metric
from judge_server.agreement.scale import LabelScale

Weighting = Literal["nominal", "ordinal", "linear", "quadratic"]


def disagreement(values: Floats, weighting: Weighting) -> Floats:
    """(labels, labels) distances in [0, 1]: 0 on the diagonal, 1 for the furthest labels.

    ``ordinal`` counts the pairs of labels from one to the other, C(|i−j|+1, 2), and uses only their order (Gwet 2014,
    table 3.A.2).
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


COHEN_CONSTANT = "one side gave a single label, so κ is undefined"


def cohen_kappa(table: Floats, distance: Floats) -> Floats:
    """1 − observed / expected disagreement of (replicates, labels, labels); nan where either side is constant.

    With one constant side κ is 0 by construction for any judge, so it measures nothing.
    """
    rows, columns, total = margins(table)
    observed = total * np.einsum("bij,ij->b", table, distance)
    expected = np.einsum("bi,ij,bj->b", rows, distance, columns)
    varied = (rows.max(axis=-1) < total) & (columns.max(axis=-1) < total)
    return where_defined(1 - ratio(observed, expected), varied)


def chance_disagreement(table: Floats, distance: Floats) -> Floats:
    """The mean distance of two labels drawn from the margins: (replicates,)."""
    rows, columns, total = margins(table)
    return ratio(np.einsum("bi,ij,bj->b", rows, distance, columns), total**2)


def cohen_metrics(scale: LabelScale) -> list[Metric]:
    weightings: dict[str, Weighting] = {"cohen_kappa": "nominal"}
    if scale.values is not None:
        weightings |= {"cohen_kappa_linear": "linear", "cohen_kappa_quadratic": "quadratic"}
    return [
        Metric(
            name,
            partial(cohen_kappa, distance=disagreement(scale.numbers, weighting)),
            COHEN_CONSTANT,
            "disagreement",
            trials=lambda table: margins(table)[2],
            observed=lambda table: ratio(margins(table)[2] - diagonal(table).sum(axis=-1), margins(table)[2]),
            expected=partial(chance_disagreement, distance=disagreement(scale.numbers, weighting)),
            nominal=weighting == "nominal" or scale.size == 2,
            rarer=not_commonest,
        )
        for name, weighting in weightings.items()
    ]


FLEISS_CONSTANT = "every rating is the same label"


def raw_agreement(totals: Floats) -> Floats:
    """Mean over items of the share of rater pairs that agree; totals as in ``item_coincidences``."""
    pairs = totals[:, :-1]
    return ratio(diagonal(pairs).sum(axis=-1), pairs.sum(axis=(-2, -1)))


def prevalence(totals: Floats) -> Floats:
    """Mean over items of the share of ratings on each label: (replicates, labels)."""
    return ratio(totals[:, -1], totals[:, -1].sum(axis=-1, keepdims=True))


def fleiss_kappa(totals: Floats) -> Floats:
    shares = totals[:, -1]
    constant = np.isclose(shares.max(axis=-1), shares.sum(axis=-1), rtol=1e-12, atol=0)
    chance = (prevalence(totals) ** 2).sum(axis=-1)
    return ratio(raw_agreement(totals) - chance, np.where(constant, 0, 1 - chance))


def items(totals: Floats) -> Floats:
    return floats(totals[:, :-1].sum(axis=(-2, -1)))


RAW_AGREEMENT = Metric("raw_agreement", raw_agreement, "no item has two ratings", "proportion", trials=items)
FLEISS_KAPPA = Metric(
    "fleiss_kappa",
    fleiss_kappa,
    FLEISS_CONSTANT,
    "disagreement",
    trials=items,
    observed=lambda totals: 1 - raw_agreement(totals),
    expected=lambda totals: floats(1 - (prevalence(totals) ** 2).sum(axis=-1)),
)


AC2_WEIGHTINGS: dict[str, Weighting] = {
    "gwet_ac2_linear": "linear",
    "gwet_ac2_quadratic": "quadratic",
    "gwet_ac2_ordinal": "ordinal",
}


def gwet_ac(totals: Floats, distance: Floats) -> Floats:
    """AC of ``item_coincidences`` totals (replicates, labels + 1, labels); nan for a scale of one label."""
    agreement = 1 - distance
    labels = len(distance)
    if labels < 2:
        return np.full(len(totals), np.nan)
    pairs = totals[:, :-1]
    observed = ratio(np.einsum("bij,ij->b", pairs, agreement), pairs.sum(axis=(-2, -1)))
    chance = 1 - gwet_chance(totals, distance)
    return ratio(observed - chance, 1 - chance)


def gwet_chance(totals: Floats, distance: Floats) -> Floats:
    """The chance disagreement in AC: (replicates,)."""
    labels, shares = len(distance), prevalence(totals)
    agreement = (1 - distance).sum()
    return floats(1 - agreement * (shares * (1 - shares)).sum(axis=-1) / max(labels * (labels - 1), 1))


def gwet_metrics(scale: LabelScale) -> list[Metric]:
    weightings: dict[str, Weighting] = {"gwet_ac1": "nominal"}
    if scale.values is not None:
        weightings |= AC2_WEIGHTINGS
    reason = "the scale has a single label, or no item has two ratings"
    return [
        Metric(
            name,
            partial(gwet_ac, distance=disagreement(scale.numbers, weighting)),
            reason,
            "disagreement",
            trials=items,
            observed=lambda totals: 1 - raw_agreement(totals),
            expected=partial(gwet_chance, distance=disagreement(scale.numbers, weighting)),
            nominal=weighting == "nominal" or scale.size == 2,
        )
        for name, weighting in weightings.items()
    ]
