"""Prometheus metrics of monitors and canaries."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import get_args

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from judge_server.core.monitor import Alarm, AlarmName, MonitorFinding, Series
from judge_server.models.watched_model import WatchedModel
from judge_server.server.telemetry.metrics import INLINE
from judge_server.workers.canaries import Canaries

_ALL = "all"


class MonitorMetrics:
    """Alarms and measured values. ``ids``: the rubrics of the library and the store; only these become labels."""

    def __init__(self, registry: CollectorRegistry, ids: Callable[[], Awaitable[frozenset[str]]]) -> None:
        self._ids = ids
        self._alarms = Gauge("judge_server_alarm", "Alarms that are raised.", ("monitor", "rubric"), registry=registry)
        self._values = Gauge(
            "judge_server_monitor_value",
            "Values of monitors in the recent window: that of an alarm, else the greatest.",
            ("monitor", "rubric", "judge"),
            registry=registry,
        )

    async def looked(self, findings: Sequence[MonitorFinding] | None, raised: Sequence[Alarm]) -> None:
        """Export the alarms of all servers, and the values if this server computed them itself."""
        known = await self._ids()
        counts = Counter((one.finding.monitor, _rubric(one.finding.series, known)) for one in raised)
        rubrics = {rubric for _, rubric in counts} | {_rubric(one.series, known) for one in findings or ()}
        self._alarms.clear()
        for rubric in rubrics:
            for monitor in get_args(AlarmName):
                self._alarms.labels(monitor, rubric).set(counts[monitor, rubric])
        if findings is None:
            return
        self._values.clear()
        for one in sorted(findings, key=_weight):
            if one.value is not None and one.series.policy is None:
                self._values.labels(one.monitor, _rubric(one.series, known), one.series.judge).set(one.value)


def _weight(one: MonitorFinding) -> tuple[bool, float]:
    """Sort key: the last value written for a label is exported."""
    return one.state == "alarm", abs(one.value or 0.0)


def _rubric(series: Series, known: frozenset[str]) -> str:
    if series.rubric is None:
        return _ALL
    return series.rubric if series.rubric in known else INLINE


class RecognitionMetrics(Collector):
    """Whether the models behind addresses are still those of the start. Labels are configured models."""

    def __init__(self, watched: Sequence[WatchedModel]) -> None:
        self._watched = watched

    def collect(self) -> Iterator[Metric]:
        changes = CounterMetricFamily(
            "judge_server_judge_changes", "How often another model was found behind an address.", labels=["model"]
        )
        checks = CounterMetricFamily(
            "judge_server_judge_checks", "How often a model was asked fixed questions.", labels=["model"]
        )
        at = GaugeMetricFamily(
            "judge_server_judge_recognised_timestamp_seconds", "When a model was recognised last.", labels=["model"]
        )
        for one in self._watched:
            changes.add_metric([one.name], one.changes)
            checks.add_metric([one.name], one.checks)
            if one.recognised_at is not None:
                at.add_metric([one.name], one.recognised_at.timestamp())
        yield from (changes, checks, at)


class CanaryMetrics(Collector):
    """The newest canary results, read at each scrape. Labels are configured judges and names of canaries."""

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries

    def collect(self) -> Iterator[Metric]:
        failed = GaugeMetricFamily(
            "judge_server_canary_failed",
            "1 if a judge fails a canary, 0 if it passes; absent if it gave no answer.",
            labels=["judge", "canary"],
        )
        answered_at = GaugeMetricFamily(
            "judge_server_canary_timestamp_seconds", "When a judge's canaries last ran.", labels=["judge"]
        )
        for report in self._canaries.reports.values():
            answered_at.add_metric([report.judge], report.at.timestamp())
            for finding in report.findings:
                if finding.passed is not None:
                    failed.add_metric([report.judge, finding.canary], float(not finding.passed))
        yield from (failed, answered_at)
