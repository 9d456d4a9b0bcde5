"""Removes judgments that are older than their class is kept, and remembered verdicts, a few at a time, so that scoring
goes on beside it.

A judgment that is to be stored waits for the transaction that prunes, so each is kept short, however slow the disk is.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from judge_server.core.erasure import RetentionClass
from judge_server.core.errors import StoreUnavailable
from judge_server.store.erasure_records import AT_ONCE, PrunedSome
from judge_server.store.store import Store
from judge_server.util.concurrency import Schedule

_LOG = logging.getLogger(__name__)
_WORK: Final = "prune"
_LEASE_SECONDS: Final = 120.0
_REST: Final = 4.0  # for each second of a transaction
_WANTED_SECONDS: Final = 0.01  # of a transaction
_LEAST_AT_ONCE: Final = 10
_CLAIM_SECONDS: Final = 10.0


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
        self._at_once = _LEAST_AT_ONCE
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
            count += await self._all(partial(self._store.erasures.prune, kind, _ago(days)))
        if count:
            _LOG.info("pruned %d judgments that were older than retention_days", count)
        texts = await self._all(partial(self._store.erasures.prune_verdicts, _ago(self._verdict_days)))
        if texts:
            _LOG.info("forgot verdicts on %d texts that were older than verdict_retention_days", texts)
        return count

    async def _all(self, remove: Callable[[int], Awaitable[PrunedSome]]) -> int:
        """``remove`` as often as there is something left; the number of rows."""
        count = 0
        while await self._claimed():
            removed = await remove(self._at_once)
            if not removed.rows:
                break
            count += removed.rows
            self._adapt(removed)
            await asyncio.sleep(_REST * removed.seconds)
        return count

    async def _claimed(self) -> bool:
        """Whether this server prunes; renewed long before the lease ends."""
        if time.monotonic() - self._claimed_at < _CLAIM_SECONDS:
            return True
        mine = await self._store.watches.claim(_WORK, self._name, seconds=_LEASE_SECONDS)
        self._claimed_at = time.monotonic() if mine else float("-inf")
        return mine

    def _adapt(self, removed: PrunedSome) -> None:
        """As many in the next transaction as it may take time for."""
        fits = removed.rows * _WANTED_SECONDS / max(removed.seconds, 1e-6)
        self._at_once = int(min(max(fits, self._at_once / 2, _LEAST_AT_ONCE), self._at_once * 2, AT_ONCE))


def _ago(days: float) -> datetime:
    return datetime.now(UTC) - timedelta(days=days)
