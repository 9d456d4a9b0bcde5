"""What the application needs of the other processes of one server, whether these are workers behind a socket or
replicas on a cluster."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from judge_server.models.protocol import Model
from judge_server.scheduling.admission import SharedCounts
from judge_server.scheduling.single_flight import Claims
from judge_server.server.middleware.authentication import SharedRates
from judge_server.server.telemetry.metrics import Metrics

Answer = Callable[[Any], Awaitable[Any]]


class SharedLedger(SharedCounts, SharedRates, Protocol):
    """What API keys use, in all processes."""


class Sharing(Protocol):
    """``application``: set while the application runs; questions of other processes go to it."""

    application: Any

    @property
    def ledger(self) -> SharedLedger: ...

    @property
    def claims(self) -> Claims: ...

    def open_model(self, specification: str, options: Mapping[str, Any]) -> Model:
        """As ``registry.open_model``, or a model that runs elsewhere and serves all processes."""

    def running(self, application: Any, metrics: Metrics) -> AbstractAsyncContextManager[None]:
        """Answers the others inside the block, and closes everything at its end."""

    def answer(self, kind: str, how: Answer) -> None:
        """How this process answers questions of this kind."""

    def owns(self, topic: str) -> bool:
        """Whether this process surely is the topic's owner. One process owns each topic."""

    async def ask_owner(self, topic: str, kind: str, question: Any, patience_seconds: float) -> Any:
        """The answer of the topic's owner. Raises what it raised, and Overloaded if it is not there in time."""

    async def tell_others(self, kind: str, message: Any) -> None:
        """Every other process has answered when this returns. Raises as ``ask_owner``."""

    async def metrics(self, own: bytes) -> bytes:
        """The exposition of all processes together. ``own``: of this one."""
