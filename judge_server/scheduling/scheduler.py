"""Who is asked next: by priority class, then one caller after the other, and for each neighbours by shared prefix.

The number in flight is bounded by what the model can use; what waits can be cancelled, and a deadline that passes in
the queue ends the wait. Work that several callers share stands where the most urgent of them puts it, and moves when
they come and go.
"""

import asyncio
import time

from judge_server.core.caller import current_caller
from judge_server.core.errors import DeadlineExceeded
from judge_server.models.protocol import Priority, Request
from judge_server.scheduling.line import QueueEntry
from judge_server.scheduling.turns import FairQueue
from judge_server.scheduling.urgency import Waiter, Waiters, current_urgency


class Scheduler:
    """Admits at most ``capacity`` holders at a time. ``least_share``: see ``FairQueue``."""

    def __init__(self, capacity: int, least_share: float = 0.0) -> None:
        self._capacity = max(capacity, 1)
        self.in_flight = 0
        self.turns = FairQueue(least_share)

    @property
    def capacity(self) -> int:
        return self._capacity

    @capacity.setter
    def capacity(self, capacity: int) -> None:
        self._capacity = max(capacity, 1)
        self._admit()

    @property
    def waiting(self) -> int:
        return self.turns.waiting

    def waiting_of(self, priority: Priority) -> int:
        return self.turns.waiting_of(priority)

    def slot(self, request: Request) -> "_Slot":
        """Hold one of the places inside ``async with``, which gives the class in which it was given. Raises
        DeadlineExceeded when the request's deadline passes first."""
        urgency = current_urgency.get()
        return _Slot(self, request, urgency, self._want(request, urgency))

    async def take(self, seat: "_Slot") -> None:
        """Wait until the seat has one of the places."""
        if self.in_flight < self._capacity and not self.turns.waiting:
            self.in_flight += 1
            return
        admitted = seat.place.admitted = asyncio.get_running_loop().create_future()
        self.turns.push(seat.place)
        self._admit()
        if seat.urgency is not None:
            seat.urgency.listen(seat.move)
        try:
            async with asyncio.timeout(None if seat.deadline is None else seat.deadline - time.monotonic()):
                await admitted
        except BaseException as fault:
            if admitted.done() and not admitted.cancelled():
                self.give_back()  # the place was given in the very moment in which the wait ended
            elif seat.place.queued:
                self.turns.leave(seat.place)
            if isinstance(fault, TimeoutError):
                raise DeadlineExceeded("The deadline passed while the request waited for the judge.") from None
            raise
        finally:
            if seat.urgency is not None:
                seat.urgency.unlisten(seat.move)

    def give_back(self) -> None:
        """One of the places is free again."""
        self.in_flight -= 1
        self._admit()

    def _admit(self) -> None:
        while self.turns.waiting and self.in_flight < self._capacity:
            admitted = self.turns.pop().admitted
            if admitted is not None and not admitted.done():  # its task may be cancelled, not yet gone
                self.in_flight += 1
                admitted.set_result(None)

    def _want(self, request: Request, urgency: Waiters | None) -> Waiter:
        """The most urgent class in which it is wanted, and there the caller with the shortest line."""
        if urgency is None or not urgency.wants:
            return Waiter(request.priority, current_caller.get().name)
        return urgency.wants[0] if len(urgency.wants) == 1 else self._best(urgency.wants)

    def _best(self, wants: list[Waiter]) -> Waiter:
        return min(wants, key=lambda want: (want.priority, self.turns.waiting_in(*want)))

    def move(self, seat: "_Slot") -> None:
        """To the line where it is wanted most, if it waits."""
        old = seat.place
        if not old.queued or seat.urgency is None:
            return
        want = self._best(seat.urgency.wants)
        if want == (old.line.priority, old.line.caller):
            return
        new = self.turns.line(*want).join(seat.prefix)
        new.admitted, seat.place = old.admitted, new
        self.turns.leave(old)
        self.turns.release(old)
        self.turns.push(new)


class _Slot:
    """A request from its coming to its going. ``place`` changes while it waits, with those who wait for it."""

    __slots__ = ("_schedule", "_want", "deadline", "place", "prefix", "urgency")
    place: QueueEntry

    def __init__(self, schedule: Scheduler, request: Request, urgency: Waiters | None, want: Waiter) -> None:
        self._schedule = schedule
        self._want = want
        self.prefix = request.prompt.prefix
        self.deadline = request.deadline
        self.urgency = urgency

    async def __aenter__(self) -> Priority:
        turns = self._schedule.turns
        self.place = turns.line(*self._want).join(self.prefix)
        try:
            await self._schedule.take(self)
        except BaseException:
            turns.release(self.place)
            raise
        return self.place.line.priority

    async def __aexit__(self, *_: object) -> None:
        self._schedule.give_back()
        self._schedule.turns.release(self.place)

    def move(self) -> None:
        self._schedule.move(self)
