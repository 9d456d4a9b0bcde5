"""Tracing as the scoring path sees it; the server implements it with OpenTelemetry."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol

Attribute = str | int | float | bool


class Span(Protocol):
    """A piece of work in a trace."""

    def note(self, attributes: Mapping[str, Attribute | None]) -> None:
        """Add what became known; None is left out. ``error.type`` marks the span as failed."""

    def rename(self, name: str) -> None:
        """Call it so from now on."""


class Tracer(Protocol):
    """Spans nest as the code does, across tasks."""

    def span(self, name: str, carrier: Mapping[str, str] | None = None) -> AbstractContextManager[Span]:
        """A span as long as the block. ``carrier``: headers of a caller whose trace is continued (W3C traceparent)."""
