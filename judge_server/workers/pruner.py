"""Removes judgments that are older than their class is kept, and remembered verdicts, a few at a time, so that scoring
goes on beside it.

A judgment that is to be stored waits for the transaction that prunes, so each is kept short, however slow the disk is,
and what is to be removed is looked up before it begins.
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
from judge_server.store.erasure_records import ErasureRecords, PrunedSome
from judge_server.store.page import Position
from judge_server.store.store import Store
from judge_server.util.concurrency import Schedule

_LOG = logging.getLogger(__name__)
_WORK: Final = "prune"
_LEASE_SECONDS: Final = 120.0
_CLAIM_SECONDS: Final = 10.0
_REST: Final = 20.0  # for each second of a transaction
_WANTED_SECONDS: Final = 0.002  # of a transaction
_LEAST_AT_ONCE: Final = 10
_MOST_AT_ONCE: Final = 200


async def _always() -> bool:
    return True


class PacedRemoval:
    """``allowed``: asked before each transaction; if not, nothing more is removed."""

    def __init__(self, records: ErasureRecords, allowed: Callable[[], Awaitable[bool]] = _always) -> None:
        self._records = records
        self._allowed = allowed
        self._at_once = _LEAST_AT_ONCE

    async def judgments(self, kind: RetentionClass, before: datetime) -> int:
        """Remove those of a class that are older and not pinned; their number. Raises StoreUnavailable."""
        count, place = 0, Position()
        while await self._allowed() and (found := await self._records.old(kind, before, place)):
            place = found[-1].place
            while found and await self._allowed():
                some, found = found[: self._at_once], found[self._at_once :]
                count += await self._rested(await self._records.prune(some))
        return count

    async def verdicts(self, before: datetime) -> int:
        """Forget those from days before; the number of texts that they were on. Raises StoreUnavailable."""
        count = 0
        while await self._allowed():
            some = await self._rested(await self._records.prune_verdicts(before, self._at_once))
            if not some:
                break
            count += some
        return count

    async def _rested(self, removed: PrunedSome) -> int:
        """Rest, and take as many in the next transaction as it may take time for."""
        fits = removed.rows * _WANTED_SECONDS / max(removed.seconds, 1e-6)
        self._at_once = int(min(max(fits, self._at_once / 2, _LEAST_AT_ONCE), self._at_once * 1.2, _MOST_AT_ONCE))
        if removed.rows:
            await asyncio.sleep(_REST * removed.seconds)
        return removed.rows


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
        self._removal = PacedRemoval(store.erasures, self._claimed)
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
