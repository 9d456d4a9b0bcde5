"""The difficulty of a prompt for a policy, from the rewards of its rollouts, and whether to train on it.

A rollout whose judge failed has no reward. It is counted, but as neither a pass nor a miss.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from judge_server.core.errors import BadInput
from judge_server.util.wilson import wilson


class BandPlace(StrEnum):
    """The outcome of a prompt. ``not_drawn``: inside the band, but not needed for the target."""

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
    ``keep_constant``: also keep prompts whose rewards are all equal, which give no signal to group-relative training.
    Raises BadInput for an empty band.
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
            raise BadInput(f"--low {self.low:g} is above --high {self.high:g}.", remedy="Swap the two.")
        if not self.mean and not 0 <= self.low <= self.high <= 1:
            raise BadInput(
                f"--low {self.low:g} and --high {self.high:g} are not pass rates.",
                remedy="Give numbers from 0 to 1, or --mean for a band of mean rewards.",
            )
        if self.mean and self.interval:
            raise BadInput("--interval applies to pass rates only.", remedy="Leave out --interval or --mean.")

    def rate(self, tally: Tally) -> float | None:
        """Pass rate or mean reward; None without a known reward."""
        if not tally.known:
            return None
        return tally.total / tally.known if self.mean else tally.passed / tally.known

    def place(self, tally: Tally) -> BandPlace:
        """Checked in this order: too few known rewards, outside the band, all equal, in doubt; else kept."""
        rate = self.rate(tally)
        if rate is None or tally.known < self.min_rollouts:
            return BandPlace.TOO_FEW
        lowest, highest = (rate, rate) if self.interval is None else wilson(tally.passed, tally.known, self.confidence)
        # with interval ``overlap``, a prompt is outside only if its whole interval is
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
