"""Report on a group besides its judgments: statistics of the rewards, advantages, the comparison."""

from collections.abc import Sequence
from math import fsum, hypot, sqrt
from typing import Literal

from judge_server.core.judgment import JudgeReference, Usage
from judge_server.core.model import Frozen
from judge_server.core.run import equal_rewards
from judge_server.core.verdict import Failure
from judge_server.judging.relative.comparison import Kind

AdvantageKind = Literal["grpo", "dr_grpo", "rloo"]
_EPSILON = 1e-4


class Statistics(Frozen):
    """Over the rewards that are not None: ``count``, ``mean`` and population ``std``. ``zero_variance``: the group
    gives no learning signal: its rewards are equal to float32, or fewer than two."""

    count: int
    mean: float | None
    std: float | None
    zero_variance: bool


class Comparisons(Frozen):
    """``presentations`` were shown to the judge and ``read`` of them could be read; ``pairs`` were shown in both
    orders, ``inconsistent`` of them with a different winner in each."""

    presentations: int
    read: int
    pairs: int
    inconsistent: int


class RelativeReport(Frozen):
    """``rewards`` in [0, 1], ``ranks`` (1 is best) and ``failures`` in the order of the request's responses."""

    kind: Kind
    judge: JudgeReference | None
    rewards: tuple[float | None, ...]
    ranks: tuple[int | None, ...]
    failures: tuple[Failure | None, ...]
    position_consistency: float | None
    comparisons: Comparisons
    usage: Usage


class GroupReport(Statistics):
    """Statistics of the whole cohort; ``advantages`` and ``relative`` about this request's own responses."""

    advantages: tuple[float | None, ...] | None = None
    expected: int
    collected: int
    complete: bool
    relative: RelativeReport | None = None


def statistics(rewards: Sequence[float | None]) -> Statistics:
    known = _known(rewards)
    if not known:
        return Statistics(count=0, mean=None, std=None, zero_variance=True)
    equal = len(known) < 2 or equal_rewards(min(known), max(known))
    return Statistics(count=len(known), mean=_mean(known), std=_deviation(known), zero_variance=equal)


def advantages(rewards: Sequence[float | None], kind: AdvantageKind) -> tuple[float | None, ...]:
    """In the order of the rewards; None for a missing reward, which no mean includes.

    ``grpo``: (reward - mean) / (std + 1e-4) (Shao et al. 2024, 2402.03300); ``dr_grpo``: reward - mean (Liu et al.
    2025, 2503.20783); ``rloo``: reward - mean of the others (Ahmadian et al. 2024, 2402.14740), 0 if there are none.
    """
    known = _known(rewards)
    if not known:
        return tuple(None for _ in rewards)
    mean = _mean(known)
    scale = 1.0
    if kind == "grpo":
        scale = _deviation(known) + _EPSILON
    elif kind == "rloo":
        scale = (len(known) - 1) / len(known) or 1.0  # r - mean of the others = (r - mean) * n / (n - 1)
    return tuple(None if reward is None else (reward - mean) / scale for reward in rewards)


def _known(rewards: Sequence[float | None]) -> list[float]:
    return [reward for reward in rewards if reward is not None]


def _deviation(rewards: Sequence[float]) -> float:
    mean = _mean(rewards)
    return hypot(*(reward - mean for reward in rewards)) / sqrt(len(rewards))


def _mean(rewards: Sequence[float]) -> float:
    if min(rewards) == max(rewards):
        return rewards[0]
    try:
        return fsum(rewards) / len(rewards)
    except OverflowError:
        return fsum(reward / len(rewards) for reward in rewards)
