"""Admission: engines queue without bound, so admission limits the submissions under way and refuses the rest early,
with an estimate of when there will be room."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Protocol

from judge_server.core.caller import current_caller
from judge_server.core.errors import AllowanceSpent, Draining, Overloaded, TooLarge
from judge_server.models.protocol import Priority
from judge_server.scheduling.load import Bound, ClassLoad
from judge_server.util.time_limit import within

MOST_STEPS = 256
_UNBOUNDED_QUESTIONS = 2**62


class SharedCounts(Protocol):
    """Submissions under way in all processes of the server."""

    def hold(self, caller: str, submissions: int, limit: int) -> int | None:
        """Counts them; what is under way already if that would exceed the limit."""

    def under_way(self, caller: str) -> int: ...


class Quota:
    """Submissions under way for each caller. Callers whose API key has no limit are not counted. ``shared``: the counts
    of all processes, if there are several."""

    def __init__(self, shared: SharedCounts | None = None) -> None:
        self._shared = shared
        self._under_way: Counter[str] = Counter()

    def require_room(self, submissions: int, retry_after_seconds: Callable[[], float]) -> None:
        """Raises AllowanceSpent if there is no room now, and TooLarge if there never will be."""
        caller = current_caller.get()
        limit = caller.allowance.submissions_under_way
        if limit is None:
            return
        if submissions > limit:
            raise TooLarge(
                f"{submissions} submissions are more than the {limit} that the API key may have under way.",
                remedy="Split the request.",
                max_items=limit,
            )
        under_way = self._under_way[caller.name] if self._shared is None else self._shared.under_way(caller.name)
        if under_way + submissions > limit:
            raise AllowanceSpent(
                f"The API key has {under_way} submissions under way, and may have {limit}.",
                remedy="Wait as long as Retry-After says, then send the request again.",
                retry_after_seconds=retry_after_seconds(),
            )

    @contextmanager
    def holding(self, submissions: int) -> Iterator[None]:
        """Count ``submissions`` as under way inside the block."""
        caller = current_caller.get()
        if caller.allowance.submissions_under_way is None:
            yield
            return
        limit = caller.allowance.submissions_under_way
        if self._shared is not None:
            if (taken := self._shared.hold(caller.name, submissions, limit)) is not None:
                raise AllowanceSpent(
                    f"The API key has {taken} submissions under way, and may have {limit}.",
                    remedy="Wait as long as Retry-After says, then send the request again.",
                    retry_after_seconds=1.0,
                )
            try:
                yield
            finally:
                self._shared.hold(caller.name, -submissions, limit)
            return
        self._under_way[caller.name] += submissions
        try:
            yield
        finally:
            self._under_way[caller.name] -= submissions
            if not self._under_way[caller.name]:
                del self._under_way[caller.name]


class Admission:
    """Bounds what each priority class has under way, and the steps that a submission may have judged one by one.
    ``bounds``: for each class, or the submissions that every class may have. ``shared``: see ``Quota``. What was
    admitted is never dropped."""

    def __init__(
        self,
        bounds: int | Mapping[Priority, Bound],
        most_steps: int = MOST_STEPS,
        saturated: Callable[[], bool] = lambda: True,
        shared: SharedCounts | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if isinstance(bounds, int):
            bounds = dict.fromkeys(Priority, Bound(bounds, _UNBOUNDED_QUESTIONS))
        self.classes = {priority: ClassLoad(bounds[priority], saturated, clock) for priority in Priority}
        self.most_steps = most_steps
        self._clock = clock
        self.draining = False
        self._quota = Quota(shared)
        self._last_request = float("-inf")
        self._empty = asyncio.Event()

    @property
    def under_way(self) -> int:
        """Submissions of all classes."""
        return sum(load.under_way for load in self.classes.values())

    @property
    def seconds_since_a_request(self) -> float:
        """Since ``admit``, which items of jobs do not pass; infinite before the first."""
        return self._clock() - self._last_request

    async def drain(self, seconds: float) -> int:
        """Admit nothing more, wait at most ``seconds`` for submissions under way, and return how many are left."""
        self.draining = True
        if self.under_way:
            with suppress(TimeoutError), within(seconds):
                await self._empty.wait()
        return self.under_way

    def require_open(self) -> None:
        """Raises Draining if the server is shutting down."""
        if self.draining:
            raise Draining("This server is shutting down.", remedy="Send the request again.", retry_after_seconds=5.0)

    def require_room(
        self,
        submissions: int = 1,
        priority: Priority = Priority.INTERACTIVE,
        deadline: float | None = None,
        *,
        waiting: bool = False,
    ) -> None:
        """Raises Overloaded (or Draining) with the seconds after which there will probably be room, and TooLarge for
        more submissions than the caller may ever have under way. ``deadline`` in ``time.monotonic()`` seconds.
        ``waiting``: the caller stays and asks again, so it does not count as rejected."""
        self.require_open()
        load = self.classes[priority]
        left = None if deadline is None else max(deadline - self._clock(), 0.0)
        refusal = load.refusal(submissions, current_caller.get().name, left, sent_away=not waiting)
        if refusal is not None:
            raise Overloaded(
                f"Class {priority.name.lower()}: {refusal.why}.",
                remedy="Wait as long as Retry-After says, then send the request again.",
                retry_after_seconds=refusal.retry_after_seconds,
                priority=priority.name.lower(),
            )
        self._quota.require_room(submissions, load.retry_after_seconds)

    @contextmanager
    def admit(
        self, submissions: int = 1, priority: Priority = Priority.INTERACTIVE, deadline: float | None = None
    ) -> Iterator[None]:
        """Reserve room inside the block for submissions that ``enter`` there. Raises what ``require_room`` raises."""
        self.require_room(submissions, priority, deadline)
        self._last_request = self._clock()
        ticket = _Ticket(self.classes[priority], current_caller.get().name, submissions)
        ticket.load.add(submissions, ticket.caller)
        around = _ticket.set(ticket)
        try:
            with self._quota.holding(submissions):
                yield
        finally:
            _ticket.reset(around)
            self._leave(ticket, ticket.left)

    @contextmanager
    def waiting(self, submissions: int, priority: Priority = Priority.INTERACTIVE) -> Iterator[None]:
        """Hold submissions that wait for others inside the block. They count against the caller's key but not against
        the class: otherwise a full class could deadlock. Raises what ``require_room`` raises."""
        self.require_room(submissions, priority)
        around = _counted.set(True)
        try:
            with self._quota.holding(submissions):
                yield
        finally:
            _counted.reset(around)

    @contextmanager
    def enter(self, submissions: int = 1, priority: Priority = Priority.INTERACTIVE) -> Iterator[None]:
        """Count ``submissions`` as under way inside the block, unless ``admit`` counts them already."""
        load = self.classes[priority]
        ticket = _ticket.get()
        if ticket is not None and ticket.load is load and ticket.left >= submissions:
            ticket.left -= submissions
            try:
                yield
            finally:
                self._leave(ticket, submissions)
            return
        own = _Ticket(load, current_caller.get().name, 0)
        load.add(submissions, own.caller)
        try:
            with nullcontext() if _counted.get() else self._quota.holding(submissions):
                yield
        finally:
            self._leave(own, submissions)

    def retry_after_seconds(self, priority: Priority = Priority.INTERACTIVE) -> float:
        """When there will probably be room for this class."""
        return self.classes[priority].retry_after_seconds()

    def _leave(self, ticket: "_Ticket", submissions: int) -> None:
        ticket.load.remove(submissions, ticket.caller)
        if self.draining and not self.under_way:
            self._empty.set()


@dataclass(slots=True, eq=False)
class _Ticket:
    """A request's admission; ``left``: how many of its submissions have not entered yet."""

    load: ClassLoad
    caller: str
    left: int


_ticket: ContextVar[_Ticket | None] = ContextVar("ticket", default=None)
_counted: ContextVar[bool] = ContextVar("counted", default=False)  # whether the caller's quota counts these already
