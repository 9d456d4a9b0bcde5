"""Metrics of the server's health and its database. Each names the database, so that its alert does too."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from judge_server.store.store import Store
from judge_server.workers.health import PARTS, Health


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
