"""What a hostile key did to another one, and whether that was too much."""

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from tests.end_to_end.hostile_ways import WAYS, Sent

_BLOCK, _RESAMPLES = 20, 400
_MOST_RATIO = 2.0  # of p99 beside the attack to its quiet value
_MOST_KEPT = 50.0  # MiB


@dataclass(frozen=True)
class Seen:
    """By the modest key: answers by status, and their seconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """NaN if nothing was sent."""
        ordered = sorted(self.seconds) or [math.nan]
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]

    @property
    def p99(self) -> float:
        return self.percentile(0.99)

    def __str__(self) -> str:
        return f"{self.percentile(0.5) * 1e3:.0f}, {self.p99 * 1e3:.0f}"


class Processor(NamedTuple):
    """Seconds of processor time in a second: of the server with its helper processes alone, and beside the attack; and
    of the hostile client, beside the server and beside the sink."""

    alone: float
    attacked: float
    hostile: float
    hostile_at_sink: float

    def __str__(self) -> str:
        return f"{self.alone:.2f}, {self.attacked:.2f}; {self.hostile:.2f}, {self.hostile_at_sink:.2f}"


@dataclass(frozen=True)
class Outcome:
    """``control``: beside the attack on a sink. ``jobs``: the modest key's jobs of one item beside the attack.
    ``mebibytes``: the server's memory before, at most, and ``SETTLED_SECONDS`` after the attack. ``sent``: what the
    hostile client did in the last phase."""

    way: str
    quiet: Seen
    beside: Seen
    control: Seen
    after: Seen
    jobs: Seen
    mebibytes: tuple[float, float, float]
    processor: Processor
    sent: Sent

    @property
    def ratio(self) -> float:
        """Of p99 beside the attack to its quiet value."""
        return self.beside.p99 / self.quiet.p99

    @property
    def control_ratio(self) -> float:
        """The same for the sink: what the hostile client's own work does; NaN without one."""
        return self.control.p99 / self.quiet.p99

    @property
    def interval(self) -> tuple[float, float]:
        """Of the ratio, 95 %: a bootstrap over blocks of neighbouring requests, because slow ones come together
        (Künsch 1989, with blocks that do not overlap)."""
        chance = random.Random(1)
        both = [_blocks(one.seconds) for one in (self.quiet, self.beside)]
        ratios = sorted(
            _p99([*chain(*chance.choices(beside, k=len(beside)))])
            / _p99([*chain(*chance.choices(quiet, k=len(quiet)))])
            for quiet, beside in [both] * _RESAMPLES
        )
        return ratios[_RESAMPLES // 40], ratios[-_RESAMPLES // 40]

    @property
    def kept_mebibytes(self) -> float:
        before, _, after = self.mebibytes
        return after - before

    @property
    def missed(self) -> tuple[str, ...]:
        """What the attack changed more than it may."""
        found = (
            (
                self.ratio > _MOST_RATIO,
                f"p99 is {self.ratio:.2f} times its quiet value; {self.control_ratio:.2f} times with a sink",
            ),
            (self.refused > 0, f"{self.refused} answers were not 200"),
            (self.kept_mebibytes > _MOST_KEPT, f"{self.kept_mebibytes:.0f} MiB more than before"),
        )
        return tuple(text for is_missed, text in found if is_missed)

    @property
    def statuses(self) -> Counter[int]:
        """Of the answers to the modest key beside the attack."""
        return self.beside.statuses

    @property
    def refused(self) -> int:
        """The modest key's answers beside the attack that were not 200."""
        return self.statuses.total() - self.statuses[200]

    def line(self) -> str:
        """A row of a table."""
        others = (f"{number} × {status}" for status, number in sorted(self.statuses.items()) if status != 200)
        memory = "{:.0f}, {:.0f}, {:.0f}".format(*self.mebibytes)
        attack = f"{WAYS[self.way].title} ({WAYS[self.way].connections})"
        jobs = f"; jobs of one item {self.jobs}" if self.jobs.seconds else ""
        ratio = "{:.1f} ({:.1f} to {:.1f})".format(self.ratio, *self.interval)
        control = f"{self.control}: {self.control_ratio:.1f}"
        requests = " and ".join(str(len(one.seconds)) for one in (self.quiet, self.beside))
        cells = [attack, str(self.sent), requests, str(self.quiet), str(self.beside), ratio, control]
        refused = (", ".join(others) or "0") + jobs
        return f"| {' | '.join([*cells, str(self.processor), str(self.after), refused, memory])} |"


COLUMNS = (
    "attack (connections)", "sent in the last phase", "requests", "alone: p50, p99 in ms", "during it",
    "ratio of p99 (95 % interval)", "beside the attack on a sink: ratio",
    "processor s/s: server alone, attacked; hostile at server, at sink", "afterwards", "refused",
    "MiB before, at most, 10 s after",
)  # fmt: skip


def _blocks(seconds: Sequence[float]) -> list[list[float]]:
    return [list(seconds[start : start + _BLOCK]) for start in range(0, len(seconds), _BLOCK)]


def _p99(seconds: list[float]) -> float:
    return Seen(seconds=seconds).p99
