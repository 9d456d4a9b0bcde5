"""Alarms and what monitors measured, for Prometheus."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from prometheus_client import CollectorRegistry, Gauge

from judge_server.core.monitor import Alarm, MonitorFinding, Series
from judge_server.monitoring.survey import MONITORS
from judge_server.server.telemetry.metrics import INLINE

_ALL = "all"


class MonitorMetrics:
    """``ids``: rubrics of our own, which alone become labels; nothing that a request names does."""

    def __init__(self, registry: CollectorRegistry, ids: Callable[[], Awaitable[frozenset[str]]]) -> None:
        self._ids = ids
        self._alarms = Gauge("judge_server_alarm", "Alarms that are raised.", ("monitor", "rubric"), registry=registry)
        self._values = Gauge(
            "judge_server_monitor_value",
            "What monitors measured in the recent window: of an alarm, else the greatest.",
            ("monitor", "rubric", "judge"),
            registry=registry,
        )

    async def looked(self, findings: Sequence[MonitorFinding] | None, raised: Sequence[Alarm]) -> None:
        """Show the alarms of every server, and the values where this server looked itself."""
        known = await self._ids()
        counts = Counter((one.finding.monitor, _rubric(one.finding.series, known)) for one in raised)
        rubrics = {rubric for _, rubric in counts} | {_rubric(one.series, known) for one in findings or ()}
        self._alarms.clear()
        for rubric in rubrics:
            for monitor in MONITORS:
                self._alarms.labels(monitor, rubric).set(counts[monitor, rubric])
        if findings is None:
            return
        self._values.clear()
        for one in sorted(findings, key=_weight):
            if one.value is not None and one.series.policy is None:
                self._values.labels(one.monitor, _rubric(one.series, known), one.series.judge).set(one.value)


def _weight(one: MonitorFinding) -> tuple[bool, float]:
    """What is written last stands."""
    return one.state == "alarm", abs(one.value or 0.0)


def _rubric(series: Series, known: frozenset[str]) -> str:
    if series.rubric is None:
        return _ALL
    return series.rubric if series.rubric in known else INLINE
