"""Everything that one worker shares with the others: questions to them, counts of API keys, claims, one engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from judge_server.server.processes.claims import SharedClaims
from judge_server.server.processes.ledger import Ledger
from judge_server.server.processes.peer_model import SharedModels
from judge_server.server.processes.peers import Answer, Peers
from judge_server.server.processes.place import WorkerPlace
from judge_server.server.telemetry.merged import merged
from judge_server.server.telemetry.metrics import Metrics

_METRICS: Final = "metrics"
_METRICS_SECONDS: Final = 2.0


class SharedWithWorkers:
    """``running`` while the application runs; it closes what was opened here."""

    def __init__(self, place: WorkerPlace) -> None:
        self.place = place
        self.peers = Peers(place)
        self.ledger = Ledger(place)
        self.claims = SharedClaims(place, self.peers)
        self.models = SharedModels(self.peers)
        self.application: Any = None

    def answer(self, kind: str, how: Answer) -> None:
        self.peers.answers[kind] = how

    @asynccontextmanager
    async def running(self, application: Any, metrics: Metrics) -> AsyncIterator[None]:
        async def exposed(_: Any) -> bytes:
            return metrics.text()

        self.application = application
        self.answer(_METRICS, exposed)
        await self.peers.start()
        try:
            yield
        finally:
            await self.peers.close()
            self.ledger.close()
            self.claims.close()

    async def metrics(self, own: bytes) -> bytes:
        """Of all workers that answer in time."""
        others = await self.peers.ask_others(_METRICS, None, _METRICS_SECONDS)
        return merged([own, *others.values()])
