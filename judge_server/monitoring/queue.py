"""Draws judgments for people to label: suspicious ones are oversampled, and each draw has a weight."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from math import ceil

from judge_server.core.audit_queue import Framed, QueueItem, Sizes, Stratum
from judge_server.util.canonical import stable_hash


def draw(
    frame: Sequence[Framed], disagreeing: Collection[str], sizes: Sizes, salt: str, now: datetime
) -> tuple[QueueItem, ...]:
    """A stratified random sample with equal probabilities within a stratum. The strata are disjoint and each item has
    its weight, so weighted means estimate those of the whole frame."""
    strata: dict[Stratum, list[str]] = defaultdict(list)
    high = _highest_tenth(frame)
    for one in frame:
        strata[_stratum(one, disagreeing, high)].append(one.id)
    items: list[QueueItem] = []
    for stratum, ids in strata.items():
        wanted: int = getattr(sizes, stratum)
        chosen = sorted(ids, key=lambda name: (stable_hash(name, salt), name))[:wanted]
        weight = len(ids) / max(len(chosen), 1)
        items += [
            QueueItem(
                judgment=name,
                stratum=stratum,
                weight=weight,
                population=len(ids),
                sampled=len(chosen),
                drawn_at=now,
            )
            for name in chosen
        ]
    return tuple(sorted(items, key=lambda item: stable_hash(item.judgment, f"{salt}\x1forder")))


def _stratum(one: Framed, disagreeing: Collection[str], high: float) -> Stratum:
    if one.id in disagreeing:
        return "disagreement"
    if one.flagged:
        return "flagged"
    return "high_reward" if one.reward >= high else "random"


def _highest_tenth(frame: Sequence[Framed]) -> float:
    """The lowest reward in the highest tenth."""
    rewards = sorted((one.reward for one in frame), reverse=True)
    return rewards[ceil(len(rewards) / 10) - 1] if rewards else 0.0
