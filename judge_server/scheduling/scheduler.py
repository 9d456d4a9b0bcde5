"""Slots of a model: at most ``capacity`` requests are in flight, and the others wait in a fair queue.

A request that waits can be cancelled, and its deadline ends the wait. A shared call waits in the queue of its most
urgent caller, and may change queues when callers join or leave.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from judge_server.core.caller import current_caller
from judge_server.core.errors import DeadlineExceeded, JudgeAsleep, JudgeRefused, ModelUnavailable
from judge_server.core.price import Price
from judge_server.models.protocol import (
    Capabilities,
    Completion,
    LabelBatch,
    Model,
    Priced,
    Priority,
    Reach,
    Replaceable,
    Request,
    Spread,
    UnusableCompletion,
)
from judge_server.models.sleeping import Sleeper, sleeper_of
from judge_server.scheduling.fair_queue import FairQueue, QueueEntry
from judge_server.scheduling.observers import ModelCall, Observers
from judge_server.scheduling.single_flight import Waiter, Waiters, current_waiters
from judge_server.scheduling.spending import Spending
from judge_server.util.time_limit import until, within

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 1.0, 10.0


class ScheduledModel:
    """A model behind a scheduler. Every call waits for a slot, and observers are notified of its outcome. ``price``: of
    its calls, else the model's own. ``spending``: the budgets of those who ask; None if nobody has one. ``away``: why
    it could not be started yet; ``arrived`` are called when it was. ``asleep``: its engine sleeps by order; calls are
    refused with that if ``refuses``, and wait otherwise."""

    def __init__(
        self,
        model: Model,
        observers: Observers | None = None,
        *,
        lower_class_share: float = 0.0,
        price: Price | None = None,
        spending: Spending | None = None,
    ) -> None:
        self._model = model
        self._spending = spending
        self.away: ModelUnavailable | None = None
        self.asleep: JudgeAsleep | None = None
        self.arrived: list[Callable[[], object]] = []
        self.refuses = False
        self._awaiting: asyncio.Task[None] | None = None
        self._price = price
        self._observers = observers or Observers()
        self.scheduler = Scheduler(model.capacity, lower_class_share)

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def revision(self) -> str:
        return self._model.revision

    @property
    def notice(self) -> str | None:
        return self._model.notice

    @property
    def capacity(self) -> int:
        return self._model.capacity

    @property
    def capabilities(self) -> Capabilities:
        """Raises ModelUnavailable while the model is away: nothing is known of it."""
        if self.away is not None:
            raise self.away
        return self._model.capabilities

    @property
    def reach(self) -> Reach | None:
        """State of its addresses; None for a model without any."""
        return self._model.reach if isinstance(self._model, Spread) else None

    async def start(self) -> None:
        await self._model.start()
        self.scheduler.capacity = self._model.capacity
        if self._price is None and isinstance(self._model, Priced):
            self._price = self._model.price

    async def start_or_wait(self) -> None:
        """Start it; a model at an address that does not answer yet is started as soon as it does. Raises what waiting
        does not cure: BadConfiguration, JudgeRefused, ModelUnavailable of a model in this process."""
        try:
            await self.start()
        except JudgeRefused:
            raise
        except ModelUnavailable as fault:
            if not isinstance(self._model, Replaceable | Spread):
                raise
            self._be_away(fault)
            self._awaiting = asyncio.create_task(self._arrive(), name=f"wait for {self.name}")

    def _be_away(self, fault: ModelUnavailable) -> None:
        if self.away is None:
            _LOG.warning("the judge model %s is away, and is waited for: %s", self.name, fault)
        self.away = ModelUnavailable(
            f"The judge model {self.name!r} was not there yet since the server started: {fault.detail}",
            remedy=f"{fault.remedy or 'Start its server.'} It is waited for. Jobs are taken in meanwhile.",
            retry_after_seconds=_LONGEST_PAUSE_SECONDS,
        )

    async def _arrive(self) -> None:
        began, pause = time.monotonic(), _FIRST_PAUSE_SECONDS
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
            try:
                await self.start()
            except ModelUnavailable as fault:
                self._be_away(fault)
            except Exception as fault:  # noqa: BLE001 - said by /readyz; another try may find another server
                self._be_away(ModelUnavailable(f"it cannot be started: {fault}"))
            else:
                break
        self.away = None
        _LOG.warning("the judge model %s is there after %.0f s", self.name, time.monotonic() - began)
        for arrived in self.arrived:
            arrived()

    async def complete(self, request: Request) -> Completion:
        if self.away is not None:
            raise self.away
        if self.asleep is not None and self.refuses:
            raise self.asleep
        with self._observers.calling(ModelCall(self._model.name, request.priority)) as call:
            async with self.scheduler.slot(request) as priority:
                call.started = time.monotonic()
                if request.deadline is not None and call.started >= request.deadline:
                    call.started = None
                    raise DeadlineExceeded("The deadline passed before the judge was asked.")
                if priority != request.priority:
                    request = replace(request, priority=priority)
                try:
                    if self._spending is not None and self._spending.active:
                        completion = await self._paid(self._spending, request)
                    else:
                        completion = await self._priced(request)
                except UnusableCompletion as fault:
                    call.usage = fault.usage
                    raise
                call.usage = completion.usage
                if self._model.capacity != self.scheduler.capacity:
                    self.scheduler.capacity = self._model.capacity
                return completion

    async def _priced(self, request: Request) -> Completion:
        """An answer that cannot be used has its price too."""
        price = self._price
        if price is None:
            return await self._model.complete(request)
        try:
            completion = await self._model.complete(request)
        except UnusableCompletion as fault:
            fault.usage = fault.usage.charged(price)
            raise
        return replace(completion, usage=completion.usage.charged(price))

    async def _paid(self, spending: Spending, request: Request) -> Completion:
        """Asks only if the budgets of caller and run have something left, and charges them. Raises BudgetSpent."""
        spending.require()
        try:
            completion = await self._priced(request)
        except UnusableCompletion as fault:
            spending.charge(self.name, fault.usage, priced=self._price is not None)
            raise
        spending.charge(self.name, completion.usage, priced=self._price is not None)
        return completion

    @property
    def sleeper(self) -> Sleeper:
        """Raises CannotSleep for a model without an engine that can."""
        return sleeper_of(self._model)

    async def healthy(self) -> bool:
        """An engine that sleeps by order is not ill."""
        return self.asleep is not None or (self.away is None and await self._model.healthy())

    async def close(self) -> None:
        if self._awaiting is not None:
            self._awaiting.cancel()
            await asyncio.gather(self._awaiting, return_exceptions=True)
        await self._model.close()


def any_waiting(models: Iterable[ScheduledModel]) -> bool:
    """Whether a request waits for one of the models, which means that they are saturated."""
    return any(model.scheduler.waiting for model in models)


class Scheduler:
    """Admits requests while fewer than ``capacity`` prompts are under way. ``least_share``: see ``FairQueue``."""

    def __init__(self, capacity: int, least_share: float = 0.0) -> None:
        self._capacity = max(capacity, 1)
        self.in_flight = 0
        self._paused = False
        self._idle = asyncio.Event()
        self.queue = FairQueue(least_share)

    @property
    def capacity(self) -> int:
        return self._capacity

    @capacity.setter
    def capacity(self, capacity: int) -> None:
        self._capacity = max(capacity, 1)
        self._admit()

    @property
    def waiting(self) -> int:
        return self.queue.waiting

    async def pause(self, seconds: float) -> None:
        """Admit no more requests, and wait for those under way. Raises DeadlineExceeded if they take longer than
        ``seconds``; then requests are admitted again."""
        self._paused = True
        try:
            with within(seconds):
                while self.in_flight:
                    self._idle.clear()
                    await self._idle.wait()
        except BaseException as fault:
            self.resume()
            if isinstance(fault, TimeoutError):
                raise DeadlineExceeded(
                    f"{self.in_flight} requests were still under way after {seconds:g} s.",
                    remedy="Allow more drain_seconds, or try again later.",
                ) from None
            raise

    def resume(self) -> None:
        self._paused = False
        self._admit()

    def waiting_of(self, priority: Priority) -> int:
        return self.queue.waiting_of(priority)

    def slot(self, request: Request) -> "_Slot":
        """Hold a slot inside ``async with``, which gives the class in which it was granted. Raises DeadlineExceeded
        if the request's deadline passes first."""
        waiters = current_waiters.get()
        size = len(request.answer.questions) if isinstance(request.answer, LabelBatch) else 1
        return _Slot(self, self._waiter(request, waiters), request.prompt.prefix, request.deadline, waiters, size)

    def slot_for(self, waiter: Waiter, prefix: tuple[str, ...] = ()) -> "_Slot":
        """The same for work other than a model request. Work with the same prefix stays together."""
        return _Slot(self, waiter, prefix)

    def take_free(self, size: int) -> bool:
        """Take ``size`` slots if one is free and no request waits: a request with several prompts starts as a whole."""
        if self.in_flight >= self._capacity or self.queue.waiting or self._paused:
            return False
        self.in_flight += size
        return True

    async def take(self, slot: "_Slot") -> Priority:
        """Wait until the slot is granted; returns the class in which it was granted."""
        admitted = asyncio.get_running_loop().create_future()
        entry = slot.entry = self.queue.join(*slot.first, slot.prefix)
        entry.admitted, entry.size = admitted, slot.size
        self.queue.push(entry)
        self._admit()
        if slot.waiters is not None:
            slot.waiters.listen(slot.move)
        try:
            with until(slot.deadline):
                await admitted
        except BaseException as fault:
            if admitted.done() and not admitted.cancelled():
                self.give_back(slot.size)  # the slot was granted just as the wait ended
            elif slot.entry.queued:
                self.queue.leave(slot.entry)
            self.queue.release(slot.entry)
            if isinstance(fault, TimeoutError):
                raise DeadlineExceeded("The deadline passed while the request waited for the judge.") from None
            raise
        finally:
            if slot.waiters is not None:
                slot.waiters.unlisten(slot.move)
        return slot.entry.queue.priority

    def give_back(self, size: int) -> None:
        """Free ``size`` slots."""
        self.in_flight -= size
        if not self.in_flight:
            self._idle.set()
        self._admit()

    def move(self, slot: "_Slot") -> None:
        """Move a waiting request to the queue of its most urgent waiter."""
        old = slot.entry
        if old is None or not old.queued or slot.waiters is None:
            return
        waiter = self._most_urgent(slot.waiters.all)
        if waiter == (old.queue.priority, old.queue.caller):
            return
        new = self.queue.join(*waiter, slot.prefix)
        new.admitted, new.size, slot.entry = old.admitted, old.size, new
        self.queue.leave(old)
        self.queue.release(old)
        self.queue.push(new)

    def _admit(self) -> None:
        while self.queue.waiting and self.in_flight < self._capacity and not self._paused:
            entry = self.queue.pop()
            admitted = entry.admitted
            if admitted is not None and not admitted.done():  # a cancelled task may still be queued
                self.in_flight += entry.size
                admitted.set_result(None)

    def _waiter(self, request: Request, waiters: Waiters | None) -> Waiter:
        if waiters is None or not waiters.all:
            return Waiter(request.priority, current_caller.get().name)
        return waiters.all[0] if len(waiters.all) == 1 else self._most_urgent(waiters.all)

    def _most_urgent(self, waiters: list[Waiter]) -> Waiter:
        """By class, and then by the shortest queue."""
        return min(waiters, key=lambda waiter: (waiter.priority, self.queue.waiting_in(*waiter)))


class _Slot:
    """A request from its arrival to its end. ``entry`` is None if a slot was free; it changes when the request moves to
    another queue. ``size``: how many slots it takes."""

    __slots__ = ("_scheduler", "deadline", "entry", "first", "prefix", "size", "waiters")

    def __init__(
        self,
        scheduler: Scheduler,
        first: Waiter,
        prefix: tuple[str, ...],
        deadline: float | None = None,
        waiters: Waiters | None = None,
        size: int = 1,
    ) -> None:
        self._scheduler = scheduler
        self.size = size
        self.first = first
        self.entry: QueueEntry | None = None
        self.prefix = prefix
        self.deadline = deadline
        self.waiters = waiters

    async def __aenter__(self) -> Priority:
        if self._scheduler.take_free(self.size):
            return self.first.priority
        return await self._scheduler.take(self)

    async def __aexit__(self, *_: object) -> None:
        self._scheduler.give_back(self.size)
        if self.entry is not None:
            self._scheduler.queue.release(self.entry)

    def move(self) -> None:
        self._scheduler.move(self)
