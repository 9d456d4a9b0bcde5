"""Fleiss' κ and raw agreement for any number of raters, also where items have different numbers of them.

Fleiss (1971), Psychol. Bull. 76:378, as generalised to missing ratings by Gwet (2014), ch. 2. With two raters it is
Scott's π.
"""

import numpy as np

from judge_server.agreement.array import Floats, floats, ratio
from judge_server.agreement.metric import Metric
from judge_server.agreement.pair import diagonal

CONSTANT = "every rating is the same label"


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


RAW_AGREEMENT = Metric("raw_agreement", raw_agreement, "no item has two ratings", trials=items)
FLEISS_KAPPA = Metric("fleiss_kappa", fleiss_kappa, CONSTANT)
