"""A run keeps its reward: what answers is compared with what answered first, in every process that shares the store."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from judge_server import __version__
from judge_server.core.caller import current_caller
from judge_server.core.errors import PrereleaseRefused, RewardChanged, StoreUnavailable
from judge_server.core.judgment import NO_JUDGE
from judge_server.core.rubric import Rubric
from judge_server.core.run import NEVER_STOPS, Pin
from judge_server.core.submission import Submission
from judge_server.judging.answer import Judge, Terms
from judge_server.models.protocol import Priority
from judge_server.scoring.calibration_state import ActiveMaps
from judge_server.store.run_records import StandingPins
from judge_server.util.log_throttle import LogThrottle
from judge_server.util.lru import BoundedCache
from judge_server.util.time_limit import until

_LOG = logging.getLogger(__name__)
_MOST_RUNS: Final = 1_000
_MOST_AGREED: Final = 10_000


class PinRecords(Protocol):
    """Where pins are kept: the store."""

    async def pins(self, run: str) -> StandingPins: ...

    async def pin(self, run: str, pins: Sequence[Pin], step: int | None) -> StandingPins: ...

    async def accept(self, run: str, before: Pin, after: str, step: int | None, by: str) -> None: ...


@dataclass(slots=True)
class _KnownRun:
    """What this process knows of a run's pins. ``agreed``: answers that were compared with them, and their notices."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    pinned: dict[tuple[str, str], str] = field(default_factory=dict)
    accepted: frozenset[Pin] = frozenset()
    agreed: dict[tuple[Pin, ...], tuple[str, ...]] = field(default_factory=dict)
    until: float = 0.0

    def agreement(self, answering: tuple[Pin, ...], on_change: str) -> tuple[str, ...] | None:
        """The notices if it is known and still fresh that these may answer."""
        if time.monotonic() >= self.until:
            return None
        notices = self.agreed.get(answering)
        harmless = not notices or on_change == "warn" or not self.stopping(answering)
        return notices if harmless else None

    def changes(self, answering: Sequence[Pin]) -> list[tuple[Pin, Pin]]:
        """Pairs of the pin and what would answer instead."""
        found = ((self.pinned.get((now.kind, now.name), now.value), now) for now in answering)
        return [(Pin(now.kind, now.name, value), now) for value, now in found if value != now.value]

    def stopping(self, answering: Sequence[Pin]) -> list[tuple[Pin, Pin]]:
        """Those of ``changes`` that stop a run."""
        return [(before, now) for before, now in self.changes(answering) if now.kind not in NEVER_STOPS]

    def learn(self, standing: StandingPins, until: float) -> None:
        self.pinned = {(pin.kind, pin.name): pin.value for pin in standing.pinned}
        self.accepted = standing.accepted
        self.agreed.clear()
        self.until = until


class RunPins:
    """``guard``: the version of this server's guard; ``allow_prereleases``: whether versions of rubrics that may change
    may reward training. Another process's pins and repins are noticed after at most
    ``fresh_seconds``; a difference is reported only after the store was asked again."""

    def __init__(
        self,
        records: PinRecords,
        maps: ActiveMaps,
        guard: str,
        *,
        allow_prereleases: bool = False,
        fresh_seconds: float = 5.0,
    ) -> None:
        self._records = records
        self._maps = maps
        self.guard = guard
        self._allow_prereleases = allow_prereleases
        self._fresh_seconds = fresh_seconds
        self._runs: BoundedCache[str, _KnownRun] = BoundedCache(_MOST_RUNS)
        self._throttle = LogThrottle()

    async def agree(self, submission: Submission, rubric: Rubric, judge: Judge | None, terms: Terms) -> tuple[str, ...]:
        """Notices about accepted changes for the judgment; nothing for a submission without a run. The first call of a
        run pins it.

        Raises PrereleaseRefused for training under a named version that may change, RewardChanged if the run is pinned
        to something else and ``on_change`` is stop, and StoreUnavailable if the store does not answer before the
        deadline."""
        if rubric.prerelease and isinstance(submission.rubric, str) and not self._allow_prereleases:
            _refuse_training(submission, rubric, terms)
        if submission.run is None:
            return ()
        answering = self._answering(submission, rubric, judge)
        known = self._runs.get_or_make(submission.run, _KnownRun)
        notices = known.agreement(answering, submission.on_change)
        if notices is not None:
            return notices
        try:
            with until(terms.deadline):
                async with known.lock:
                    notices = known.agreement(answering, submission.on_change)
                    if notices is None:
                        notices = await self._compared(submission, submission.run, known, answering)
                    return notices
        except TimeoutError:
            raise StoreUnavailable("The pins of the run could not be read before the deadline.") from None

    def _answering(self, submission: Submission, rubric: Rubric, judge: Judge | None) -> tuple[Pin, ...]:
        """What would reward this submission now. A rubric that it carries whole cannot change unnoticed."""
        named = submission.rubric if isinstance(submission.rubric, str) else None
        speaker = NO_JUDGE if judge is None else judge.reference
        judge_name = f"{submission.judge or 'default judge'}{' with reasons' if submission.explain else ''}"
        maps = self._maps.find(speaker.fingerprint, rubric.digest)
        found = [Pin("guard", "", self.guard), Pin("server", "", __version__)]
        if judge is not None:
            found.append(Pin("judge", judge_name, f"{speaker.model} {speaker.mode} {speaker.fingerprint}"))
        if named is not None:
            found.append(Pin("rubric", named, f"{rubric.name} {rubric.digest}"))
        if judge is not None and (named is not None or maps is not None):
            found.append(Pin("maps", f"{judge_name}, {named or rubric.digest}", "none" if maps is None else maps.id))
        return tuple(found)

    async def _compared(
        self, submission: Submission, run: str, known: _KnownRun, answering: tuple[Pin, ...]
    ) -> tuple[str, ...]:
        await self._learn(run, known)
        missing = [pin for pin in answering if (pin.kind, pin.name) not in known.pinned]
        if missing:
            standing = await self._records.pin(run, missing, submission.step)
            known.learn(standing, time.monotonic() + self._fresh_seconds)
        changes, stopping = known.changes(answering), known.stopping(answering)
        if stopping and submission.on_change == "stop":
            self._stop(run, submission.step, stopping)
        for before, now in changes:
            await self._accept(run, submission.step, known, before, now)
        notices = tuple(_told(before, now) for before, now in changes)
        if len(known.agreed) < _MOST_AGREED:
            known.agreed[answering] = notices
        return notices

    async def _learn(self, run: str, known: _KnownRun) -> None:
        """What is known stays in force while the store is away: the judgment itself needs the store anyway."""
        try:
            standing = await self._records.pins(run)
        except StoreUnavailable:
            if not known.pinned:
                raise
        else:
            known.learn(standing, time.monotonic() + self._fresh_seconds)

    def _stop(self, run: str, step: int | None, changes: Sequence[tuple[Pin, Pin]]) -> None:
        told = " ".join(_told(before, now) for before, now in changes)
        at = "" if step is None else f" at step {step}"
        if (more := self._throttle.of(f"{run}\0{told}")) is not None:
            _LOG.error("run %r stops%s: %s%s", run, at, told, more)
        raise RewardChanged(
            f"Run {run!r} would be rewarded by something else{at}. {told}",
            remedy="Put back what answered before, or accept it: judge-server run repin RUN --reason TEXT, "
            "or on_change: warn in the submissions.",
            run=run,
            step=step,
            changes=[
                {"kind": now.kind, "name": now.name, "pinned": before.value, "now": now.value}
                for before, now in changes
            ],
        )

    async def _accept(self, run: str, step: int | None, known: _KnownRun, before: Pin, now: Pin) -> None:
        if now in known.accepted:
            return
        await self._records.accept(run, before, now.value, step, current_caller.get().name)
        known.accepted |= {now}
        _LOG.warning("run %r%s: %s", run, "" if step is None else f" at step {step}", _told(before, now))


def _refuse_training(submission: Submission, rubric: Rubric, terms: Terms) -> None:
    if submission.run is not None or terms.priority is Priority.TRAINING:
        raise PrereleaseRefused(
            f"{rubric.name} is a prerelease version: its content may change during the training.",
            remedy="Publish it under a version without -, or start the server with allow_prereleases = true.",
        )


def _told(before: Pin, now: Pin) -> str:
    return f"The {now.subject} of the run was {before.value} and is now {now.value}."
