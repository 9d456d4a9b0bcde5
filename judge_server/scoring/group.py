"""Rollouts of one prompt: their rewards beside each other."""

from collections.abc import Sequence
from math import fsum, hypot, sqrt

from judge_server.core.model import Frozen

_ZERO = 1e-8


class GroupStatistics(Frozen):
    """Over the rewards that are not None: ``count``, ``mean`` and population ``std``.

    ``zero_variance`` says that the group teaches nothing (also with fewer than two rewards). ``advantages``, in the
    order of the responses, are (reward - mean) / (std + 1e-4) as GRPO normalises (Shao et al. 2024, 2402.03300), and
    None where there is no reward.
    """

    count: int
    mean: float | None
    std: float | None
    zero_variance: bool
    advantages: tuple[float | None, ...] | None = None


def group_statistics(rewards: Sequence[float | None], *, advantages: bool = False) -> GroupStatistics:
    known = [reward for reward in rewards if reward is not None]
    if not known:
        nothing = tuple(None for _ in rewards) if advantages else None
        return GroupStatistics(count=0, mean=None, std=None, zero_variance=True, advantages=nothing)
    mean = _mean(known)
    std = hypot(*(reward - mean for reward in known)) / sqrt(len(known))
    normalised = tuple(None if reward is None else (reward - mean) / (std + 1e-4) for reward in rewards)
    return GroupStatistics(
        count=len(known),
        mean=mean,
        std=std,
        zero_variance=len(known) < 2 or std < _ZERO,
        advantages=normalised if advantages else None,
    )


def _mean(rewards: Sequence[float]) -> float:
    if min(rewards) == max(rewards):
        return rewards[0]
    try:
        return fsum(rewards) / len(rewards)
    except OverflowError:
        return fsum(reward / len(rewards) for reward in rewards)
