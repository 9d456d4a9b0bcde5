"""The event loop's processor time, shared by caller.

Every task runs in steps, from one await to the next. Steps of callers who used more than others, and of work in the
background, take turns while others are active. After each there is a pause, longer the longer the step took and the
more others of its kind wait: so the short waits of a modest caller's request (for a thread, a lock, a quick answer) are
not each followed by a wait for a foreign step, however many tasks others have. Who used more, but has one short step at
a time, waits for less than the step takes, however often others wake up. No pause is longer than ``_HELD_SECONDS``, and
it ends once the loop had ``_QUIET_SECONDS`` for steps of others and none came.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Generator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter, thread_time
from typing import Any, Final, NamedTuple

from judge_server.util.turns import Turns

LONG_STEP_SECONDS: Final = 0.050
_QUANTUM_SECONDS: Final = 0.010  # of processor time that a caller may be ahead
_ACTIVE_SECONDS: Final = 0.250  # after its last step a caller counts as active
_CREDIT_SECONDS: Final = 0.005  # of processor time that a caller who was not active may be behind
_HALVED_SECONDS: Final = 0.5  # after which what a caller used counts half
_REVIEW_SECONDS: Final = 0.005
_WATCHED_SECONDS: Final = 0.002  # shorter steps are too short to have been interrupted often
_FORGOTTEN_SECONDS: Final = 5.0
_QUIET_SECONDS: Final = 0.002  # without a step of others, and with time for one
_HELD_SECONDS: Final = 0.005  # after which a turn is given although others run
_PAUSE: Final = 0.5  # after a step behind which none waits, in times that it took
_PAUSE_FOR_EACH: Final = 1.0  # that waits
_MOST_PAUSE: Final = 4.0
_BACKGROUND_PAUSE: Final = 30.0
_LOOK_SECONDS: Final = 0.001
_SOON_SECONDS: Final = 0.0005  # a pause is not waited for if it ends so soon: a timer takes a millisecond


class TimeShare(NamedTuple):
    """Whose time a task takes. Work in the background waits for all callers."""

    caller: str
    background: bool = False


# None: the server's own work, which never waits
current_share: ContextVar[TimeShare | None] = ContextVar("current_share", default=None)


@dataclass(slots=True)
class _Account:
    """``used``: seconds of processor time, halved every ``_HALVED_SECONDS``; ``last``: the time of the last step."""

    used: float = 0.0
    last: float = 0.0


class ProcessorShares:
    """``sharing`` makes the running loop's tasks share its time. ``longest_step`` and ``long_steps`` are seconds and
    number of the steps that held the loop for more than ``LONG_STEP_SECONDS`` of processor time; ``turns`` counts
    the steps that had to wait. ``contended``: more than one share was active lately; without it no step can wait."""

    def __init__(self) -> None:
        self.longest_step = 0.0
        self.long_steps = 0
        self.turns = 0
        self.contended = False
        self._accounts: dict[TimeShare, _Account] = {}
        self._reviewed = 0.0
        self._mark = 0.0  # processor time of the thread at the last review or long step
        self._most = float("inf")  # what a caller may have used without waiting
        self._least = 0.0  # what a caller who comes back counts as having used
        self._foreground = False  # whether a caller was active lately
        self._turns: Turns[asyncio.Future[None]] = Turns()
        self._waiting = 0  # steps, some of which may be of cancelled tasks
        self._passing = False
        self._ran = 0.0  # when a step ended that need not wait, and the time of those since that had to
        self._due = 0.0  # when the pause after the last turn ends

    @asynccontextmanager
    async def sharing(self) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        loop.set_task_factory(self._task)
        try:
            yield
        finally:
            loop.set_task_factory(None)

    def _task(
        self,
        loop: asyncio.AbstractEventLoop,
        work: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
        **options: Any,
    ) -> asyncio.Future[Any]:
        return asyncio.Task(_Stepped(work, self), loop=loop, **options)

    def turn(self, share: TimeShare) -> "asyncio.Future[None] | None":
        """What a step of ``share`` has to wait for; None if it may run now."""
        now = perf_counter()
        self._review(now)
        account = self._accounts.get(share)
        waits = self._foreground if share.background else account is not None and account.used > self._most
        if not waits or (not self._passing and now >= self._due - _SOON_SECONDS):
            return None
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.turns += 1
        self._turns.push(share, future)
        self._waiting += 1
        if not self._passing:
            self._passing = True
            asyncio.get_running_loop().call_soon(self._pass)
        return future

    def count(self, share: TimeShare | None, started: float, ended: float) -> None:
        """A step of ``share`` took from ``started`` to ``ended``, in seconds of ``perf_counter``. A long one counts
        with its processor time, because the machine may have run other programs meanwhile."""
        seconds = ended - started
        if seconds > _WATCHED_SECONDS:
            used = thread_time()
            seconds = min(seconds, used - self._mark)
            self._mark = used
            self.longest_step = max(self.longest_step, seconds)
            if seconds > LONG_STEP_SECONDS:
                self.long_steps += 1
        if share is None:
            return
        account = self._accounts.get(share)
        if account is None:
            account = self._accounts[share] = _Account()
            self.contended = len(self._accounts) > 1
        if ended - account.last >= _ACTIVE_SECONDS:  # who came back in bursts would run ahead of everyone each time
            account.used = max(account.used, self._least)
        account.used += seconds
        account.last = ended
        if share.background or account.used > self._most:
            self._pause_after(share, seconds, started, ended)
        else:
            self._ran = ended
        if ended - self._reviewed >= _REVIEW_SECONDS:
            self._review(ended)

    def _pause_after(self, share: TimeShare, seconds: float, started: float, ended: float) -> None:
        """Steps of those ahead take at most a fifth of the time if many wait, and two thirds if there is only one."""
        times = _BACKGROUND_PAUSE if share.background else min(_PAUSE + _PAUSE_FOR_EACH * self._waiting, _MOST_PAUSE)
        self._due = min(max(self._due, started) + seconds * (1 + times), ended + _HELD_SECONDS)
        self._ran += ended - started  # meanwhile others could not run

    def _review(self, now: float) -> None:
        passed = now - self._reviewed
        if passed < _REVIEW_SECONDS:
            return
        self._reviewed = now
        self._mark = thread_time()
        kept = 0.5 ** (passed / _HALVED_SECONDS)
        active = []
        background = 0
        for share, account in list(self._accounts.items()):
            account.used *= kept
            idle = now - account.last
            if idle < _ACTIVE_SECONDS:
                if share.background:
                    background += 1
                else:
                    active.append(account.used)
            elif idle > _FORGOTTEN_SECONDS:
                del self._accounts[share]
        self._foreground = bool(active)
        self._most = min(active) + _QUANTUM_SECONDS if active else float("inf")
        self._least = max(min(active) - _CREDIT_SECONDS, 0.0) if active else 0.0
        self.contended = self._passing or len(active) + background > 1  # turns are given while some wait

    def _may_pass(self, now: float) -> bool:
        """Whether a turn may be given: the pause after the last one is over, or nobody else's steps run."""
        return now >= self._due - _SOON_SECONDS or now - self._ran >= _QUIET_SECONDS

    def _pass(self) -> None:
        """Give one turn if it is time, and look again in the next pass of the loop."""
        if not self._may_pass(perf_counter()):
            asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._pass)
            return
        while self._turns:
            future = self._turns.pop()
            self._waiting -= 1
            if not future.done():  # it is if its task was cancelled
                future.set_result(None)
                break
        if self._turns:
            asyncio.get_running_loop().call_soon(self._pass)
        else:
            self._passing = False


class _Stepped(Coroutine[Any, Any, Any]):
    """A coroutine whose steps are counted, and wait for their turn."""

    __slots__ = ("_shares", "_waiting", "_work")

    def __init__(self, work: Any, shares: ProcessorShares) -> None:
        self._work = work
        self._shares = shares
        self._waiting = False

    def send(self, value: Any) -> Any:
        shares, share = self._shares, current_share.get()
        if self._waiting:
            self._waiting = False
        elif shares.contended and share is not None:
            turn = shares.turn(share)
            if turn is not None:
                self._waiting = True
                return next(turn.__await__())  # marks the future as awaited, and is it
        started = perf_counter()
        try:
            return self._work.send(value)
        finally:
            shares.count(share or current_share.get(), started, perf_counter())

    def throw(self, *fault: Any) -> Any:
        self._waiting = False
        return self._work.throw(*fault)

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        result: Generator[Any, Any, Any] = self._work.__await__()
        return result

    def __getattr__(self, name: str) -> Any:
        """``cr_frame`` and other attributes, for stack traces and libraries."""
        return getattr(self._work, name)
