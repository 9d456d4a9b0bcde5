"""A judge's model in a deployment of its own: the replica that runs it, and the model that asks the replicas.

Requests about one conversation go to one replica, whose prefix cache then has it, until that replica has all the
requests that it takes at a time.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from contextvars import Context
from dataclasses import replace
from time import monotonic
from typing import Any, Final

from ray.exceptions import RayActorError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, RayServeException
from ray.serve.handle import DeploymentHandle

from judge_server.core.errors import JudgeFailure, JudgeServerError, ModelUnavailable
from judge_server.models.described_model import IN_PROCESS, DescribedModel, ModelDescription, model_key
from judge_server.models.protocol import Completion, Model, Priority, Request
from judge_server.models.registry import open_model
from judge_server.models.sleeping import SleepLevel, sleeper_of
from judge_server.settings.cluster import ModelReplicas

_LOG = logging.getLogger(__name__)
_TRIES: Final = 4
_LOOK_SECONDS: Final = 5.0
_LOST: Final = (RayActorError, DeploymentUnavailableError)


class ModelReplica:
    """One replica. It serves once the model is started, and is replaced if an engine in its process is not healthy."""

    async def __init__(  # type: ignore[misc]  # Serve awaits it
        self, specification: str, options: Mapping[str, Any]
    ) -> None:
        self._in_process = specification.startswith(IN_PROCESS)
        self._model = open_model(specification, options)
        self._under_way: Counter[Priority] = Counter()
        await self._model.start()

    async def describe(self) -> ModelDescription:
        return ModelDescription.of(self._model)

    async def complete(self, request: Request, seconds_left: float | None) -> tuple[bool, Any]:
        """Whether the model failed, and its failure or the completion."""
        deadline = None if seconds_left is None else monotonic() + seconds_left
        self._under_way[request.priority] += 1
        try:
            return False, await self._model.complete(replace(request, deadline=deadline))
        except JudgeFailure as fault:
            return True, fault
        finally:
            self._under_way[request.priority] -= 1

    def record_autoscaling_stats(self) -> dict[str, float]:
        """Called by Serve: calls under way by class of priority."""
        return {one.name.lower(): float(self._under_way[one]) for one in Priority}

    async def sleep(self, level: SleepLevel) -> JudgeServerError | None:
        """What the model refused, if it did."""
        return await _refusal(lambda: sleeper_of(self._model).sleep(level))

    async def wake(self, level: SleepLevel) -> JudgeServerError | None:
        """What the model refused, if it did."""
        return await _refusal(lambda: sleeper_of(self._model).wake(level))

    async def check_health(self) -> None:
        """Called by Serve. Raises ModelUnavailable."""
        if self._in_process and not await self._model.healthy():
            raise ModelUnavailable(f"The engine of {self._model.name!r} does not answer.")

    async def __del__(self) -> None:
        if hasattr(self, "_model"):
            await self._model.close()


class DeployedModel(DescribedModel):
    """Asks the replicas behind a handle."""

    def __init__(self, name: str, handle: DeploymentHandle, scale: ModelReplicas) -> None:
        super().__init__(name)
        self._handle = handle
        self._at_once = scale.at_once
        self._by_conversation = scale.routing == "conversation"
        self._replicas = 0
        self._looking: asyncio.Task[None] | None = None

    @property
    def capacity(self) -> int:
        """What the replicas work on, and once more for the next one: what waits at the handle is the queue that Serve
        scales by. The rest waits here, where the urgent goes first."""
        return self._at_once * (max(self._replicas, 1) + 1)

    async def start(self) -> None:
        """Wait for a replica. Raises ModelUnavailable."""
        try:
            self._known = await asked(self._handle.describe)
        except (*_LOST, RayServeException) as fault:
            raise ModelUnavailable(f"No replica of the model {self.name!r} answers: {fault}") from fault
        await self._look()
        if self._looking is None:
            self._looking = asyncio.create_task(self._keep_looking(), name=f"replicas of {self.name}")

    async def complete(self, request: Request) -> Completion:
        """A replica that dies has another one asked."""
        handle = self._handle
        if self._by_conversation and request.prompt.prefix:
            handle = handle.options(session_id=request.prompt.prefix[0])
        for number in range(1, _TRIES + 1):
            left = None if request.deadline is None else request.deadline - monotonic()
            try:
                failed, answer = await asked(handle.complete, replace(request, deadline=None), left)
            except (*_LOST, BackPressureError) as fault:
                if number == _TRIES:
                    raise ModelUnavailable(f"The replicas of the model {self.name!r} stopped: {fault}") from fault
                _LOG.warning("a replica of %s was lost, another one is asked", self.name)
                continue
            if failed:
                raise answer
            completion: Completion = answer
            return completion
        raise AssertionError

    async def healthy(self) -> bool:
        return self._replicas > 0

    async def sleep(self, level: SleepLevel) -> None:
        """All replicas, or none: if one refuses, the others are woken. One that Serve starts meanwhile is awake."""
        try:
            await self._order("sleep", level)
        except JudgeServerError:
            with suppress(JudgeServerError):
                await self._order("wake", level)
            raise

    async def wake(self, level: SleepLevel) -> None:
        await self._order("wake", level)

    async def _order(self, method: str, level: SleepLevel) -> None:
        """Raises what a replica refused, and ModelUnavailable if one is lost."""
        try:
            answers = await Context().run(self._handle.broadcast, method, level).results_async()
        except (*_LOST, RayServeException) as fault:
            raise ModelUnavailable(f"A replica of the model {self.name!r} was lost: {fault}") from fault
        for refusal in answers:
            if refusal is not None:
                raise refusal

    async def close(self) -> None:
        """The replicas live on: they belong to the cluster."""
        looking, self._looking = self._looking, None
        if looking is not None:
            looking.cancel()
            with suppress(asyncio.CancelledError):
                await looking

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            await self._look()

    async def _look(self) -> None:
        """Count the replicas that answer."""
        try:
            found = await self._handle.broadcast("describe").results_async(
                timeout_s=_LOOK_SECONDS, return_exceptions=True
            )
        except (*_LOST, RayServeException, TimeoutError):
            return
        self._replicas = sum(isinstance(one, ModelDescription) for one in found)


class DeployedModels:
    """Opens models: those that have a deployment there, others in this process."""

    def __init__(self, deployed: Mapping[str, tuple[DeploymentHandle, ModelReplicas]]) -> None:
        self._deployed = deployed

    def open(self, specification: str, options: Mapping[str, Any]) -> Model:
        """As ``open_model``."""
        found = self._deployed.get(model_key(specification, options))
        if found is None:
            return open_model(specification, options)
        return DeployedModel(specification.partition(":")[2] or specification, *found)


async def _refusal(order: Callable[[], Awaitable[None]]) -> JudgeServerError | None:
    try:
        await order()
    except JudgeServerError as fault:
        return fault
    return None


async def asked(method: Any, *arguments: Any) -> Any:
    """The answer of a handle's method; the call is cancelled if this task is.

    Serve gives all calls of one HTTP request the same id, and its routers without first-in-first-out forget all but one
    of those that wait at once. In an empty context each call gets its own.
    """
    response = Context().run(method.remote, *arguments)
    try:
        return await response
    except asyncio.CancelledError:
        response.cancel()
        raise
