"""Spearman's rank correlation, with an interval from leaving prompts out."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from judge_server.monitoring.clustered import Numbers
from judge_server.util.cooperative import cooperatively

_BLOCKS: Final = 50
_NOTHING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Correlation:
    """``error``: its standard error; ``blocks``: how many parts it was measured without."""

    value: float
    error: float
    blocks: int

    @property
    def degrees(self) -> int:
        return self.blocks - 1


def correlation(first: Sequence[float], second: Sequence[float], clusters: Sequence[str]) -> Correlation | None:
    """Within prompts where they have several rollouts, for that is what advantages are made of: ranks over all rows,
    less their mean over the prompt. None where one of the two never varies, or there are fewer than five prompts.

    The error is that of the grouped jackknife: whole prompts are dealt out to at most 50 blocks, and the correlation is
    taken without each.
    """
    own, other = (np.asarray(values, dtype=np.float64) for values in (first, second))
    names, places = np.unique(np.asarray(clusters, dtype=object).astype(str), return_inverse=True)
    blocks = min(_BLOCKS, len(names))
    if blocks < 5:
        return None
    prompts = places if len(own) >= 2 * len(names) else np.zeros(len(own), dtype=np.intp)
    dealt = places % blocks
    value = spearman(own, other, prompts)
    parts = [
        spearman(*(column[dealt != block] for column in (own, other, prompts)))
        for block in cooperatively(range(blocks))
    ]
    if value is None or any(part is None for part in parts):
        return None
    left = np.array(parts, dtype=np.float64)
    variance = (blocks - 1) / blocks * float(((left - left.mean()) ** 2).sum())
    return Correlation(value, sqrt(variance), blocks)


def spearman(first: Numbers, second: Numbers, within: NDArray[np.intp]) -> float | None:
    """Pearson's correlation of the ranks (ties have their mean rank) less their means over ``within``; None where one
    never varies."""
    one, two = (_centred(_ranks(values), within) for values in (first, second))
    spread = sqrt(float(one @ one) * float(two @ two))
    return float(one @ two) / spread if spread > _NOTHING else None


def _ranks(values: Numbers) -> Numbers:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Numbers = (last - (counts - 1) / 2)[places]
    return ranks


def _centred(ranks: Numbers, within: NDArray[np.intp]) -> Numbers:
    counts = np.maximum(np.bincount(within), 1)
    centred: Numbers = ranks - (np.bincount(within, ranks) / counts)[within]
    return centred
