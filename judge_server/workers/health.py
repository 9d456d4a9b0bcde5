"""Whether the server can do its work: can the store be written, is there room on its disk, does the default judge
answer.

A judge is suspected if its server refuses calls that no other call would pass either, or if for a while every judgment
had no reward. Then the server asks it a question of its own, because an unready server gets no traffic that would show
its recovery. A caller whose judgments fail for reasons of his own makes no server unready.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal, Protocol, get_args

from judge_server.core.errors import JudgeRefused, JudgeServerError, ModelUnavailable, StoreUnavailable
from judge_server.judging.answer import Judge, Terms
from judge_server.judging.canary import unanswered
from judge_server.models.protocol import Priority
from judge_server.store.store import Store
from judge_server.util.time_limit import within

_LOG = logging.getLogger(__name__)
_WRITE_SECONDS: Final = 3.0
_TOO_SLOW_SECONDS: Final = 10.0
_PROBE_SECONDS: Final = 20.0
_LONGEST_PAUSE_SECONDS: Final = 30.0
_SHORTEST_RETRY, _LONGEST_RETRY = 5.0, 60.0
Part = Literal["store", "disk", "judge"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)


@dataclass(frozen=True, slots=True)
class HealthFault:
    """``since``: seconds of ``time.monotonic()``."""

    part: Part
    error: JudgeServerError
    since: float


@dataclass(frozen=True, slots=True)
class HealthLimits:
    """``seconds`` between two looks; ``least_bytes``: free space on the disk of a SQLite database."""

    seconds: float = 5.0
    least_bytes: int = 64 * 2**20


class Streak(Protocol):
    """What is known of a judge's nulls since its last reward. ``suspected``: set when they look like a fault of the
    judge."""

    suspected: asyncio.Event

    @property
    def open(self) -> bool:
        """Whether no reward came since a null."""

    @property
    def suspicious(self) -> bool:
        """Whether they look like a fault of the judge."""

    def end(self) -> None:
        """The judge has answered."""


class Health:
    """Looks at the store, the disk and the judge every few seconds. ``judge``: the default one; None if only programs
    decide. ``free_bytes``: on the database's disk, as of the last look. ``asleep``: whether a model sleeps by order;
    then no judge is looked at. ``away``: why a model of the judge is not there since the start; None if it is."""

    def __init__(
        self,
        store: Store,
        judge: Judge | None,
        streak: Streak,
        limits: HealthLimits | None = None,
        asleep: Callable[[], bool] = lambda: False,
        away: Callable[[], ModelUnavailable | None] = lambda: None,
    ) -> None:
        self._away = away
        self._asleep = asleep
        self._store = store
        self._judge = judge
        self._streak = streak
        self._limits = limits or HealthLimits()
        self.free_bytes: int | None = None
        self._faults: dict[Part, HealthFault] = {}
        self._writing: asyncio.Task[None] | None = None
        self._probes = 0
        self._probe_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._look_again_and_again(), name="health")

    async def close(self) -> None:
        """A write that hangs is left to the store."""
        running = [task for task in (self._task, self._writing) if task is not None]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    @property
    def faults(self) -> tuple[HealthFault, ...]:
        """What keeps the server from its work, as of the last look; each error with a Retry-After that grows with the
        outage, except where waiting does not help."""
        for fault in self._faults.values():
            if not isinstance(fault.error, JudgeRefused):
                lasted = time.monotonic() - fault.since
                fault.error.retry_after_seconds = min(max(lasted / 4, _SHORTEST_RETRY), _LONGEST_RETRY)
        return tuple(self._faults.values())

    async def look(self) -> None:
        """Look at everything once."""
        await self._look_at_store()
        await self._look_at_disk()
        await self._look_at_judge()

    async def _look_again_and_again(self) -> None:
        while True:
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - one failed look must not be the last
                _LOG.exception("the look at the server's health failed")
            with suppress(TimeoutError), within(self._limits.seconds):
                await self._streak.suspected.wait()
            self._streak.suspected.clear()

    async def _look_at_store(self) -> None:
        if self._writing is None:
            self._writing = asyncio.create_task(self._store.prove_writable(), name="health-write")
        done, _ = await asyncio.wait([self._writing], timeout=_WRITE_SECONDS)
        if not done:
            self._note("store", lambda: StoreUnavailable(
                f"The database takes no write within {_WRITE_SECONDS:g} s.",
                remedy="It is locked, slow or away: check it.",
            ))  # fmt: skip
            return
        written, self._writing = self._writing, None
        fault = written.exception()
        late = self._store.traffic.too_slow_seconds
        if fault is None and late >= _TOO_SLOW_SECONDS:
            self._note("store", lambda: StoreUnavailable(
                f"For {late:.0f} s no judgment was stored in the time that its caller had.",
                remedy="The database is slow or locked at times: check its load, or give callers longer deadlines.",
            ))  # fmt: skip
        elif fault is None:
            self._settle("store")
        elif isinstance(fault, JudgeServerError):
            told = fault
            self._note("store", lambda: StoreUnavailable(told.detail, remedy=told.remedy))
        else:
            raise fault

    async def _look_at_disk(self) -> None:
        self.free_bytes = free = await asyncio.to_thread(self._store.free_bytes)
        if free is None or free >= self._limits.least_bytes:
            self._settle("disk")
            return
        room, least = free / 2**20, self._limits.least_bytes / 2**20
        self._note("disk", lambda: StoreUnavailable(
            f"The disk of the database has {room:.0f} MiB left, fewer than {least:g}.",
            remedy="Free space on it: judge-server database prune removes old judgments.",
        ))  # fmt: skip

    async def _look_at_judge(self) -> None:
        if self._judge is None or self._asleep():
            return
        if not await self._judge.healthy():
            detail, away = f"The judge {self._judge.specification.name!r} does not answer.", self._away()
            self._note("judge", lambda: ModelUnavailable(
                detail if away is None else f"{detail} {away.detail}",
                remedy="Its server's log says more." if away is None else away.remedy,
            ))  # fmt: skip
            return
        if not self._streak.open or not (self._probes or self._streak.suspicious):
            self._settle("judge")
            return
        if time.monotonic() < self._probe_at:
            return
        terms = Terms.within(_PROBE_SECONDS, Priority.INTERACTIVE)
        failure = await unanswered(self._judge, terms)
        if failure is None:
            self._streak.end()
            self._probes, self._probe_at = 0, 0.0
            self._settle("judge")
            return
        pause = min(self._limits.seconds * 1.5**self._probes, _LONGEST_PAUSE_SECONDS)
        self._probes, self._probe_at = self._probes + 1, time.monotonic() + pause
        family = JudgeRefused if failure.type == JudgeRefused.type else ModelUnavailable
        detail = f"The judge {self._judge.specification.name!r} gives no verdict ({failure.type}): {failure.detail}"
        self._note("judge", lambda: family(detail, remedy="Its server's log and judge-server doctor say more."))

    def _note(self, part: Part, error: Callable[[], JudgeServerError]) -> None:
        before = self._faults.get(part)
        self._faults[part] = HealthFault(part, error(), time.monotonic() if before is None else before.since)
        if before is None:
            _LOG.warning("not ready: %s", self._faults[part].error)

    def _settle(self, part: Part) -> None:
        fault = self._faults.pop(part, None)
        if fault is not None:
            _LOG.warning("the %s is well again after %.0f s", part, time.monotonic() - fault.since)
