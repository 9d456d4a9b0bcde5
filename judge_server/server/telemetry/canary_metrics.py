"""What Prometheus reads of canaries: the newest finding of each judge."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from judge_server.workers.canaries import Canaries


class CanaryMetrics(Collector):
    """Read whenever somebody looks; labels are configured judges and names of canaries."""

    def __init__(self, canaries: Canaries) -> None:
        self._canaries = canaries

    def collect(self) -> Iterator[Metric]:
        failed = GaugeMetricFamily(
            "judge_server_canary_failed",
            "1 where a judge fails a canary, 0 where it passes; absent where it gave no answer.",
            labels=["judge", "canary"],
        )
        sung = GaugeMetricFamily(
            "judge_server_canary_timestamp_seconds", "When a judge last had its canaries.", labels=["judge"]
        )
        for report in self._canaries.reports.values():
            sung.add_metric([report.judge], report.at.timestamp())
            for finding in report.findings:
                if finding.passed is not None:
                    failed.add_metric([report.judge, finding.canary], float(not finding.passed))
        yield from (failed, sung)
