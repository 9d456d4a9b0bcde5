"""What a trace is written to. The OpenTelemetry one is the server's; where nobody traces, nothing is done."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Final, Protocol

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


class _Silence:
    """Nobody listens."""

    def __enter__(self) -> "_Silence":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def note(self, attributes: Mapping[str, Attribute | None]) -> None:
        """Nobody listens."""

    def rename(self, name: str) -> None:
        """Nobody listens."""


_SILENCE: Final = _Silence()


class Untraced:
    """Traces nothing, at the cost of a call."""

    def span(self, name: str, carrier: Mapping[str, str] | None = None) -> AbstractContextManager[Span]:
        """A span that nobody sees."""
        return _SILENCE
