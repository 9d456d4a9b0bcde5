"""What Prometheus reads of the calls of judge models."""

from prometheus_client import CollectorRegistry, Counter, Histogram

from judge_server.models.protocol import Priority
from judge_server.scheduling.observers import ModelCall

_SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class ModelMetrics:
    """Labels are configured models, priority classes and types of errors: all ours."""

    def __init__(self, registry: CollectorRegistry) -> None:
        waits = Histogram(
            "judge_server_call_wait_seconds",
            "Seconds that calls waited for their turn, by priority class.",
            ("priority",),
            buckets=(0.001, *_SECONDS_BUCKETS),
            registry=registry,
        )
        self._waits = {priority: waits.labels(priority.name.lower()) for priority in Priority}
        self._seconds = Histogram(
            "judge_server_call_seconds",
            "Seconds that models took to answer a call.",
            ("model",),
            buckets=_SECONDS_BUCKETS,
            registry=registry,
        )
        self._failures = Counter(
            "judge_server_call_failures",
            "Calls of models that gave no answer, by cause.",
            ("model", "type"),
            registry=registry,
        )

    def called(self, call: ModelCall) -> None:
        """Count one call."""
        self._waits[call.priority].observe(call.waited_seconds)
        if call.error is not None:
            self._failures.labels(call.model, call.error).inc()
        elif call.model_seconds is not None:
            self._seconds.labels(call.model).observe(call.model_seconds)
