"""OpenTelemetry traces: a span for each request, each submission in it and each call of a judge model.

No text of a submission, rubric or answer becomes an attribute. The SDK's environment variables
(OTEL_EXPORTER_OTLP_HEADERS, OTEL_RESOURCE_ATTRIBUTES, …) apply. Attribute names follow OpenTelemetry's semantic
conventions for HTTP and generative AI; those without a convention begin with ``judge_server.``.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode

from judge_server import __version__
from judge_server.scheduling.observers import ModelCall
from judge_server.util.tracing import Attribute, Span


class _OpenSpan:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def note(self, attributes: Mapping[str, Attribute | None]) -> None:
        known = {name: value for name, value in attributes.items() if value is not None}
        self._span.set_attributes(known)
        if "error.type" in known:
            self._span.set_status(Status(StatusCode.ERROR, str(known["error.type"])))

    def rename(self, name: str) -> None:
        self._span.update_name(name)


class OpenTelemetry:
    """A tracer, and an observer of model calls. Keeps a ``share`` in [0, 1] of the traces that begin here; for a trace
    that the client began, the client's sampling decision applies."""

    def __init__(self, processor: SpanProcessor, share: float) -> None:
        resource = Resource.create({SERVICE_NAME: "judge-server", SERVICE_VERSION: __version__})
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)), resource=resource, shutdown_on_exit=False
        )
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("judge_server", __version__)

    @classmethod
    def exporting_to(cls, endpoint: str, share: float) -> "OpenTelemetry":
        """Send spans to a collector's OTLP endpoint (HTTP) in batches, from a separate thread. Spans that the collector
        does not accept in time are dropped."""
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=5)
        return cls(BatchSpanProcessor(exporter), share)

    @contextmanager
    def span(self, name: str, carrier: Mapping[str, str] | None = None) -> Iterator[Span]:
        """A span for the block. Of an exception that ends the block only the type is recorded."""
        parent = propagate.extract(carrier) if carrier is not None else None
        kind = SpanKind.SERVER if carrier is not None else SpanKind.INTERNAL
        with self._tracer.start_as_current_span(
            name, parent, kind, record_exception=False, set_status_on_exception=False
        ) as span:
            opened = _OpenSpan(span)
            try:
                yield opened
            except BaseException as fault:
                opened.note({"error.type": type(fault).__name__})
                raise

    def called(self, call: ModelCall) -> None:
        """Record a call that has ended, under the span of its submission."""
        began = time.time_ns() - int((time.monotonic() - call.asked) * 1e9)
        span = self._tracer.start_span(f"chat {call.model}", kind=SpanKind.CLIENT, start_time=began)
        if span.is_recording():
            _OpenSpan(span).note(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.request.model": call.model,
                    "gen_ai.usage.input_tokens": call.usage.prompt_tokens,
                    "gen_ai.usage.output_tokens": call.usage.completion_tokens,
                    "judge_server.cached_tokens": call.usage.cached_tokens,
                    "judge_server.priority": call.priority.name.lower(),
                    "judge_server.waited_seconds": call.waited_seconds,
                    "error.type": call.error,
                }
            )
        span.end(began + int((call.ended - call.asked) * 1e9))

    def close(self) -> None:
        """Send the remaining spans. Blocks for seconds if the collector does not answer."""
        self._provider.shutdown()
