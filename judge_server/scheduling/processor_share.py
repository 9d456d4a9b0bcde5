"""The event loop's processor time, shared by caller.

Every task runs in steps, from one await to the next. Steps of callers who used more than others, and of work in the
background, take turns while others are active. After each its caller pauses, longer the longer the step took and the
more others of the same caller wait: so the short waits of a modest caller's request (for a thread, a lock, a quick
answer) are not each followed by a foreign step, however many tasks others have, and its threads get the interpreter's
lock. Who used more, but has one short step at a time, waits for less than the step takes, however often others wake up
and however many of their steps wait. No pause is longer than ``_HELD_SECONDS`` for each caller that waits, and it ends
once the loop had ``_QUIET_SECONDS`` for steps of others and none came.
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
_QUANTUM_SECONDS: Final = 0.002  # of processor time that a caller may be ahead
_ACTIVE_SECONDS: Final = 0.250  # after its last step a caller counts as active
_CREDIT_SECONDS: Final = 0.001  # of processor time that a caller who was not active may be behind
_HALVED_SECONDS: Final = 0.5  # after which what a caller used counts half
_REVIEW_SECONDS: Final = 0.005
_WATCHED_SECONDS: Final = 0.002  # shorter steps are too short to have been interrupted often
_FORGOTTEN_SECONDS: Final = 5.0
# Without a step of others, and with time for one. A lookup and a commit take 1 ms, and longer while steps hold the
# interpreter's lock: who waits for them has not gone.
_QUIET_SECONDS: Final = 0.008
_HELD_SECONDS: Final = 0.005  # after which a turn is given although others run
_PAUSE: Final = 0.5  # after a step of who is ahead with few steps at a time, in times that it took
_MANY_PAUSE: Final = 2.0  # more, after one of who has many, while one with few is active
_MOST_PAUSE: Final = 3.5  # more, after one of who is ahead, with one for each further step that waits
_FEW: Final = 2  # steps of a single request that wait
_LATELY: Final = 0.9  # of the steps that waited, after 5 ms
_BACKGROUND_PAUSE: Final = 30.0
_TURN_SECONDS: Final = 0.00003  # to give a turn takes so long beside the step
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
    """``used``: seconds of processor time, halved every ``_HALVED_SECONDS``; ``last``: the time of the last step;
    ``due``: when the pause after it ends; ``waiting``: steps, some of which may be of cancelled tasks; ``many``: the
    most that waited lately, beyond ``_FEW``."""

    used: float = 0.0
    last: float = 0.0
    due: float = 0.0
    waiting: int = 0
    many: float = 0.0


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
        self._foreground = 0  # callers that were active lately
        self._some_have_few = False  # of them, steps at a time
        self._turns: Turns[asyncio.Future[None]] = Turns()
        self._passing = False
        self._latest: _Account | None = None  # whose step ended last
        self._ended = 0.0  # when that was
        self._others_ended = 0.0  # when one of somebody else did, and the time of those since

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
        if account is None or (not account.waiting and self._may_pass(share, now)):
            return None
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.turns += 1
        self._turns.push(share, future)
        account.waiting += 1
        account.many = max(account.many, account.waiting - _FEW)
        if not self._passing:
            self._passing = True
            asyncio.get_running_loop().call_soon(self._pass)
        return future

    def count(self, share: TimeShare | None, started: float, ended: float, pause: float = 0.0) -> None:
        """A step of ``share`` took from ``started`` to ``ended``, in seconds of ``perf_counter``. A long one counts
        with its processor time, because the machine may have run other programs meanwhile. ``pause``: seconds more
        that its caller pauses while others are active."""
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
        if account is self._latest:
            self._others_ended += ended - started  # meanwhile others could not run
        else:
            self._latest, self._others_ended = account, self._ended + ended - started
        self._ended = ended
        if self.contended:
            self._pause_after(share, account, seconds, started, pause)
        if ended - self._reviewed >= _REVIEW_SECONDS:
            self._review(ended)

    def _pause_after(self, share: TimeShare, account: _Account, seconds: float, started: float, more: float) -> None:
        """Steps of those ahead take at most a fifth of the time if many wait, and two thirds if there is only one."""
        times = 0.0
        if share.background:
            times = _BACKGROUND_PAUSE
        elif account.used > self._most:
            times = _PAUSE + min(account.many, _MOST_PAUSE) * max(len(self._turns), 1)
        elif account.many >= 1 and self._some_have_few:
            times = _MANY_PAUSE * max(len(self._turns), 1)
        most = _HELD_SECONDS * max(len(self._turns), 1)
        pause = (seconds + _TURN_SECONDS) * times + more
        account.due = min(max(account.due, started) + seconds + pause, account.last + most)

    def _review(self, now: float) -> None:
        passed = now - self._reviewed
        if passed < _REVIEW_SECONDS:
            return
        self._reviewed = now
        self._mark = thread_time()
        kept = 0.5 ** (passed / _HALVED_SECONDS)
        lately = _LATELY ** (passed / _REVIEW_SECONDS)
        self._some_have_few = False
        active = []
        background = 0
        for share, account in list(self._accounts.items()):
            account.used *= kept
            account.many *= lately
            idle = now - account.last
            if idle < _ACTIVE_SECONDS:
                if share.background:
                    background += 1
                else:
                    active.append(account.used)
                    self._some_have_few |= account.many < 1
            elif idle > _FORGOTTEN_SECONDS and not account.waiting:
                del self._accounts[share]
        self._foreground = len(active)
        self._most = min(active) + _QUANTUM_SECONDS if active else float("inf")
        self._least = max(min(active) - _CREDIT_SECONDS, 0.0) if active else 0.0
        self.contended = self._passing or len(active) + background > 1  # turns are given while some wait

    def _may_pass(self, share: TimeShare, now: float) -> bool:
        """Whether a step of ``share`` may run: its pause is over, or nobody else's steps run."""
        account = self._accounts[share]
        if not self._foreground or (self._foreground == 1 and not share.background and account.used <= self._most):
            return True
        quiet_since = self._others_ended if account is self._latest else self._ended
        return now >= account.due - _SOON_SECONDS or now - quiet_since >= _QUIET_SECONDS

    def _pass(self) -> None:
        """Give one turn if it is time for one, and look again in the next pass of the loop."""
        now = perf_counter()
        found = self._turns.pop_of(lambda share: self._may_pass(share, now))
        if found is not None:
            share, future = found
            self._accounts[share].waiting -= 1
            if not future.done():  # it is if its task was cancelled
                future.set_result(None)
        if not self._turns:
            self._passing = False
        elif found is not None:
            asyncio.get_running_loop().call_soon(self._pass)
        else:
            asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._pass)


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
