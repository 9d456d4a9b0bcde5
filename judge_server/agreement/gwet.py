"""Gwet's AC1 and AC2: chance agreement that does not explode when one label is rare.

Gwet (2008), Br. J. Math. Stat. Psychol. 61:29; weighted and with missing ratings: Gwet (2014), chs. 3 and 5.
"""

from functools import partial

import numpy as np

from judge_server.agreement.array import Floats, ratio
from judge_server.agreement.fleiss import prevalence
from judge_server.agreement.metric import Metric
from judge_server.agreement.scale import Scale
from judge_server.agreement.weighting import Weighting, disagreement

WEIGHTINGS: dict[str, Weighting] = {
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
    pairs, shares = totals[:, :-1], prevalence(totals)
    observed = ratio(np.einsum("bij,ij->b", pairs, agreement), pairs.sum(axis=(-2, -1)))
    chance = agreement.sum() * (shares * (1 - shares)).sum(axis=-1) / (labels * (labels - 1))
    return ratio(observed - chance, 1 - chance)


def gwet_metrics(scale: Scale) -> list[Metric]:
    weightings: dict[str, Weighting] = {"gwet_ac1": "nominal"}
    if scale.values is not None:
        weightings |= WEIGHTINGS
    reason = "the scale has a single label, or no item has two ratings"
    return [
        Metric(name, partial(gwet_ac, distance=disagreement(scale.numbers, weighting)), reason)
        for name, weighting in weightings.items()
    ]
