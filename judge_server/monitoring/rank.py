"""Spearman's rank correlation, with an interval from leaving prompts out."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

from judge_server.monitoring.clustered import Numbers

_BLOCKS: Final = 50


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
    """None where one of the two never varies, or there are fewer than five prompts.

    The error is that of the grouped jackknife: whole prompts are dealt out to at most 50 blocks, and the correlation is
    taken without each.
    """
    own, other = (np.asarray(values, dtype=np.float64) for values in (first, second))
    names = sorted(set(clusters))
    blocks = min(_BLOCKS, len(names))
    if blocks < 5:
        return None
    place = {name: number % blocks for number, name in enumerate(names)}
    dealt = np.array([place[cluster] for cluster in clusters])
    value = spearman(own, other)
    parts = [spearman(own[dealt != block], other[dealt != block]) for block in range(blocks)]
    if value is None or any(part is None for part in parts):
        return None
    left = np.array(parts, dtype=np.float64)
    variance = (blocks - 1) / blocks * float(((left - left.mean()) ** 2).sum())
    return Correlation(value, sqrt(variance), blocks)


def spearman(first: Numbers, second: Numbers) -> float | None:
    """Pearson's correlation of the ranks, ties having their mean rank; None where one never varies."""
    one, two = _ranks(first), _ranks(second)
    one, two = one - one.mean(), two - two.mean()
    spread = sqrt(float(one @ one) * float(two @ two))
    return float(one @ two) / spread if spread > 0 else None


def _ranks(values: Numbers) -> Numbers:
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Numbers = (last - (counts - 1) / 2)[places]
    return ranks
