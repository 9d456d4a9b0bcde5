"""Runs all monitors over one series, and over every recently judged series."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol, get_args

from judge_server.core.monitor import MonitorFinding, MonitorLimits, MonitorName, Series
from judge_server.monitoring.criteria import criterion_drift, criterion_saturation
from judge_server.monitoring.deciding import Frame
from judge_server.monitoring.length import length_growth, reward_length
from judge_server.monitoring.outcomes import abstention, audit_bias, audit_disagreement, failure, flags, zero_variance
from judge_server.monitoring.reward_noise import noise_findings
from judge_server.monitoring.vocabulary import vocabulary
from judge_server.store.observation import Audited, TimeRange, Windows
from judge_server.store.reask_records import RecentReasks

MONITORS: Final[tuple[MonitorName, ...]] = get_args(MonitorName)
_OVER_ALL: Final = (reward_length, length_growth, zero_variance, abstention, failure, flags, vocabulary)
_OF_A_RUBRIC: Final = (criterion_drift, criterion_saturation)


def look(
    series: Series, windows: Windows, audits: Sequence[Sequence[Audited]], limits: MonitorLimits
) -> tuple[MonitorFinding, ...]:
    """At least one finding per monitor. The probability of any false alarm in the series is at most
    ``limits.false_alarms``, shared equally among the monitors, and within each by Holm's method. Criteria are monitored
    if the series has one rubric."""
    monitors = _OVER_ALL if series.rubric is None else (*_OVER_ALL, *_OF_A_RUBRIC)
    found: list[MonitorFinding] = []
    for monitor in monitors:
        frame = _frame(monitor.__name__, series, limits, limits.least)
        found += monitor(frame, windows, limits)
    for comparison in (audit_disagreement, audit_bias):
        frame = _frame(comparison.__name__, series, limits, limits.least_audits)
        found += comparison(frame, audits, limits)
    return tuple(_with_promise(one, limits) for one in found)


def _with_promise(found: MonitorFinding, limits: MonitorLimits) -> MonitorFinding:
    """An alarm says how often a look raises one by chance."""
    if found.state != "alarm":
        return found
    promise = f" By chance a look raises an alarm in this series at most once in {round(1 / limits.false_alarms):,}."
    return found.model_copy(update={"text": found.text + promise})


def _frame(name: str, series: Series, limits: MonitorLimits, least: int) -> Frame:
    monitor = next(one for one in MONITORS if one == name)
    return Frame(monitor, series, limits.false_alarms / len(MONITORS), least, limits.least_clusters)


class Records(Protocol):
    """Reads judgments: the store's monitor records."""

    async def series(
        self, span: TimeRange, *, least: int, most: int, rubric: str | None = None
    ) -> tuple[Series, ...]: ...

    async def windows(self, series: Series, span: TimeRange, window: int) -> Windows: ...

    async def audits(self, series: Series, span: TimeRange, window: int) -> Sequence[Sequence[Audited]]: ...


class Reasks(Protocol):
    """Reads judgments whose judge was asked again."""

    async def recent(self, span: TimeRange, *, most: int, rubric: str | None = None) -> tuple[RecentReasks, ...]: ...


async def survey(
    records: Records,
    reasks: Reasks,
    limits: MonitorLimits,
    *,
    rubric: str | None = None,
    judge: str | None = None,
    policy: str | None = None,
    until: datetime | None = None,
) -> tuple[MonitorFinding, ...]:
    """The findings in every series of the last ``horizon_seconds``, and in every run whose judge was asked again.
    Raises StoreUnavailable."""
    span = TimeRange((until or datetime.now(UTC)) - timedelta(seconds=limits.horizon_seconds), until)
    found: list[MonitorFinding] = []
    for series in await records.series(span, least=limits.least, most=limits.most_series, rubric=rubric):
        if judge in (None, series.judge) and policy in (None, series.policy):
            windows = await records.windows(series, span, limits.window)
            audits = await records.audits(series, span, limits.window)
            found += await asyncio.to_thread(look, series, windows, audits, limits)
    recent = await reasks.recent(span, most=limits.most_series, rubric=rubric) if policy is None else ()
    asked = [one for one in recent if judge in (None, one.judge)]
    return (*found, *await asyncio.to_thread(noise_findings, asked, limits))
