"""Listwise comparison: all candidates in one list, each scored relative to the others (as in RULER), in several orders.

Every order is also shown reversed, and the mean of the two counts. A group that is too large for one list is split into
several that share two candidates, the anchors; the scores of each list are shifted so that its anchors have the mean
that they have over all lists.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import fsum
from random import Random

from judge_server.core.verdict import Failure
from judge_server.judging.relative.comparison import Shown
from judge_server.judging.relative.standing import Answers, Contest, RelativeStanding, absence, lone, opposed, read_both

_ANCHORS = 2


@dataclass(frozen=True, slots=True)
class Listwise:
    """``characters``: maximum total characters of the candidates in one list, None if the judge's context is unknown;
    ``lengths``: of the candidates."""

    orders: int
    per_list: int
    lengths: tuple[int, ...]
    characters: int | None = None

    def presentations(self, contest: Contest) -> tuple[Shown, ...]:
        return tuple(order for both in self._lists(contest) for one in both for order in (one, one[::-1]))

    def standing(self, contest: Contest, answers: Answers) -> RelativeStanding:
        if contest.size == 1:
            return lone(contest)
        pairs = inconsistent = 0
        scored: list[dict[int, float]] = []
        for orders in self._lists(contest):
            columns: dict[int, list[float]] = {place: [] for place in orders[0]}
            for shown in orders:
                both = read_both(answers, shown)
                if both is None:
                    continue
                for place, *scores in zip(shown, *both, strict=True):
                    columns[place] += scores
                for one, other in combinations(range(len(shown)), 2):
                    pairs += 1
                    inconsistent += opposed(both[0][one] - both[0][other], both[1][one] - both[1][other])
            scored.append({place: fsum(column) / len(column) for place, column in columns.items() if column})
        rewards = _aligned(contest.size, scored)
        failures = tuple(
            None if reward is not None else self._absence(contest, answers, place)
            for place, reward in enumerate(rewards)
        )
        return RelativeStanding(rewards, failures, pairs, inconsistent)

    def _absence(self, contest: Contest, answers: Answers, place: int) -> Failure:
        return absence(answers.get(shown) for shown in self.presentations(contest) if place in shown)

    def _lists(self, contest: Contest) -> Iterator[tuple[Shown, ...]]:
        """The orders of each list, without their reverses."""
        if contest.size < 2:
            return
        draw = Random(contest.seed)  # noqa: S311 - reproducible orders; not security relevant
        places = list(range(contest.size))
        draw.shuffle(places)
        for chunk in self._chunks(places):
            orders: list[Shown] = []
            for _ in range(self.orders // 2):
                if not {tuple(chunk), tuple(reversed(chunk))} & set(orders):
                    orders.append(tuple(chunk))
                draw.shuffle(chunk)
            yield tuple(orders)

    def _chunks(self, places: list[int]) -> Iterator[list[int]]:
        if self._fits(places) or len(places) <= _ANCHORS + 1:
            yield places
            return
        anchors, rest = places[:_ANCHORS], places[_ANCHORS:]
        lists = -(-len(rest) // (self.per_list - _ANCHORS))
        for start in range(lists):
            yield from self._halved(anchors, rest[start::lists])

    def _halved(self, anchors: list[int], some: list[int]) -> Iterator[list[int]]:
        if len(some) == 1 or self._fits([*anchors, *some]):
            yield [*anchors, *some]
        else:
            yield from self._halved(anchors, some[::2])
            yield from self._halved(anchors, some[1::2])

    def _fits(self, places: list[int]) -> bool:
        characters = sum(self.lengths[place] for place in places)
        return len(places) <= self.per_list and (self.characters is None or characters <= self.characters)


def _aligned(size: int, lists: Sequence[dict[int, float]]) -> tuple[float | None, ...]:
    """The scores of several lists on one scale; None for candidates that no list scored. Candidates in all lists are
    the anchors."""
    read = [scores for scores in lists if scores]
    anchors = set.intersection(*(set(scores) for scores in read)) if len(read) > 1 else set[int]()
    means = [fsum(scores[anchor] for anchor in anchors) / len(anchors) if anchors else 0.0 for scores in read]
    mean = fsum(means) / len(means) if means else 0.0
    columns: list[list[float]] = [[] for _ in range(size)]
    for scores, own in zip(read, means, strict=True):
        for place, score in scores.items():
            columns[place].append(score + mean - own)
    return tuple(min(max(fsum(column) / len(column), 0.0), 1.0) if column else None for column in columns)
