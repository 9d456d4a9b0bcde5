"""Length monitors: the rank correlation of reward and length, and the growth of lengths."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import expm1, log, log1p, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from judge_server.core.monitor import MonitorFinding, MonitorLimits, State
from judge_server.monitoring.clustered import MeanEstimate, Numbers, probability_of_change, sample, two_sided
from judge_server.monitoring.clustered import estimate as mean_of
from judge_server.monitoring.deciding import Frame, finding
from judge_server.store.observation import Observed, Windows
from judge_server.util.concurrency import cooperatively

_BLOCKS: Final = 50
_NOTHING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Correlation:
    """``error``: its standard error; ``blocks``: the number of jackknife blocks."""

    value: float
    error: float
    blocks: int

    @property
    def degrees(self) -> int:
        return self.blocks - 1


def correlation(first: Sequence[float], second: Sequence[float], clusters: Sequence[str]) -> Correlation | None:
    """Computed within prompts that have several rollouts, since advantages are: ranks over all rows, less their mean
    over the prompt. None if one of the two is constant, or there are fewer than five prompts.

    The error is that of the grouped jackknife: whole prompts are assigned to at most 50 blocks, and the correlation is
    computed without each.
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
    """Pearson's correlation of the ranks (ties have their mean rank) less their means over ``within``; None if one is
    constant."""
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


def reward_length(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[MonitorFinding]:
    """Spearman's correlation of reward and length in characters within prompts, recent and before."""
    before, after = ([one for one in rows if one.reward is not None] for rows in (windows.baseline, windows.recent))
    old, new = _correlated(before), _correlated(after)
    if min(len(before), len(after)) < frame.least or old is None or new is None:
        return [frame.too_little("Rewards and lengths that vary", len(after), len(before))]
    degrees = min(old.degrees, new.degrees)
    error = sqrt(old.error**2 + new.error**2)
    p = two_sided((new.value - old.value) / error, degrees) if error else float(new.value == old.value)
    grown = new.value - old.value >= limits.correlation_rise and new.value > 0
    state: State = "alarm" if grown and p <= frame.level else "ok"
    spread = 1.96 * new.error
    now = MeanEstimate(new.value, max(new.value - spread, -1.0), min(new.value + spread, 1.0), len(after), new.blocks)
    text = f"Reward and length correlate at {new.value:+.2f} ({old.value:+.2f} before)."
    if state == "alarm":
        text += (
            " Length has begun to pay: read the longest of the highly rewarded responses, and add a criterion against "
            "padding or a length term to the rubric's aggregation."
        )
    return [finding(frame, state, now, old.value, len(before), p, text)]


def length_growth(frame: Frame, windows: Windows, limits: MonitorLimits) -> list[MonitorFinding]:
    """The geometric mean of the length in characters, recent and before."""
    before, after = (
        sample([log1p(one.characters) for one in rows], [one.cluster for one in rows])
        for rows in (windows.baseline, windows.recent)
    )
    if not frame.enough(before, after):
        return [frame.too_little("Responses", after.n, before.n)]
    p = probability_of_change(before, after)
    changed = abs(after.mean - before.mean) >= log(limits.length_growth)
    state: State = "alarm" if changed and p <= frame.level else "ok"
    logs = mean_of(after)
    now = MeanEstimate(expm1(logs.value), expm1(logs.low), expm1(logs.high), logs.n, logs.clusters)
    was = expm1(before.mean)
    text = f"A typical response has {now.value:,.0f} characters ({was:,.0f} before)."
    if state == "alarm" and after.mean > before.mean:
        text += " Responses grow: see whether they say more or only take longer, and whether reward_length rises too."
    elif state == "alarm":
        text += " Responses shrink: see whether they still answer, and whether something punishes length."
    return [finding(frame, state, now, was, before.n, p, text)]


def _correlated(rows: Sequence[Observed]) -> Correlation | None:
    rewards = [one.reward for one in rows if one.reward is not None]
    return correlation(rewards, [float(one.characters) for one in rows], [one.cluster for one in rows])
