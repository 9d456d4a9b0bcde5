"""Alarms of a day: 288 looks at a stream of rows whose share is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.simulation.cell import Cell, Demand, Outcome, Random
from judge_server.agreement.array import Floats
from judge_server.core.monitor import MonitorFinding, MonitorLimits, MonitorName, Series
from judge_server.monitoring.clustered import Sample, probability_of_change
from judge_server.monitoring.criteria import saturation
from judge_server.monitoring.deciding import AlarmRule, Frame, watched
from judge_server.monitoring.survey import MONITORS

LOOKS: Final = 288
PROMPTS: Final = 500  # of a window of 2,000 rows
NEW: Final = 25  # prompts between two looks
SIZE: Final = 4  # rows of a prompt
SERIES: Final = Series(rubric="r", judge="j")
LIMITS: Final = MonitorLimits()
UNADJUSTED: Final = 0.05
AT_MOST_5 = Demand(most=0.05)


def frame(monitor: MonitorName) -> Frame:
    level = LIMITS.false_alarms / len(MONITORS)
    return Frame(monitor, SERIES, level, LIMITS.least, LIMITS.least_clusters)


def stream(random: Random, rates: Sequence[float], correlation: float) -> Floats:
    """(prompts,): how many of a prompt's rows hold, for a rate of each prompt."""
    given = np.asarray(rates)
    strength = (1 - correlation) / correlation
    own = random.beta(given * strength, (1 - given) * strength)
    return random.binomial(SIZE, own).astype(np.float64)


def windows(rows: Floats, look: int) -> tuple[Sample, Sample]:
    """The two windows of a look: before, and recently."""
    start = look * NEW
    weight = np.full(PROMPTS, float(SIZE))
    before, after = (rows[first : first + PROMPTS] for first in (start, start + PROMPTS))
    return Sample(before, weight, PROMPTS * SIZE), Sample(after, weight, PROMPTS * SIZE)


def raises(findings: Sequence[MonitorFinding]) -> int:
    """How often an alarm is raised: it clears at a finding that is ok and not near."""
    raised, times = False, 0
    for one in findings:
        if one.state == "alarm":
            times += not raised
            raised = True
        elif not one.near:
            raised = False
    return times


def rates_of(before: float, after: float, shift: int) -> list[float]:
    """A rate for each prompt of a day, which shifts at a look."""
    whole = 2 * PROMPTS + LOOKS * NEW
    early = 2 * PROMPTS + shift * NEW
    return [before] * early + [after] * (whole - early)


@dataclass(frozen=True)
class AtLimits:
    """``shares`` at their limits at once, each of another subject."""

    shares: int
    limit: float
    correlation: float = 0.3

    def __call__(self, random: Random) -> dict[str, Outcome]:
        rule = AlarmRule(rise=0.05, above=self.limit)
        rows = [stream(random, rates_of(self.limit, self.limit, 0), self.correlation) for _ in range(self.shares)]
        for look in range(LOOKS):
            for own in rows:
                before, after = windows(own, look)
                if after.mean <= self.limit and not rule.great(after.mean - before.mean):
                    continue  # no alarm: the interval's lower end is at most the mean
                found = watched(frame("abstention"), rule, {None: (before, after)}, "", lambda *_: "")
                if found[0].state == "alarm":
                    return {"any alarm": Outcome.of(True)}
        return {"any alarm": Outcome.of(False)}


@dataclass(frozen=True)
class Saturated:
    """A criterion that is met with this share all day."""

    rate: float

    def __call__(self, random: Random) -> dict[str, Outcome]:
        rows = stream(random, rates_of(self.rate, self.rate, 0), 0.3)
        own = frame("criterion_saturation")
        found = (saturation(own, LIMITS, "c", windows(rows, look), bad=False) for look in range(LOOKS))
        return {"any alarm": Outcome.of(any(one.state == "alarm" for one in found))}


@dataclass(frozen=True)
class Shift:
    """A criterion's share falls at look 40. ``looks``: until the alarm, as a multiple of those of a test at every look
    without a budget of false alarms."""

    before: float
    after: float

    def __call__(self, random: Random) -> dict[str, Outcome]:
        rows = stream(random, rates_of(self.before, self.after, 40), 0.3)
        rule = AlarmRule(rise=LIMITS.drift_rise, fall=LIMITS.drift_fall)
        own = frame("criterion_drift")
        findings, unadjusted = [], None
        for look in range(LOOKS):
            pair = windows(rows, look)
            findings += watched(own, rule, {"c": pair}, "", lambda *_: "")
            fallen = pair[1].mean - pair[0].mean <= -LIMITS.drift_fall
            if unadjusted is None and fallen and probability_of_change(*pair) <= UNADJUSTED:
                unadjusted = look - 39
        first = next((look - 39 for look, one in enumerate(findings) if one.state == "alarm"), None)
        return {
            "found": Outcome.of(first is not None),
            "raised more than once": Outcome.of(raises(findings) > 1),
            "looks, of those without a budget": Outcome(first / unadjusted if first and unadjusted else None),
        }


CELLS: tuple[Cell, ...] = (
    Cell("alarms: one share at its limit of .20, 288 looks", {"any alarm": AT_MOST_5}, AtLimits(1, 0.2)),
    Cell("alarms: one share at its limit of .05, 288 looks", {"any alarm": AT_MOST_5}, AtLimits(1, 0.05)),
    Cell("alarms: six shares at their limits of .20, 288 looks", {"any alarm": AT_MOST_5}, AtLimits(6, 0.2)),
    Cell("alarms: a criterion met by .97, 288 looks", {"any alarm": AT_MOST_5}, Saturated(0.97)),
    Cell(
        "alarms: a shift from .60 to .35",
        {
            "found": Demand(least=1.0),
            "raised more than once": AT_MOST_5,
            "looks, of those without a budget": Demand(most=2.0),
        },
        Shift(0.6, 0.35),
    ),
    Cell("alarms: a shift from .60 to .44", {"raised more than once": AT_MOST_5}, Shift(0.6, 0.44)),
)
