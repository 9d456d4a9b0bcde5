"""What monitors find in stored judgments, and their limits."""

from typing import Literal

from pydantic import AwareDatetime, Field

from judge_server.core.model import Frozen

MonitorName = Literal[
    "reward_length",
    "length_growth",
    "criterion_drift",
    "criterion_saturation",
    "zero_variance",
    "abstention",
    "failure",
    "flags",
    "vocabulary",
    "audit_disagreement",
    "audit_bias",
]
AlarmName = Literal[MonitorName, "reward_noise", "judge_changed"]
"""``reward_noise`` comes from judges that were asked again, ``judge_changed`` from the watch over models."""
State = Literal["ok", "alarm", "not_enough_evidence"]


class Series(Frozen):
    """Judgments that are monitored together. ``rubric`` None: of all rubrics; ``policy`` None: of all policies."""

    rubric: str | None
    judge: str
    policy: str | None = None

    @property
    def name(self) -> str:
        return " · ".join(filter(None, (self.rubric or "all rubrics", self.judge, self.policy)))


class MonitorFinding(Frozen):
    """What one monitor found in one series. ``subject``: the criterion, the flag, or the words.

    ``value``: of the recent window, with its 95 % interval (``low``, ``high``); ``baseline``: of the window before;
    ``n`` and ``baseline_n``: their sample sizes. ``p``: the probability of a change at least this large if nothing
    changed. ``near``: too close to the limit to clear a raised alarm. ``text``: what it means, and what to do about an
    alarm.
    """

    monitor: AlarmName
    series: Series
    subject: str | None = None
    state: State
    value: float | None = None
    low: float | None = None
    high: float | None = None
    baseline: float | None = None
    n: int = 0
    baseline_n: int = 0
    p: float | None = Field(default=None, ge=0, le=1)
    near: bool = False
    text: str

    @property
    def run(self) -> str | None:
        """The run that it is about, if it is about one."""
        return (self.subject or "").removeprefix("run ") if self.monitor == "reward_noise" else None

    @property
    def key(self) -> str:
        """The identity of the alarm across surveys. It leaves out the words of a vocabulary finding, which change."""
        subject = None if self.monitor == "vocabulary" else self.subject
        series = self.series
        parts = (self.monitor, series.rubric, series.judge, series.policy, subject)
        return "\x1f".join("" if part is None else part for part in parts)


class MonitorLimits(Frozen):
    """Where a monitor raises an alarm: a change must be both improbable by chance and large enough to matter.

    ``window``: judgments in each of the two windows; ``horizon_seconds``: how far back the baseline begins.
    ``false_alarms``: the probability that one survey raises any alarm in a series in which nothing changed and every
    share is at its limit; for several surveys at most this times their number. Rates and rises are shares of 1,
    ``length_growth`` is a ratio, ``correlation_rise`` a difference of correlations, ``noise`` a share of a variance.
    """

    window: int = Field(default=2_000, ge=50, le=20_000)
    horizon_seconds: float = Field(default=86_400.0, gt=0, le=315_360_000)
    most_series: int = Field(default=16, ge=1, le=1_000)
    false_alarms: float = Field(default=0.00015, gt=0, lt=0.5)
    least: int = Field(default=100, ge=10)
    least_clusters: int = Field(default=20, ge=5)
    correlation_rise: float = Field(default=0.2, gt=0, le=2)
    length_growth: float = Field(default=1.5, gt=1, le=1_000)
    drift_fall: float = Field(default=0.15, gt=0, le=1)
    drift_rise: float = Field(default=0.3, gt=0, le=1)
    saturated: float = Field(default=0.98, gt=0.5, le=1)
    zero_variance: float = Field(default=0.5, gt=0, le=1)
    zero_variance_rise: float = Field(default=0.15, gt=0, le=1)
    abstention: float = Field(default=0.2, gt=0, le=1)
    abstention_rise: float = Field(default=0.05, gt=0, le=1)
    failure: float = Field(default=0.05, gt=0, le=1)
    failure_rise: float = Field(default=0.02, gt=0, le=1)
    flags: float = Field(default=0.2, gt=0, le=1)
    flags_rise: float = Field(default=0.02, gt=0, le=1)
    vocabulary_rise: float = Field(default=0.1, gt=0, le=1)
    vocabulary_ratio: float = Field(default=3.0, gt=1, le=1_000)
    least_audits: int = Field(default=50, ge=10)
    disagreement: float = Field(default=0.3, gt=0, le=1)
    disagreement_rise: float = Field(default=0.1, gt=0, le=1)
    bias: float = Field(default=0.2, gt=0, le=2)
    bias_rise: float = Field(default=0.08, gt=0, le=2)
    noise: float = Field(default=0.5, gt=0, le=10)


class Alarm(Frozen):
    """The state of an alarm: ``changed_at`` is when it was last raised or cleared, ``seen_at`` the time of its newest
    ``finding``."""

    raised: bool
    changed_at: AwareDatetime
    seen_at: AwareDatetime
    finding: MonitorFinding


class Transition(Frozen):
    """An alarm was raised or cleared. The ``id`` identifies the event across repeated deliveries."""

    id: str
    raised: bool
    at: AwareDatetime
    finding: MonitorFinding
