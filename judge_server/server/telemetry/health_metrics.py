"""Metrics of the server's health, its database and its engines. Each of the database names it, so that its alert
does too."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from judge_server.scheduling.scheduler import ScheduledModel
from judge_server.store.store import Store
from judge_server.workers.health import PARTS, Health


class HealthMetrics(Collector):
    """Readiness by part, room, connections and sleep, read at each scrape without asking anybody."""

    def __init__(self, store: Store, health: Health, models: Sequence[ScheduledModel]) -> None:
        self._models = models
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
            "judge_server_store_connections", "Connections to the database in use.", labels=["database", "pool"]
        )
        limit = GaugeMetricFamily(
            "judge_server_store_connections_limit", "Connections that a pool may open.", labels=["database", "pool"]
        )
        for one in self._store.connections():
            connections.add_metric([self._store.name, one.pool], one.in_use)
            limit.add_metric([self._store.name, one.pool], one.size)
        yield from (connections, limit)
        asleep = GaugeMetricFamily(
            "judge_server_engine_asleep", "Whether the model's engine sleeps by order: 1 or 0.", labels=["model"]
        )
        for name in sorted({model.name for model in self._models}):
            sleeping = [model.asleep is not None for model in self._models if model.name == name]
            asleep.add_metric([name], float(any(sleeping)))
        yield asleep
