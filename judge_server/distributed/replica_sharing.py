"""What one replica of the application shares with the others, by the deployment's coordinator and Serve's handles."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import ray
from ray import serve
from ray.exceptions import GetTimeoutError, RayActorError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError, RayServeException
from ray.serve.handle import DeploymentHandle

from judge_server.core.errors import JudgeServerError, Overloaded
from judge_server.distributed.deployed_model import DeployedModels, asked
from judge_server.models.protocol import Model
from judge_server.server.processes.sharing import Answer
from judge_server.server.telemetry.merged import merged
from judge_server.server.telemetry.metrics import Metrics
from judge_server.util.time_limit import within

COORDINATOR: Final = "coordinator"
_LOG = logging.getLogger(__name__)
_BEAT_SECONDS: Final = 1.0
_BEATS_AN_EXPOSITION: Final = 5
_ANSWER_SECONDS: Final = 2.0
_AWAY: Final = (RayActorError, GetTimeoutError, TimeoutError, RayServeException, ValueError)


class CoordinatorLink:
    """Calls of the coordinator, which Serve replaces if it dies."""

    def __init__(self, replica: str) -> None:
        self.replica = replica
        self._actor: Any = None

    def send(self, method: str, *arguments: Any) -> Any:
        """The call's object reference. Raises one of ``_AWAY``."""
        if self._actor is None:
            self._actor = serve.get_deployment_actor(COORDINATOR)
        return getattr(self._actor, method).remote(*arguments)

    def tell(self, method: str, *arguments: Any) -> None:
        """Without waiting for the answer. A coordinator that is away learns it from the next beat."""
        with suppress(*_AWAY):
            self.send(method, *arguments)

    async def ask(self, method: str, *arguments: Any, seconds: float | None = _ANSWER_SECONDS) -> Any:
        """Raises one of ``_AWAY``."""
        try:
            with within(seconds):
                return await self.send(method, *arguments)
        except RayActorError:
            self._actor = None
            raise

    def ask_at_once(self, method: str, *arguments: Any) -> Any:
        """Blocks this thread, about a millisecond. Raises one of ``_AWAY``."""
        try:
            return ray.get(self.send(method, *arguments), timeout=_ANSWER_SECONDS)
        except RayActorError:
            self._actor = None
            raise


class ReplicaLedger:
    """API keys with limits cost one call of the coordinator a request; while it is away they are refused."""

    def __init__(self, link: CoordinatorLink) -> None:
        self._link = link
        self.here: Counter[str] = Counter()

    def take(self, caller: str, rate: float, burst: int) -> float:
        seconds: float = self._asked("take", caller, rate, burst)
        return seconds

    def hold(self, caller: str, submissions: int, limit: int) -> int | None:
        if submissions < 0:
            self.here[caller] += submissions
            self._link.tell("hold", self._link.replica, caller, submissions, limit)
            return None
        taken: int | None = self._asked("hold", self._link.replica, caller, submissions, limit)
        if taken is None:
            self.here[caller] += submissions
        return taken

    def under_way(self, caller: str) -> int:
        """Of this replica only: ``hold`` counts all."""
        return self.here[caller]

    def _asked(self, method: str, *arguments: Any) -> Any:
        try:
            return self._link.ask_at_once(method, *arguments)
        except _AWAY as fault:
            raise Overloaded(
                "The counts of API keys are being restored.", remedy="Send it again.", retry_after_seconds=1.0
            ) from fault


class ReplicaClaims:
    """Equal questions of several replicas are asked once. While the coordinator is away each replica asks its own."""

    def __init__(self, link: CoordinatorLink) -> None:
        self._link = link
        self._known: Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]] = lambda _: {}

    def offer(self, readings: Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]]) -> None:
        self._known = readings

    async def claim(self, keys: Sequence[str]) -> Mapping[str, Any]:
        try:
            return dict.fromkeys(await self._link.ask("claim", self._link.replica, list(keys)))
        except _AWAY as fault:
            _LOG.warning("equal questions of other replicas are not seen: %s", fault)
            return {}
        except asyncio.CancelledError:
            self._link.tell("release", self._link.replica, list(keys), {})
            raise

    def release(self, keys: Collection[str]) -> None:
        listed = list(keys)
        self._link.tell("release", self._link.replica, listed, dict(self._known(listed)))

    async def readings(self, keys: Mapping[str, Any], seconds: float | None) -> Mapping[str, Mapping[str, Any]]:
        longest = None if seconds is None else seconds + _ANSWER_SECONDS
        try:
            found: Mapping[str, Mapping[str, Any]] = await self._link.ask(
                "readings", list(keys), seconds, seconds=longest
            )
        except _AWAY:
            return {}
        return found


class SharedWithReplicas:
    """A ``Sharing`` over Ray. Each topic's owner is the replica that the router's ring has for it, so the owner moves
    only if a replica joins or leaves."""

    def __init__(self, replica: str, application: str, deployment: str, models: DeployedModels) -> None:
        self.application: Any = None
        self.replica = replica
        self._link = CoordinatorLink(replica)
        self.ledger = ReplicaLedger(self._link)
        self.claims = ReplicaClaims(self._link)
        self._models = models
        self._answers: dict[str, Answer] = {}
        self._named = (deployment, application)
        self._handle: DeploymentHandle | None = None

    def open_model(self, specification: str, options: Mapping[str, Any]) -> Model:
        return self._models.open(specification, options)

    def answer(self, kind: str, how: Answer) -> None:
        self._answers[kind] = how

    async def answered(self, kind: str, question: Any) -> tuple[bool, Any]:
        """Whether something was raised, and the answer or what was raised."""
        try:
            return False, await self._answers[kind](question)
        except JudgeServerError as fault:
            return True, fault

    def owns(self, topic: str) -> bool:
        return False

    async def ask_owner(self, topic: str, kind: str, question: Any, patience_seconds: float) -> Any:
        owner = self._replicas().options(session_id=f"topic {topic}")
        try:
            raised, answer = await asked(owner.answer_replica, kind, question)
        except (RayActorError, DeploymentUnavailableError, BackPressureError) as fault:
            raise Overloaded(
                "The replica that has this stopped before it answered.",
                remedy="Send it again.",
                retry_after_seconds=min(1.0, patience_seconds),
            ) from fault
        if raised:
            raise answer
        return answer

    async def tell_others(self, kind: str, message: Any) -> None:
        response = self._replicas().broadcast("answer_replica", kind, message, self._link.replica)
        for raised, answer in await response.results_async():
            if raised:
                raise answer

    async def metrics(self, own: bytes) -> bytes:
        try:
            others: list[bytes] = await self._link.ask("expositions", self._link.replica)
        except _AWAY:
            others = []
        return merged([own, *others])

    @asynccontextmanager
    async def running(self, application: Any, metrics: Metrics) -> AsyncIterator[None]:
        self.application = application
        beating = asyncio.create_task(self._beat(metrics), name="beats of a replica")
        try:
            yield
        finally:
            beating.cancel()
            self._link.tell("leave", self._link.replica)

    async def _beat(self, metrics: Metrics) -> None:
        number = 0
        while True:
            exposition = metrics.text() if number % _BEATS_AN_EXPOSITION == 0 else None
            with suppress(*_AWAY):
                await self._link.ask("beat", self._link.replica, dict(self.ledger.here), exposition)
            number += 1
            await asyncio.sleep(_BEAT_SECONDS)

    def _replicas(self) -> DeploymentHandle:
        if self._handle is None:
            self._handle = serve.get_deployment_handle(*self._named)
        return self._handle
