"""What a call does, apart from how it waits: generators that ask for requests, pauses and other flows.

A flow yields steps and is sent what came of them, so that the blocking and the asynchronous client run the same logic.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """``headers`` are named in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class TransportFault:
    """No answer. ``sent``: the server may have seen the request; ``timed_out``: the time was used up; ``remedy``: what
    the kind of fault suggests."""

    detail: str
    sent: bool
    timed_out: bool = False
    remedy: str | None = None


@dataclass(frozen=True)
class Send:
    """Answered with a Reply, or with a TransportFault if none came within the time."""

    request: Request
    timeout_seconds: float


@dataclass(frozen=True)
class Pause:
    seconds: float


@dataclass(frozen=True)
class Together:
    """Answered with what the flows return, in order; the first error of any ends the others."""

    flows: Sequence[Generator[Any, Any, Any]]
    at_most: int


Step = Send | Pause | Together
Flow = Generator[Step, Any, T]
