"""A model that runs in the process of the first worker: one engine for all of them."""

from collections.abc import Mapping
from dataclasses import replace
from time import monotonic
from typing import Any, Final

from judge_server.core.errors import JudgeFailure, ModelUnavailable, Overloaded
from judge_server.models.described_model import IN_PROCESS, DescribedModel, ModelDescription, model_key
from judge_server.models.protocol import Completion, Model, Request
from judge_server.models.registry import open_model
from judge_server.server.processes.peers import Peers
from judge_server.server.processes.place import FIRST

_DESCRIBE: Final = "describe model"
_COMPLETE: Final = "complete"
_HEALTHY: Final = "healthy"
_START_SECONDS: Final = 1_800.0


class PeerModel(DescribedModel):
    """Asks the first worker's model of the same ``key``."""

    def __init__(self, name: str, key: str, peers: Peers) -> None:
        super().__init__(name)
        self._key = key
        self._peers = peers

    @property
    def capacity(self) -> int:
        return 1 if self._known is None else self._known.capacity

    async def start(self) -> None:
        self._known = await self._ask(_DESCRIBE, self._key, _START_SECONDS)

    async def complete(self, request: Request) -> Completion:
        left = None if request.deadline is None else request.deadline - monotonic()
        completion: Completion = await self._ask(_COMPLETE, (self._key, replace(request, deadline=None), left), 5.0)
        return completion

    async def healthy(self) -> bool:
        try:
            return bool(await self._ask(_HEALTHY, self._key, 0.0))
        except JudgeFailure:
            return False

    async def close(self) -> None:
        """The first worker closes it."""

    async def _ask(self, kind: str, question: Any, seconds: float) -> Any:
        try:
            return await self._peers.ask(FIRST, kind, question, patience_seconds=seconds)
        except Overloaded as fault:
            raise ModelUnavailable(f"The process of the model {self.name!r} does not answer. {fault.detail}") from None


class SharedModels:
    """Opens models: those that run ``in_process``, by the beginning of their specification, in the first worker only,
    others in each."""

    def __init__(self, peers: Peers, in_process: tuple[str, ...] = IN_PROCESS) -> None:
        self._peers = peers
        self._in_process = in_process
        self._opened: dict[str, Model] = {}
        if peers.place.number == FIRST:
            peers.answers |= {_DESCRIBE: self._describe, _COMPLETE: self._complete, _HEALTHY: self._healthy}

    def open(self, specification: str, options: Mapping[str, Any]) -> Model:
        """As ``open_model``."""
        if not specification.startswith(self._in_process):
            return open_model(specification, options)
        key = model_key(specification, options)
        if self._peers.place.number != FIRST:
            return PeerModel(specification.partition(":")[2], key, self._peers)
        self._opened[key] = open_model(specification, options)
        return self._opened[key]

    def _of(self, key: str) -> Model:
        model = self._opened.get(key)
        if model is None:
            raise ModelUnavailable("The first worker has no such model.", remedy="Please report it.")
        return model

    async def _describe(self, key: str) -> ModelDescription:
        model = self._of(key)
        await model.start()
        return ModelDescription.of(model)

    async def _complete(self, question: Any) -> Completion:
        key, request, left = question
        deadline = None if left is None else monotonic() + left
        return await self._of(key).complete(replace(request, deadline=deadline))

    async def _healthy(self, key: str) -> bool:
        return await self._of(key).healthy()
