"""The tracing interface of the scoring path; the server implements it with OpenTelemetry."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

Attribute = str | int | float | bool


class Span(Protocol):
    """One operation in a trace."""

    def note(self, attributes: Mapping[str, Attribute | None]) -> None:
        """Add attributes; None is left out. ``error.type`` marks the span as failed."""

    def rename(self, name: str) -> None:
        """Change the span's name."""


class Tracer(Protocol):
    """Spans nest like the code, also across tasks."""

    def span(self, name: str, carrier: Mapping[str, str] | None = None) -> AbstractContextManager[Span]:
        """A span for the duration of the block. ``carrier``: headers of a caller whose trace is continued (W3C
        traceparent)."""
