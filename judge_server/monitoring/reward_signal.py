"""Which criteria move the reward: the share of its variance that each carries.

A reward of points is a sum of contributions, ``points * value / possible points``. The covariance of a contribution
with the reward, over the reward's variance, adds up to 1 over all criteria if nothing else touches the reward; what is
left is done by gates, clipping, conditions and other aggregations. Rewards are compared with their prompt's mean,
because a trainer's advantage is; without a prompt that has two rewards, with the mean of all. The share is a ratio of
sums over prompts, and so is its interval (``clustered.estimate``).
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from statistics import fmean

from judge_server.monitoring.clustered import Sample, sample
from judge_server.store.observation import Observed


@dataclass(frozen=True, slots=True)
class RewardSignal:
    """``shares`` by criterion, as samples whose mean is the share; ``rest``: what no criterion carries. ``within``:
    whether rewards were compared within prompts. Without shares if no two rewards differ."""

    shares: Mapping[str, Sample]
    rest: float
    within: bool


def reward_signal(rows: Sequence[Observed]) -> RewardSignal:
    """From judgments with a reward under one rubric."""
    rewarded = [one for one in rows if one.reward is not None and one.scores]
    by_prompt: dict[str, list[Observed]] = defaultdict(list)
    for one in rewarded:
        by_prompt[one.cluster].append(one)
    groups = [group for group in by_prompt.values() if len(group) > 1]
    within = bool(groups)
    found = _centred(groups if within else [rewarded] if rewarded else [])
    total = fsum(reward**2 for _, reward, _ in found)
    if total <= 1e-12:
        return RewardSignal({}, 0.0, within)
    prompts = [prompt for prompt, _, _ in found]
    squares = [reward**2 for _, reward, _ in found]
    criteria = dict.fromkeys(name for _, _, parts in found for name in parts)
    shares = {
        name: sample([parts.get(name, 0.0) * reward for _, reward, parts in found], prompts, squares)
        for name in criteria
    }
    return RewardSignal(shares, 1 - fsum(one.mean for one in shares.values()), within)


_Part = tuple[str, float, dict[str, float]]


def _centred(groups: Sequence[Sequence[Observed]]) -> list[_Part]:
    """Prompt, reward and contributions of each judgment, less the means of its group."""
    found: list[_Part] = []
    for group in groups:
        parts = [_contributions(one) for one in group]
        names = dict.fromkeys(name for one in parts for name in one)
        means = {name: fmean(one.get(name, 0.0) for one in parts) for name in names}
        mean = fmean(one.reward or 0.0 for one in group)
        found += [
            (one.cluster, (one.reward or 0.0) - mean, {name: own.get(name, 0.0) - means[name] for name in names})
            for one, own in zip(group, parts, strict=True)
        ]
    return found


def _contributions(one: Observed) -> dict[str, float]:
    possible = fsum(max(one.points[name], 0.0) for name in one.values) or 1.0
    return {name: one.points[name] * value / possible for name, value in one.values.items()}
