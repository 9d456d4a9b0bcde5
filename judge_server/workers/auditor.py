"""Audits: a judge of another family judges a random sample of stored judgments again while models are idle.

The sample is drawn by the digest of the judgment's id, so it is the same on every server and after every restart. The
store keeps the progress: if a server stops halfway, the next one continues.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final

from judge_server.core.errors import DeadlineExceeded, JudgeServerError, ModelUnavailable, Overloaded, StoreUnavailable
from judge_server.core.submission import Submission
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.scoring.scorer import Scorer
from judge_server.store.audit_records import Candidate
from judge_server.store.held_judgment import HeldJudgment
from judge_server.store.page import Position
from judge_server.store.store import Store
from judge_server.store.writing import Judged
from judge_server.util.canonical import stable_hash
from judge_server.util.concurrency import for_each, run_periodically

_LOG = logging.getLogger(__name__)
_WORK: Final = "audit"
_SALT: Final = "audit"
_PAGE: Final = 1_000
_ATTEMPTS: Final = 3
_RENEWALS_PER_LEASE: Final = 4
_DEADLINE_SECONDS: Final = 600.0
_PASSING: Final = frozenset(fault.type for fault in (DeadlineExceeded, ModelUnavailable, Overloaded))


@dataclass(frozen=True, slots=True)
class AuditPace:
    """``at_once`` audits under way; ``look_seconds`` between looks for new judgments, ``idle_seconds`` between checks
    for idle models, ``retry_seconds`` before a judge that failed is asked again. Judgments older than
    ``horizon_seconds`` are not audited, nor those younger than ``settled_seconds``: a judgment is dated before it is
    committed, so the youngest may still arrive out of order. After ``lease_seconds`` without a renewal another server
    takes over."""

    at_once: int = 4
    look_seconds: float = 5.0
    idle_seconds: float = 0.1
    retry_seconds: float = 30.0
    horizon_seconds: float = 86_400.0
    settled_seconds: float = 5.0
    lease_seconds: float = 60.0


class Auditor:
    """``start`` it in the scorer's event loop, ``close`` it before the store. ``busy``: whether other work waits for a
    model; then no audit begins, and audits under way have the lowest priority. Without a ``judge`` nothing is
    audited. ``conditions`` raise a JudgeServerError for the id of a judgment that must not be audited."""

    def __init__(
        self,
        store: Store,
        scorer: Scorer,
        judge: str | None,
        share: float,
        busy: Callable[[], bool],
        pace: AuditPace | None = None,
    ) -> None:
        self._name = f"aud_{secrets.token_hex(8)}"
        self._store = store
        self._scorer = scorer
        self._judge = judge or ""
        self._share = share
        self._busy = busy
        self._pace = pace or AuditPace()
        self._working: asyncio.Task[None] | None = None
        self.audited = 0
        self.conditions: list[Callable[[str], Awaitable[None]]] = []

    def start(self) -> None:
        if self._judge:
            pause = partial(asyncio.sleep, self._pace.look_seconds)
            self._working = asyncio.create_task(
                run_periodically("audits", self._catch_up, pause, transient=StoreUnavailable), name="audit"
            )

    async def close(self) -> None:
        """Cancel audits under way; the next auditor repeats them."""
        if self._working is None:
            return
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)
        try:
            await self._store.watches.release(_WORK, self._name)
        except StoreUnavailable:
            _LOG.warning("another server takes over the audits of this server when its lease expires")

    async def _catch_up(self) -> None:
        while await self.step():
            pass

    async def step(self) -> bool:
        """Audit the next page of judgments; returns whether there may be another. Raises StoreUnavailable."""
        if not await self._claim():
            return False
        oldest = Position(int((time.time() - self._pace.horizon_seconds) * 1e6))
        after = max(await self._store.watches.place(_WORK), oldest)
        page = await self._store.audits.candidates(
            self._judge, after, limit=_PAGE, settled=timedelta(seconds=self._pace.settled_seconds)
        )
        chosen = [one for one in page if one.open and stable_hash(one.place.id, _SALT) < self._share]
        pause = partial(asyncio.sleep, self._pace.lease_seconds / _RENEWALS_PER_LEASE)
        renewing = asyncio.create_task(
            run_periodically("the lease of audits", self._claim, pause, transient=StoreUnavailable), name="audit-lease"
        )
        try:
            await for_each(_iterated(chosen), self._audit, self._pace.at_once)
        finally:
            renewing.cancel()
        if page:
            await self._store.watches.advance(_WORK, self._name, page[-1].place)
        return len(page) == _PAGE

    async def _claim(self) -> bool:
        return await self._store.watches.claim(_WORK, self._name, seconds=self._pace.lease_seconds)

    async def _audit(self, one: Candidate) -> None:
        """Judge it again and store the result; a judgment that cannot be audited is stored as such."""
        submission = await self._store.submission(one.place.id)
        rubric = None if one.rubric_digest is None else await self._store.rubric_by_digest(one.rubric_digest)
        made = None
        if submission is not None and rubric is not None:
            asked = submission.model_copy(update={"judge": self._judge, "rubric": rubric})
            made = await self._judged(one.place.id, asked)
        if await self._store.audits.keep(one.place.id, self._judge, made):
            self.audited += 1

    async def _judged(self, audited_id: str, asked: Submission) -> Judged | None:
        held = HeldJudgment()
        for attempt in range(_ATTEMPTS):
            await self._until_idle()
            try:
                for condition in self.conditions:
                    await condition(audited_id)
                terms = Terms.within(_DEADLINE_SECONDS, Priority.AUDIT)
                judgment = await self._scorer.keeping(held).score(asked, terms)
            except StoreUnavailable:
                raise
            except JudgeServerError as fault:
                _LOG.warning("judgment %s cannot be audited: %s", audited_id, fault)
                return None
            if judgment.reward is not None or judgment.error is None or judgment.error.type not in _PASSING:
                break
            if attempt + 1 < _ATTEMPTS:
                await asyncio.sleep(self._pace.retry_seconds)
        return held.judged

    async def _until_idle(self) -> None:
        while self._busy():  # noqa: ASYNC110 - no event signals idleness
            await asyncio.sleep(self._pace.idle_seconds)


async def _iterated(candidates: Sequence[Candidate]) -> AsyncIterator[Candidate]:
    for one in candidates:
        yield one
