"""By what a model behind an address is recognised: its answers to fixed questions.

Answers are compared by the total variation distance of their distributions, ½ Σ |p − q| over all answers; those that
are not listed count as one. Rounding and batching move it by a few hundredths, another model further on some questions.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import fsum
from typing import Final

from pydantic import AwareDatetime, Field

from judge_server.core.model import Frozen

Reaction = Mapping[str, float]
"""The probability of each listed answer to one question, by its text."""
Round = Sequence[Reaction | None]
"""One reaction for each question; None if there was no answer."""

NEAR: Final = 0.02
FURTHEST: Final = 0.1
FURTHEST_ON_AVERAGE: Final = 0.04
_TIMES_NOISE: Final = 3.0
_ENOUGH_FOR_A_MEAN: Final = 4
_WORDS_TO_DIFFER: Final = 2


class ModelSignature(Frozen):
    """``reactions``: the means of the first rounds. ``noise`` and ``mean_noise``: how far these rounds lay apart, at
    most and on average over the questions. ``worded``: the model gives words without probabilities."""

    id: str
    reactions: tuple[dict[str, float] | None, ...]
    noise: float = Field(ge=0, le=1)
    mean_noise: float = Field(ge=0, le=1)
    worded: bool
    since: AwareDatetime

    def differs(self, found: Round) -> bool:
        """Whether these answers are further off than the same model's would be. Unanswered questions say nothing."""
        known = zip(self.reactions, found, strict=True)
        apart = [distance(one, other) for one, other in known if one is not None and other is not None]
        return bool(apart) and self._too_far(apart)

    def repeats(self, found: Round) -> bool:
        """Whether every answer is so near that nothing else has to be asked; False without any."""
        known = zip(self.reactions, found, strict=True)
        apart = [distance(one, other) for one, other in known if one is not None and other is not None]
        return bool(apart) and max(apart) <= max(NEAR, self.noise)

    def least_certain(self, count: int) -> tuple[int, ...]:
        """The places of so many questions, those first whose likeliest answer is the least likely: there another model
        is least likely to answer the same."""
        answered = [(max(one.values()), place) for place, one in enumerate(self.reactions) if one]
        return tuple(place for _, place in sorted(answered)[:count])

    @property
    def _furthest(self) -> float:
        return max(FURTHEST, _TIMES_NOISE * self.noise)

    def _too_far(self, apart: Sequence[float]) -> bool:
        far = sum(one > self._furthest for one in apart)
        if self.worded:  # a single word turns by itself now and then
            return far >= min(_WORDS_TO_DIFFER, len(apart))
        mean = fsum(apart) / len(apart)
        return far > 0 or (
            len(apart) >= _ENOUGH_FOR_A_MEAN and mean > max(FURTHEST_ON_AVERAGE, _TIMES_NOISE * self.mean_noise)
        )


def noise_of(rounds: Sequence[Round]) -> tuple[float, float]:
    """The largest distance of two rounds on one question, and the largest mean of a pair of rounds; (0, 0) for one."""
    pairs = [
        [distance(one, other) for one, other in zip(*pair, strict=True) if one is not None and other is not None]
        for pair in combinations(rounds, 2)
    ]
    means = [fsum(apart) / len(apart) for apart in pairs if apart]
    return max((far for apart in pairs for far in apart), default=0.0), max(means, default=0.0)


def mean_of(rounds: Sequence[Round]) -> tuple[dict[str, float] | None, ...]:
    """For each question the mean of its reactions; None if no round has any."""
    found: list[dict[str, float] | None] = []
    for several in zip(*rounds, strict=True):
        there = [one for one in several if one is not None]
        texts = sorted({text for one in there for text in one})
        means = {text: round(fsum(one.get(text, 0.0) for one in there) / len(there), 6) for text in texts}
        found.append(means if there else None)
    return tuple(found)


def distance(one: Reaction, other: Reaction) -> float:
    """The total variation distance, from 0 to 1; what a distribution does not list counts as one answer."""
    listed = fsum(abs(one.get(text, 0.0) - other.get(text, 0.0)) for text in {*one, *other})
    rest = abs(fsum(one.values()) - fsum(other.values()))
    return min((listed + rest) / 2, 1.0)
