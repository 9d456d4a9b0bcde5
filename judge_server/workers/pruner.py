"""Removes judgments that are older than their class is kept, and remembered verdicts, a few at a time, so that scoring
goes on beside it.

A judgment that is to be stored waits for the transaction that prunes, so each is kept short, however slow the disk is,
and what is to be removed is looked up before it begins. While nothing is scored it goes on without a rest.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from judge_server.core.erasure import RetentionClass
from judge_server.core.errors import StoreUnavailable
from judge_server.store.database import Traffic
from judge_server.store.erasure_records import ErasureRecords, PrunedSome
from judge_server.store.page import Position
from judge_server.store.store import Store
from judge_server.util.concurrency import Schedule

_LOG = logging.getLogger(__name__)
_WORK: Final = "prune"
_LEASE_SECONDS: Final = 120.0
_CLAIM_SECONDS: Final = 10.0
_WANTED_SECONDS: Final = 0.004  # of a transaction
_LEAST_AT_ONCE: Final = 20
_MOST_AT_ONCE: Final = 200
_LOOK_SECONDS: Final = 0.5
_IDLE_REST: Final = 0.25  # for each second of work, while no server stores a judgment
_MOST_REST: Final = 30.0  # while one does
# how many times as fast as judgments are stored, as long as it rests at least so much: a backlog goes, and on a slow
# machine at least what grows too old
_PACES: Final = ((4.0, 10.0), (1.2, 4.0))


async def _always() -> bool:
    return True


class PruningPace:
    """When to go on. ``at_once``: how many judgments the next transaction may take."""

    def __init__(self, records: ErasureRecords, traffic: Traffic) -> None:
        self._records = records
        self._traffic = traffic
        self._newest: int | None = None
        self._looked_at = time.monotonic()
        self._stored_a_second = 0.0
        self.at_once = _LEAST_AT_ONCE

    async def pause(self) -> None:
        """Let those who score right now store their judgments first."""
        if self._stored_a_second:
            await self._traffic.pause()

    async def rest(self, removed: PrunedSome, seconds: float) -> None:
        """``seconds``: that the removal took with all that was looked up for it. Raises StoreUnavailable."""
        fits = removed.rows * _WANTED_SECONDS / max(removed.seconds, 1e-6)
        self.at_once = int(min(max(fits, self.at_once / 2, _LEAST_AT_ONCE), self.at_once * 1.5, _MOST_AT_ONCE))
        await self._look()
        await asyncio.sleep(rest_after(removed.rows, seconds, self._stored_a_second))

    async def _look(self) -> None:
        elapsed = time.monotonic() - self._looked_at
        if self._newest is not None and elapsed < _LOOK_SECONDS:
            return
        await self.pause()
        found = await self._records.stored_since(self._newest)
        self._stored_a_second = found.judgments / max(elapsed, 1e-6)
        self._newest, self._looked_at = found.newest, time.monotonic()


def rest_after(rows: int, seconds: float, stored_a_second: float) -> float:
    """Seconds after a removal of ``rows`` that took ``seconds``, while judgments are stored at that rate."""
    if not stored_a_second:
        return _IDLE_REST * seconds
    paces = (max(rows / (faster * stored_a_second) - seconds, least * seconds) for faster, least in _PACES)
    return min(_MOST_REST * seconds, *paces)


class PacedRemoval:
    """``allowed``: asked before each transaction; if not, nothing more is removed."""

    def __init__(self, store: Store, allowed: Callable[[], Awaitable[bool]] = _always) -> None:
        self._records = store.erasures
        self._allowed = allowed
        self._pace = PruningPace(store.erasures, store.traffic)

    async def judgments(self, kind: RetentionClass, before: datetime) -> int:
        """Remove those of a class that are older and not pinned; their number. Raises StoreUnavailable."""
        count, place = 0, Position()
        while await self._allowed():
            await self._pace.pause()
            began = time.monotonic()
            batch = await self._records.batch(kind, before, place, self._pace.at_once)
            if batch is None:
                break
            looked = time.monotonic() - began
            await self._pace.pause()
            removed = await self._records.prune(batch)
            if removed.rows:
                count, place = count + len(batch.ids), batch.last
            await self._pace.rest(removed, looked + removed.seconds)
        return count

    async def verdicts(self, before: datetime) -> int:
        """Forget those from days before; the number of texts that they were on. Raises StoreUnavailable."""
        count = 0
        while await self._allowed():
            await self._pace.pause()
            removed = await self._records.prune_verdicts(before, self._pace.at_once)
            if not removed.rows:
                break
            count += removed.rows
            await self._pace.rest(removed, removed.seconds)
        return count


class Pruner:
    """``days`` by class; classes without one are kept. ``verdict_days``: of remembered verdicts. One server of those
    that share a database prunes at a time."""

    def __init__(
        self, store: Store, days: Mapping[RetentionClass, float], verdict_days: float, seconds: float = 60.0
    ) -> None:
        self._name = f"pru_{secrets.token_hex(8)}"
        self._store = store
        self._days = days
        self._verdict_days = verdict_days
        self._schedule = Schedule("pruning", self.step, seconds, transient=StoreUnavailable)
        self._removal = PacedRemoval(store, self._claimed)
        self._claimed_at = float("-inf")

    def start(self) -> None:
        self._schedule.start()

    async def close(self) -> None:
        """A transaction under way is finished by the store."""
        await self._schedule.close()

    async def step(self) -> int:
        """Remove what is too old now; the number of judgments. Raises StoreUnavailable."""
        count = 0
        for kind, days in self._days.items():
            count += await self._removal.judgments(kind, days_ago(days))
        if count:
            _LOG.info("pruned %d judgments that were older than retention_days", count)
        texts = await self._removal.verdicts(days_ago(self._verdict_days))
        if texts:
            _LOG.info("forgot verdicts on %d texts that were older than verdict_retention_days", texts)
        return count

    async def _claimed(self) -> bool:
        """Whether this server prunes; renewed long before the lease ends."""
        if time.monotonic() - self._claimed_at < _CLAIM_SECONDS:
            return True
        mine = await self._store.watches.claim(_WORK, self._name, seconds=_LEASE_SECONDS)
        self._claimed_at = time.monotonic() if mine else float("-inf")
        return mine


def days_ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)
