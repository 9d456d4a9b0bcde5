"""From measured changes to findings: a change that is both significant and large enough raises an alarm."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from judge_server.core.monitor import MonitorFinding, MonitorName, Series, State
from judge_server.monitoring.clustered import MeanEstimate, Sample, above, estimate, probability_of_change, share

_CLEARS = 0.8  # fraction of a limit below which its alarm clears
_CLEARED_P = 0.05
Words = Callable[[MeanEstimate, float | None, State], str]


@dataclass(frozen=True, slots=True)
class Frame:
    """Shared by all findings of one monitor in one series. ``level``: the false-alarm probability of this monitor."""

    monitor: MonitorName
    series: Series
    level: float
    least: int
    least_clusters: int

    def enough(self, *samples: Sample) -> bool:
        return all(one.n >= self.least and one.clusters >= self.least_clusters for one in samples)

    def too_little(self, what: str, n: int, baseline_n: int, subject: str | None = None) -> MonitorFinding:
        text = f"{what}: {baseline_n} before and {n} recently are too few; {self.least} are needed in each window"
        text += f", from {self.least_clusters} prompts."
        return MonitorFinding(
            monitor=self.monitor,
            series=self.series,
            subject=subject,
            state="not_enough_evidence",
            n=n,
            baseline_n=baseline_n,
            text=text,
        )


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """An alarm is a significant rise or fall of at least this size, or an interval entirely above ``above``.
    ``bounded``: the mean lies in [0, 1]."""

    rise: float | None = None
    fall: float | None = None
    above: float | None = None
    bounded: bool = True

    def near(self, value: float, change: float, p: float) -> bool:
        """Whether a raised alarm stays raised: it clears well below the point where it was raised, so that one shift
        does not raise it twice."""
        high = self.above is not None and value > _CLEARS * self.above
        return high or (p <= _CLEARED_P and self.great(change / _CLEARS))

    def great(self, difference: float) -> bool:
        risen = self.rise is not None and difference >= self.rise
        return risen or (self.fall is not None and difference <= -self.fall)


def watched(
    frame: Frame, rule: AlarmRule, samples: Mapping[str | None, tuple[Sample, Sample]], what: str, words: Words
) -> list[MonitorFinding]:
    """One finding per subject, from its samples before and after."""
    found: list[MonitorFinding] = []
    enough = {subject: pair for subject, pair in samples.items() if frame.enough(*pair)}
    probabilities = [probability_of_change(*pair) for pair in enough.values()]
    significant = holm(probabilities, frame.level)
    for (subject, (before, after)), p, real in zip(enough.items(), probabilities, significant, strict=True):
        now = share(after) if rule.bounded else estimate(after)
        change = now.value - before.mean
        beyond = rule.above is not None and above(after, rule.above, frame.level, bounded=rule.bounded)
        state: State = "alarm" if beyond or (real and rule.great(change)) else "ok"
        near = rule.near(now.value, change, p)
        text = words(now, before.mean, state)
        told = finding(frame, state, now, before.mean, before.n, p, text, subject)
        found.append(told.model_copy(update={"near": near}))
    for subject, (before, after) in samples.items():
        if subject not in enough:
            found.append(frame.too_little(what, after.n, before.n, subject))
    return found


def finding(
    frame: Frame,
    state: State,
    now: MeanEstimate,
    baseline: float | None,
    baseline_n: int,
    p: float | None,
    text: str,
    subject: str | None = None,
) -> MonitorFinding:
    return MonitorFinding(
        monitor=frame.monitor,
        series=frame.series,
        subject=subject,
        state=state,
        value=now.value,
        low=now.low,
        high=now.high,
        baseline=baseline,
        n=now.n,
        baseline_n=baseline_n,
        p=p,
        text=text,
    )


def holm(probabilities: Sequence[float], level: float) -> list[bool]:
    """Which of several changes are significant, with a familywise error rate of at most ``level`` (Holm 1979)."""
    order = sorted(range(len(probabilities)), key=lambda place: probabilities[place])
    significant = [False] * len(probabilities)
    for rank, place in enumerate(order):
        if probabilities[place] > level / (len(probabilities) - rank):
            break
        significant[place] = True
    return significant
