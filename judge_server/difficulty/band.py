"""How hard a prompt is for a policy, from the rewards of its rollouts, and whether it is worth training on.

A rollout whose judge failed has no reward. It is counted, but it is neither a pass nor a miss.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from judge_server.core.errors import BadInput
from judge_server.util.wilson import wilson


class BandPlace(StrEnum):
    """Where a prompt ends up: exactly one of these. ``not_drawn``: inside the band, but beyond the target."""

    KEPT = "kept"
    TOO_HARD = "too_hard"
    TOO_EASY = "too_easy"
    ZERO_VARIANCE = "zero_variance"
    UNCERTAIN = "uncertain"
    TOO_FEW = "too_few"
    NOT_DRAWN = "not_drawn"


@dataclass(frozen=True, slots=True)
class Tally:
    """The rollouts of one prompt: ``known`` have a reward (``total``, ``least``, ``most``), ``failed`` have none."""

    known: int
    passed: int
    failed: int
    total: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Band:
    """Which prompts are kept: ``low`` ≤ rate ≤ ``high``.

    The rate is the share of known rewards of at least ``threshold``, or their mean (``mean``). ``interval``: with
    ``inside`` the whole Wilson interval of the pass rate must lie in the band, with ``overlap`` some of it.
    ``keep_constant``: prompts whose rewards are all equal too, which teach a policy nothing if it is compared
    within the group. Raises BadInput for a band that no prompt could be in.
    """

    low: float = 0.2
    high: float = 0.8
    threshold: float = 0.5
    mean: bool = False
    min_rollouts: int = 4
    interval: Literal["inside", "overlap"] | None = None
    confidence: float = 0.95
    keep_constant: bool = False

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise BadInput(f"--low {self.low:g} is above --high {self.high:g}.", remedy="Exchange the two.")
        if not self.mean and not 0 <= self.low <= self.high <= 1:
            raise BadInput(
                f"--low {self.low:g} and --high {self.high:g} are no pass rates.",
                remedy="Give numbers from 0 to 1, or --mean for a band of mean rewards.",
            )
        if self.mean and self.interval:
            raise BadInput("--interval is about pass rates.", remedy="Leave out --interval or --mean.")

    def rate(self, tally: Tally) -> float | None:
        """Pass rate or mean reward; None without a known reward."""
        if not tally.known:
            return None
        return tally.total / tally.known if self.mean else tally.passed / tally.known

    def place(self, tally: Tally) -> BandPlace:
        """In this order: too few known rewards, outside of the band, all alike, in doubt; else kept."""
        rate = self.rate(tally)
        if rate is None or tally.known < self.min_rollouts:
            return BandPlace.TOO_FEW
        lowest, highest = (rate, rate) if self.interval is None else wilson(tally.passed, tally.known, self.confidence)
        # with an interval to overlap, a prompt is outside only if all of it is
        under, over = (highest, lowest) if self.interval == "overlap" else (rate, rate)
        if under < self.low:
            return BandPlace.TOO_HARD
        if over > self.high:
            return BandPlace.TOO_EASY
        if tally.least == tally.most and not self.keep_constant:
            return BandPlace.ZERO_VARIANCE
        if self.interval == "inside" and not self.low <= lowest <= highest <= self.high:
            return BandPlace.UNCERTAIN
        return BandPlace.KEPT
