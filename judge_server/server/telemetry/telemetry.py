"""The server's telemetry: metrics, access log and, if a collector is configured, traces."""

import asyncio
from typing import TYPE_CHECKING

from judge_server.core.errors import BadConfiguration
from judge_server.core.extra import installing
from judge_server.scheduling.observers import Observers
from judge_server.server.telemetry.exchange import AccessLog, ExchangeObserver, HttpMetrics
from judge_server.server.telemetry.metrics import Metrics
from judge_server.server.telemetry.model_calls import CallLog, ModelMetrics, NullStreak
from judge_server.settings.settings import Settings
from judge_server.util.tracing import Tracer

if TYPE_CHECKING:
    from judge_server.server.telemetry.open_telemetry import OpenTelemetry


class Telemetry:
    """``observers`` get judgments and model calls, ``exchange_observers`` requests, ``streak`` nulls."""

    def __init__(self, settings: Settings) -> None:
        self.metrics = Metrics()
        self._traces = _traces(settings)
        self.tracer: Tracer | None = self._traces
        self.model_metrics = ModelMetrics(self.metrics.registry)
        calls = (self.model_metrics, CallLog(), *([self._traces] if self._traces else ()))
        self.streak = NullStreak(settings.chosen_judge, settings.unready_after_null_seconds)
        self.observers = Observers((self.metrics, self.streak), (self.metrics,), (self.metrics,), calls, self.tracer)
        self.exchange_observers: tuple[ExchangeObserver, ...] = (
            HttpMetrics(self.metrics.registry),
            AccessLog(settings.access_log),
        )

    async def close(self) -> None:
        """Send the remaining spans."""
        if self._traces is not None:
            await asyncio.to_thread(self._traces.close)


def _traces(settings: Settings) -> "OpenTelemetry | None":
    """Raises BadConfiguration if traces are configured and the SDK is not installed."""
    if settings.otlp_endpoint is None:
        return None
    try:
        from judge_server.server.telemetry.open_telemetry import OpenTelemetry
    except ModuleNotFoundError as fault:
        raise BadConfiguration(
            f"otlp_endpoint: traces need the module {fault.name}, which is not installed.",
            remedy=f"{installing('telemetry')} Or remove otlp_endpoint and OTEL_EXPORTER_OTLP_ENDPOINT.",
        ) from None
    return OpenTelemetry.exporting_to(settings.otlp_endpoint, settings.trace_share)
