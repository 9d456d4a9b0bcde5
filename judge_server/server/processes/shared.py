"""Everything that one worker shares with the others: questions to them, counts of API keys, claims, one engine."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from zlib import crc32

from judge_server.models.protocol import Model
from judge_server.server.processes.claims import SharedClaims
from judge_server.server.processes.kept_metrics import KeptMetrics
from judge_server.server.processes.ledger import Ledger
from judge_server.server.processes.peer_model import SharedModels
from judge_server.server.processes.peers import Peers
from judge_server.server.processes.place import FIRST, WorkerPlace
from judge_server.server.processes.sharing import Answer
from judge_server.server.telemetry.merged import merged
from judge_server.server.telemetry.metrics import Metrics

_METRICS: Final = "metrics"
_METRICS_SECONDS: Final = 2.0


class SharedWithWorkers:
    """A ``Sharing``. ``running`` while the application runs; it closes what was opened here."""

    def __init__(self, place: WorkerPlace) -> None:
        self.place = place
        self.peers = Peers(place)
        self.ledger = Ledger(place)
        self.claims = SharedClaims(place, self.peers)
        self._kept = KeptMetrics(place)
        self.models = SharedModels(self.peers)
        self.application: Any = None

    def open_model(self, specification: str, options: Mapping[str, Any]) -> Model:
        return self.models.open(specification, options)

    def answer(self, kind: str, how: Answer) -> None:
        self.peers.answers[kind] = how

    @asynccontextmanager
    async def running(self, application: Any, metrics: Metrics) -> AsyncIterator[None]:
        async def exposed(_: Any) -> bytes:
            text = metrics.text()
            self._kept.keep(text)
            return text

        self.application = application
        self.answer(_METRICS, exposed)
        self._kept.inherit()
        await self.peers.start()
        try:
            yield
        finally:
            await self.peers.close()
            self.ledger.close()
            self.claims.close()
            self._kept.close()

    def owns(self, topic: str) -> bool:
        return self._owner(topic) == self.place.number

    async def ask_owner(self, topic: str, kind: str, question: Any, patience_seconds: float) -> Any:
        return await self.peers.ask(self._owner(topic), kind, question, patience_seconds=patience_seconds)

    async def tell_others(self, kind: str, message: Any) -> None:
        for number in self.place.others:
            await self.peers.ask(number, kind, message)

    def _owner(self, topic: str) -> int:
        """The empty topic belongs to the first worker."""
        return crc32(topic.encode("utf-8", "replace")) % self.place.count if topic else FIRST

    async def metrics(self, own: bytes) -> bytes:
        """Of all workers: what those count that answer in time, and what the others had counted."""
        self._kept.keep(own)
        others = await self.peers.ask_others(_METRICS, None, _METRICS_SECONDS)
        silent = [number for number in self.place.others if number not in others]
        return merged([own, *others.values(), self._kept.counts(silent)])
