"""Pairs of criteria whose verdicts nearly always agree, or nearly always differ: one of them is enough.

Agreement is Cohen's κ, because two criteria that are both nearly always met agree without being alike. Its interval is
that of every κ here (``agreement.interval``), at a level that holds for all pairs together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from judge_server.agreement.array import Ints, numbered
from judge_server.agreement.catalogue import table_metrics
from judge_server.agreement.contingency import pair_table
from judge_server.agreement.interval import estimate
from judge_server.agreement.metric import Estimate
from judge_server.agreement.resampling import Resampling
from judge_server.agreement.scale import LabelScale
from judge_server.store.observation import Observed

LEAST_KAPPA: Final = 0.8
_LEVEL: Final = 0.05
_KAPPA: Final = next(one for one in table_metrics(LabelScale.of(("no", "yes"))) if one.name == "cohen_kappa")


@dataclass(frozen=True, slots=True)
class AlikePair:
    """``first`` and ``second`` agree on ``agreed`` of ``n`` responses; ``opposite``: they differ instead, and ``kappa``
    is that of the one with the other turned round."""

    first: str
    second: str
    kappa: Estimate
    agreed: int
    n: int
    opposite: bool


def alike_pairs(rows: Sequence[Observed], criteria: Sequence[str]) -> list[AlikePair]:
    """Pairs of yes-or-no ``criteria`` whose κ is shown to be at least ``LEAST_KAPPA``, closest first."""
    cluster, _ = numbered(one.cluster for one in rows)
    codes = {name: _codes(rows, name) for name in criteria}
    yes_or_no = [name for name, own in codes.items() if own is not None]
    pairs = list(combinations(yes_or_no, 2))
    found = [
        pair
        for first, second in pairs
        for opposite in (False, True)
        if (pair := _pair(first, second, codes, cluster, opposite=opposite, pairs=2 * len(pairs)))
    ]
    return sorted(found, key=lambda one: -(one.kappa.value or 0.0))


def _codes(rows: Sequence[Observed], name: str) -> Ints | None:
    """0 and 1, -1 without a verdict; None for a scale."""
    scores = [one.scores.get(name, -1.0) for one in rows]
    return np.asarray(scores, dtype=np.int64) if set(scores) <= {-1.0, 0.0, 1.0} else None


def _pair(
    first: str, second: str, codes: dict[str, Ints | None], cluster: Ints, *, opposite: bool, pairs: int
) -> AlikePair | None:
    left, right = codes[first], codes[second]
    if left is None or right is None:
        return None
    turned = np.where(right < 0, -1, 1 - right) if opposite else right
    both = (left >= 0) & (turned >= 0)
    if not both.any():
        return None
    evidence = pair_table(left, turned, cluster, 2)
    if not float(_KAPPA.value(evidence.total())[0]) >= LEAST_KAPPA:
        return None
    kappa = estimate(evidence, [_KAPPA], Resampling(confidence=1 - _LEVEL / pairs))[_KAPPA.name]
    if kappa.low is None or kappa.low < LEAST_KAPPA:
        return None
    agreed = int((left == right)[both].sum())
    return AlikePair(first, second, kappa, agreed, int(both.sum()), opposite)
