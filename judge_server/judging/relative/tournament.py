"""Pairwise comparison: each pair is asked in both orders; Bradley-Terry strengths fitted to the results give rewards.

A pair whose two orders name different winners counts as a tie. A pair that was not read in both
orders is missing, not lost.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import fsum
from random import Random

import numpy as np

from judge_server.core.verdict import Failure
from judge_server.judging.relative.comparison import Shown
from judge_server.judging.relative.standing import Answers, Contest, RelativeStanding, absence, lone, opposed, read_both

PRIOR = 0.1
_MOST_STEPS = 2_000
_TOLERANCE = 1e-9
_Floats = np.ndarray[tuple[int], np.dtype[np.float64]]


def strengths(size: int, games: Mapping[tuple[int, int], float]) -> _Floats:
    """Positive strengths s, shape (size,), with P(i beats j) = s_i / (s_i + s_j).

    ``games``: for each pair that met, the share in [0, 1] of the first; a half is a tie. Every player also ties
    ``PRIOR`` games with a player of strength 1, so that who won or lost all of its games has a finite strength.
    Fitted by minorisation and maximisation (Hunter 2004).
    """
    first = np.array([pair[0] for pair in games], dtype=np.int64)
    second = np.array([pair[1] for pair in games], dtype=np.int64)
    share = np.array(list(games.values()), dtype=np.float64)
    won = PRIOR / 2 + np.bincount(first, share, size) + np.bincount(second, 1 - share, size)
    found = np.ones(size)
    for _ in range(_MOST_STEPS):
        met = 1 / (found[first] + found[second])
        expected = PRIOR / (found + 1) + np.bincount(first, met, size) + np.bincount(second, met, size)
        better = won / expected
        moved = float(np.max(np.abs(np.log(better / found)), initial=0.0))
        found = better
        if moved < _TOLERANCE:
            break
    return found


Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tournament:
    """All pairs, up to ``opponents`` + 1 candidates. Beyond that, candidates form a random ring, and each meets those
    at the same few distances on either side, its neighbours included: equally many games for all, in a connected
    graph."""

    opponents: int

    def presentations(self, contest: Contest) -> tuple[Shown, ...]:
        return tuple(shown for pair in self._pairs(contest) for shown in (pair, pair[::-1]))

    def standing(self, contest: Contest, answers: Answers) -> RelativeStanding:
        """The reward of a candidate is its mean probability of beating another member of the group by the fitted
        strengths: a member with the same text is a tie, one that ranks last without a judge is beaten."""
        if contest.size == 1:
            return lone(contest)
        games: dict[Pair, float] = {}
        inconsistent = 0
        for pair in self._pairs(contest):
            both = read_both(answers, pair)
            if both is not None:
                there, back = both[0][0], both[1][0]
                swayed = opposed(there - 0.5, back - 0.5)
                inconsistent += swayed
                games[pair] = 0.5 if swayed else (there + back) / 2
        known = _connected(contest.size, games)
        rewards = _rewards(contest, {pair: share for pair, share in games.items() if pair[0] in known}, known)
        failures = tuple(
            None if place in known else self._absence(contest, answers, place) for place in range(contest.size)
        )
        return RelativeStanding(rewards, failures, len(games), inconsistent)

    def _absence(self, contest: Contest, answers: Answers, place: int) -> Failure:
        return absence(answers.get(shown) for shown in self.presentations(contest) if place in shown)

    def _pairs(self, contest: Contest) -> Iterator[Pair]:
        places = list(range(contest.size))
        draw = Random(contest.seed)  # noqa: S311 - reproducible pairs; not security relevant
        draw.shuffle(places)
        for distance in self._distances(len(places), draw):
            for start, place in enumerate(places):
                end = start + distance
                if end < len(places):
                    yield place, places[end]
                elif distance * 2 < len(places) and len(places) > self.opponents + 1:
                    yield place, places[end - len(places)]

    def _distances(self, size: int, draw: Random) -> list[int]:
        if size <= self.opponents + 1:
            return list(range(1, size))
        further = draw.sample(range(2, (size - 1) // 2 + 1), (self.opponents + 1) // 2 - 1)
        return [1, *sorted(further)]


def _connected(size: int, games: Mapping[Pair, float]) -> frozenset[int]:
    """The largest set of candidates that games connect, empty without games: the strengths of unconnected candidates
    are not comparable."""
    group = list(range(size))
    for one, other in games:
        joined, left = group[one], group[other]
        group = [joined if label == left else label for label in group]
    label = max(group, key=lambda label: (group.count(label), -label))
    largest = frozenset(place for place in range(size) if group[place] == label)
    return largest if len(largest) > 1 else frozenset()


def _rewards(contest: Contest, games: Mapping[Pair, float], known: frozenset[int]) -> tuple[float | None, ...]:
    fitted = strengths(contest.size, games)
    members = sum(contest.copies[place] for place in known) + contest.beaten
    rewards: list[float | None] = []
    for place in range(contest.size):
        if place not in known:
            rewards.append(None)
            continue
        others = (
            contest.copies[other] * float(fitted[place] / (fitted[place] + fitted[other]))
            for other in known
            if other != place
        )
        won = fsum(others) + (contest.copies[place] - 1) / 2 + contest.beaten
        rewards.append(min(max(won / (members - 1), 0.0), 1.0))
    return tuple(rewards)
