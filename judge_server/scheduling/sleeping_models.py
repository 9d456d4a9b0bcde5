"""Engines that sleep while a training uses their accelerator, and who keeps them awake.

Several processes of one training (ranks) may score at the same time. Each of them names itself as a ``holder`` when it
wakes the engines and when it lets them sleep: they sleep once nobody holds them.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from judge_server.core.errors import CannotSleep, JudgeAsleep
from judge_server.core.model import Frozen
from judge_server.models.sleeping import SleepLevel
from judge_server.scheduling.scheduler import ScheduledModel

_LOG = logging.getLogger(__name__)
_Held = Literal["hold", "refuse"]


class SleepTerms(Frozen):
    """``model``: only this one, else all that can sleep. ``waiting``: whether requests wait meanwhile, until their
    deadlines, or are refused (``judge_asleep``). ``drain_seconds``: how long requests under way may take."""

    model: str | None = Field(default=None, max_length=200)
    level: SleepLevel = 1
    waiting: _Held = "hold"
    drain_seconds: float = Field(default=30.0, ge=0, le=600)
    holder: str | None = Field(default=None, min_length=1, max_length=100)


class WakeTerms(Frozen):
    """``holder`` keeps the engines awake until it lets them sleep, at most ``holder_seconds``."""

    model: str | None = Field(default=None, max_length=200)
    holder: str | None = Field(default=None, min_length=1, max_length=100)
    holder_seconds: float = Field(default=600.0, gt=0, le=86_400)


class EngineState(Frozen):
    """``held_by``: who keeps it awake. ``can_sleep``: False for a model without an engine of its own."""

    model: str
    can_sleep: bool
    asleep: bool
    level: SleepLevel | None = None
    waiting: _Held | None = None
    since: AwareDatetime | None = None
    held_by: tuple[str, ...] = ()


class PausedModel(Frozen):
    """An order to the other processes of a server: to stop requests to the model at this place, or to go on."""

    place: int
    paused: bool
    refuses: bool = False
    seconds: float = 0.0


Telling = Callable[[PausedModel], Awaitable[object]]


async def _nobody(_: PausedModel) -> None:
    """A server of one process."""


class SleepingModels:
    """``telling`` passes an order to the server's other processes, which ``follow`` it."""

    def __init__(self, models: Sequence[ScheduledModel], telling: Telling = _nobody) -> None:
        self._engines = [_Engine(model, place) for place, model in enumerate(models)]
        self._telling = telling
        self._lock = asyncio.Lock()
        self._orders: set[asyncio.Task[list[EngineState]]] = set()

    async def close(self) -> None:
        """End what is being carried out."""
        for order in self._orders:
            order.cancel()
        await asyncio.gather(*self._orders, return_exceptions=True)

    def carry_out(self, order: Coroutine[Any, Any, "list[EngineState]"]) -> "asyncio.Task[list[EngineState]]":
        """``sleep`` or ``wake`` as a task that goes on when nobody waits for it any more: half an order would leave an
        engine in a state that nobody knows."""
        task = asyncio.create_task(order, name="order to engines")
        self._orders.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: "asyncio.Task[list[EngineState]]") -> None:
        self._orders.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            _LOG.warning("an order to engines was not carried out: %s", fault)

    def states(self) -> list[EngineState]:
        return [engine.state() for engine in self._engines]

    async def sleep(self, terms: SleepTerms) -> list[EngineState]:
        """Waits for what is under way, then frees memory; an engine that somebody holds stays awake. Raises
        CannotSleep, DeadlineExceeded (something was still under way; the engine is awake), ModelUnavailable."""
        async with self._lock:
            for engine in self._chosen(terms.model):
                engine.let_go(terms.holder)
                if not engine.holders and engine.model.asleep is None:
                    await self._send_to_sleep(engine, terms)
            return self.states()

    async def wake(self, terms: WakeTerms) -> list[EngineState]:
        """Also wakes an engine that was asleep when this server started. Raises CannotSleep and
        ModelUnavailable; then it still sleeps."""
        async with self._lock:
            for engine in self._chosen(terms.model):
                engine.hold(terms.holder, terms.holder_seconds)
                if engine.model.asleep is not None or engine.model.away is not None:
                    await engine.model.sleeper.wake(engine.level)
                    engine.awaken()
                    await self._telling(PausedModel(place=engine.place, paused=False))
            return self.states()

    async def follow(self, order: PausedModel) -> None:
        """In another process of the server. Raises DeadlineExceeded."""
        engine = self._engines[order.place]
        if order.paused:
            await engine.pause(refuses=order.refuses, seconds=order.seconds)
        else:
            engine.awaken()

    async def _send_to_sleep(self, engine: "_Engine", terms: SleepTerms) -> None:
        refuses = terms.waiting == "refuse"
        order = PausedModel(place=engine.place, paused=True, refuses=refuses, seconds=terms.drain_seconds)
        try:
            await engine.pause(refuses=refuses, seconds=terms.drain_seconds)
            await self._telling(order)
            await engine.model.sleeper.sleep(terms.level)
        except BaseException:
            engine.awaken()
            await self._telling(PausedModel(place=engine.place, paused=False))
            raise
        engine.level = terms.level
        _LOG.info("the engine of %s sleeps (level %d)", engine.model.name, terms.level)

    def _chosen(self, name: str | None) -> "list[_Engine]":
        named = [engine for engine in self._engines if name in (None, engine.model.name)]
        if name is not None and not named:
            known = ", ".join(sorted({engine.model.name for engine in self._engines})) or "none"
            raise CannotSleep(f"No judge uses a model {name!r}.", remedy=f"Models: {known}.")
        able = [engine for engine in named if engine.can_sleep]
        if not able:
            whose = "No judge has" if name is None else f"The model {name!r} does not have"
            raise CannotSleep(f"{whose} an engine that can sleep.", remedy="Configure a judge that vLLM serves.")
        return able


class _Engine:
    """One model's engine. ``holders``: until when each keeps it awake, in seconds of ``time.monotonic()``."""

    def __init__(self, model: ScheduledModel, place: int) -> None:
        self.model = model
        self.place = place
        self.level: SleepLevel = 1
        self._since: datetime | None = None
        self._holders: dict[str, float] = {}

    @property
    def can_sleep(self) -> bool:
        try:
            return self.model.sleeper is not None
        except CannotSleep:
            return False

    @property
    def holders(self) -> tuple[str, ...]:
        now = time.monotonic()
        self._holders = {name: until for name, until in self._holders.items() if until > now}
        return tuple(sorted(self._holders))

    def hold(self, name: str | None, seconds: float) -> None:
        if name is not None:
            self._holders[name] = time.monotonic() + seconds

    def let_go(self, name: str | None) -> None:
        """Without a name, of everybody."""
        if name is None:
            self._holders.clear()
        else:
            self._holders.pop(name, None)

    async def pause(self, *, refuses: bool, seconds: float) -> None:
        self._since = datetime.now(UTC)
        self.model.refuses = refuses
        self.model.asleep = JudgeAsleep(
            f"The engine of the model {self.model.name!r} was sent to sleep at {self._since:%H:%M:%S} UTC.",
            remedy="Wake it: POST /v1/admin/wake.",
            retry_after_seconds=5.0,
        )
        try:
            await self.model.scheduler.pause(seconds)
        except BaseException:
            self.awaken()
            raise

    def awaken(self) -> None:
        self.model.asleep = self._since = None
        self.model.scheduler.resume()

    def state(self) -> EngineState:
        asleep = self.model.asleep is not None
        return EngineState(
            model=self.model.name,
            can_sleep=self.can_sleep,
            asleep=asleep,
            level=self.level if asleep else None,
            waiting=None if not asleep else "refuse" if self.model.refuses else "hold",
            since=self._since,
            held_by=self.holders,
        )
