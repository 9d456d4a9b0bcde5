"""Metrics of the database and of the server's health. Each names the database, so that its alert does too."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from judge_server.core.errors import StoreUnavailable
from judge_server.store.store import Store
from judge_server.store.traffic import WORKS, Work
from judge_server.workers.health import PARTS, Health

_SECONDS_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class StoreMetrics:
    """Times waits for the database and counts its faults."""

    def __init__(self, registry: CollectorRegistry, store: Store) -> None:
        self._name = store.name
        self._seconds = Histogram(
            "judge_server_store_wait_seconds",
            "Seconds that work waited for the database.",
            ("database", "work"),
            buckets=_SECONDS_BUCKETS,
            registry=registry,
        )
        self._errors = Counter(
            "judge_server_store_errors",
            "Work that the database did not do, by type of error.",
            ("database", "work", "type"),
            registry=registry,
        )
        for work in WORKS:  # a series that begins with its first error shows no increase
            self._errors.labels(self._name, work, StoreUnavailable.type)
        store.traffic.observer = self

    def waited(self, work: Work, seconds: float, error: str | None) -> None:
        """Count one wait."""
        self._seconds.labels(self._name, work).observe(seconds)
        if error is not None:
            self._errors.labels(self._name, work, error).inc()


class HealthMetrics(Collector):
    """Readiness by part, room and connections, read at each scrape without asking the database."""

    def __init__(self, store: Store, health: Health) -> None:
        self._store = store
        self._health = health

    def collect(self) -> Iterator[Metric]:
        ready = GaugeMetricFamily(
            "judge_server_ready",
            "Whether the store, its disk and the default judge can do their work: 1 or 0.",
            labels=["part", "database"],
        )
        broken = {fault.part for fault in self._health.faults}
        for part in PARTS:
            ready.add_metric([part, "" if part == "judge" else self._store.name], float(part not in broken))
        yield ready
        room = GaugeMetricFamily(
            "judge_server_store_free_bytes", "Room on the disk of the database.", labels=["database"]
        )
        if self._health.free_bytes is not None:
            room.add_metric([self._store.name], self._health.free_bytes)
        yield room
        connections = GaugeMetricFamily(
            "judge_server_store_connections", "PoolUse to the database in use.", labels=["database", "pool"]
        )
        limit = GaugeMetricFamily(
            "judge_server_store_connections_limit", "PoolUse that a pool may open.", labels=["database", "pool"]
        )
        for one in self._store.connections():
            connections.add_metric([self._store.name, one.pool], one.in_use)
            limit.add_metric([self._store.name, one.pool], one.size)
        yield from (connections, limit)
