"""One look at everything that was judged lately."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from judge_server.core.monitor import Finding, MonitorLimits, Series
from judge_server.monitoring.look import look
from judge_server.store.observation import Audited, Span, Windows


class Records(Protocol):
    """Where judgments are read: the store's monitor records."""

    async def series(self, span: Span, *, least: int, most: int, rubric: str | None = None) -> tuple[Series, ...]: ...

    async def windows(self, series: Series, span: Span, window: int) -> Windows: ...

    async def audits(self, series: Series, span: Span, window: int) -> Sequence[Sequence[Audited]]: ...


async def survey(
    records: Records,
    limits: MonitorLimits,
    *,
    rubric: str | None = None,
    judge: str | None = None,
    policy: str | None = None,
    until: datetime | None = None,
) -> tuple[Finding, ...]:
    """What the monitors find in every series of the last ``horizon_seconds``. Raises StoreUnavailable."""
    span = Span((until or datetime.now(UTC)) - timedelta(seconds=limits.horizon_seconds), until)
    found: list[Finding] = []
    for series in await records.series(span, least=limits.least, most=limits.most_series, rubric=rubric):
        if judge in (None, series.judge) and policy in (None, series.policy):
            windows = await records.windows(series, span, limits.window)
            audits = await records.audits(series, span, limits.window)
            found += await asyncio.to_thread(look, series, windows, audits, limits)
    return tuple(found)
