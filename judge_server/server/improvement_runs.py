"""Attempts to improve a judge in the background: one at a time in each process, continued after a killed server."""

import asyncio
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from judge_server.core.caller import ANYONE, Allowance, Caller, current_caller
from judge_server.core.errors import JudgeServerError, NotFound, Overloaded, StoreUnavailable
from judge_server.core.verdict import Failure
from judge_server.scheduling.processor_share import TimeShare, current_share
from judge_server.server.calibration_results import loaded
from judge_server.server.improvement_progress import (
    ImprovementList,
    ImprovementProgress,
    ImprovementRun,
    ImprovementTerms,
)
from judge_server.store.improvement_records import KeptImprovement, new_improvement_id
from judge_server.store.payload import encode
from judge_server.util.concurrency import run_periodically
from judge_server.util.deadline import wait_ends_at
from judge_server.util.parsing import parse_json
from judge_server.util.time_limit import within
from judge_server.wiring.service import Service

_LOG = logging.getLogger(__name__)
_MOST_OPEN: Final = 16
_LEASE_SECONDS: Final = 15.0
_LOOK_SECONDS: Final = 5.0
_KEPT_SECONDS: Final = 1.0


@dataclass
class ImprovementRuns:
    """Up to 16 may wait or run. ``start`` it, and ``close`` it before the store."""

    service: Service
    name: str = field(default_factory=lambda: f"wrk_{secrets.token_hex(8)}")
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _loop: "asyncio.Task[None] | None" = None
    _working: "tuple[str, asyncio.Task[None]] | None" = None

    async def begin(self, terms: ImprovementTerms) -> ImprovementProgress:
        """Raises Overloaded if too many are open."""
        made = ImprovementProgress(
            id=new_improvement_id(),
            created_at=datetime.now(UTC),
            rubric=terms.rubric.reference,
            **terms.model_dump(include={"labels", "judge", "proposer", "second", "tuned"}),
            limits=terms.limits,
        )
        row = KeptImprovement(made.id, made.created_at, "queued", _text(terms), _text(made))
        if not await self.service.store.improvements.begin(row, most_open=_MOST_OPEN):
            raise Overloaded(
                f"{_MOST_OPEN} improvements are under way.", remedy="Wait until one is over.", retry_after_seconds=60
            )
        self._changed.set()
        return made

    async def find(self, improvement_id: str) -> ImprovementProgress:
        """Raises NotFound."""
        return _shown(await self._kept(improvement_id))

    async def terms_of(self, improvement_id: str) -> ImprovementTerms:
        """Raises NotFound."""
        return ImprovementTerms.model_validate_json((await self._kept(improvement_id)).terms)

    async def files_of(self, improvement_id: str) -> Mapping[str, str]:
        """The result's texts by file name; empty until there is one."""
        text = await self.service.store.improvements.files(improvement_id)
        return {} if text is None else dict(parse_json(text))

    async def listed(self, limit: int, cursor: str | None) -> ImprovementList:
        found = await self.service.store.improvements.listed(limit=limit, cursor=cursor)
        return ImprovementList(improvements=list(map(_shown, found.items)), next_cursor=found.next_cursor)

    async def cancel(self, improvement_id: str) -> ImprovementProgress:
        """Raises NotFound. One that runs in another process ends there within a second."""
        await self._kept(improvement_id)
        await self.service.store.improvements.cancel(improvement_id)
        if self._working is not None and self._working[0] == improvement_id:
            self._working[1].cancel()
        return await self.find(improvement_id)

    def start(self) -> None:
        work = run_periodically("improvements", self._next, self._pause, transient=StoreUnavailable)
        self._loop = asyncio.create_task(work, name="improvements")

    async def close(self) -> None:
        """Stop; what runs here is left to the next worker."""
        tasks = [one for one in (self._loop, self._working and self._working[1]) if one is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _kept(self, improvement_id: str) -> KeptImprovement:
        found = await self.service.store.improvements.find(improvement_id)
        if found is None:
            raise NotFound(
                f"No improvement has the id {improvement_id[:60]!r}.", remedy="GET /v1/improvements lists them."
            )
        return found

    async def _pause(self) -> None:
        """Until one may be waiting: after a change, or when another worker's lease may have ended."""
        try:
            with within(_LOOK_SECONDS):
                await self._changed.wait()
        except TimeoutError:
            return

    async def _next(self) -> None:
        """Run what waits, one after the other."""
        self._changed.clear()
        while (
            found := await self.service.store.improvements.claim(self.name, lease_seconds=_LEASE_SECONDS)
        ) is not None:
            work = asyncio.create_task(self._carry_out(found), name=found.id)
            self._working = (found.id, work)
            try:
                await asyncio.wait([work])
            finally:
                self._working = None

    async def _carry_out(self, found: KeptImprovement) -> None:
        terms = ImprovementTerms.model_validate_json(found.terms)
        wait_ends_at.set(None)
        current_caller.set(Caller(terms.caller, ANYONE.scopes, Allowance(judges=terms.judges)))  # of this task alone
        current_share.set(TimeShare(terms.caller, background=True))
        run = ImprovementRun(terms, ImprovementProgress.model_validate_json(found.progress))
        records = self.service.store.improvements
        try:
            files = await self._kept_while(run)
            run.note(rung=None, files=tuple(sorted(files)))
            await records.end(found.id, self.name, "done", progress=_text(run.progress), files=_text(files))
        except asyncio.CancelledError:
            await asyncio.shield(records.release(found.id, self.name))
            raise
        except StoreUnavailable as fault:
            _LOG.warning("the improvement %s waits until the store answers: %s", found.id, fault)
        except JudgeServerError as fault:
            await self._fail(run, Failure(type=fault.type, detail=str(fault)))
        except Exception as fault:  # noqa: BLE001 - reported to the caller who polls it
            _LOG.exception("the improvement %s failed", found.id)
            detail = f"The server failed with {type(fault).__name__}; the log has the details."
            await self._fail(run, Failure(type=JudgeServerError.type, detail=detail))

    async def _fail(self, run: ImprovementRun, error: Failure) -> None:
        run.note(error=error)
        await self.service.store.improvements.end(run.progress.id, self.name, "failed", progress=_text(run.progress))

    async def _kept_while(self, run: ImprovementRun) -> Mapping[str, str]:
        """The files of the result; meanwhile progress is kept and the lease renewed."""
        await loaded("judge_server.server.improvement_work")
        from judge_server.server.improvement_work import improved

        work = asyncio.create_task(improved(self.service, run, partial(self._keep, run.progress.id)))
        try:
            while not (await asyncio.wait([work], timeout=_KEPT_SECONDS))[0]:
                if not await self._keep(run.progress.id, progress=_text(run.progress)):
                    raise asyncio.CancelledError  # it was cancelled or is another worker's
            return work.result()
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)

    async def _keep(self, improvement_id: str, **changed: str) -> bool:
        records = self.service.store.improvements
        return await records.keep(improvement_id, self.name, lease_seconds=_LEASE_SECONDS, **changed)


def _shown(found: KeptImprovement) -> ImprovementProgress:
    return ImprovementProgress.model_validate_json(found.progress).model_copy(update={"status": found.status})


def _text(value: Any) -> str:
    return encode(value, whole=True)
