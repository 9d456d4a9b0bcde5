"""Removes judgments that are older than their class is kept, a few at a time, so that scoring goes on beside it."""

import asyncio
import logging
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from judge_server.core.erasure import RetentionClass
from judge_server.core.errors import StoreUnavailable
from judge_server.store.store import Store
from judge_server.util.concurrency import run_periodically

_LOG = logging.getLogger(__name__)
_WORK: Final = "prune"
_LEASE_SECONDS: Final = 120.0
_REST: Final = 4.0  # for each second of a transaction


class Pruner:
    """``days`` by class; classes without one are kept. One server of those that share a database prunes at a time."""

    def __init__(self, store: Store, days: Mapping[RetentionClass, float], seconds: float = 60.0) -> None:
        self._name = f"pru_{secrets.token_hex(8)}"
        self._store = store
        self._days = days
        self._seconds = seconds
        self._working: asyncio.Task[None] | None = None

    def start(self) -> None:
        if self._days:
            pause = partial(asyncio.sleep, self._seconds)
            self._working = asyncio.create_task(
                run_periodically("pruning", self.step, pause, transient=StoreUnavailable), name="prune"
            )

    async def close(self) -> None:
        """A transaction under way is finished by the store."""
        if self._working is None:
            return
        self._working.cancel()
        await asyncio.gather(self._working, return_exceptions=True)

    async def step(self) -> int:
        """Remove what is too old now; the number of judgments. Raises StoreUnavailable."""
        count = 0
        for kind, days in self._days.items():
            before = datetime.now(UTC) - timedelta(days=days)
            while await self._store.watches.claim(_WORK, self._name, seconds=_LEASE_SECONDS):
                began = time.monotonic()
                removed = await self._store.erasures.prune(kind, before)
                if not removed:
                    break
                count += removed
                await asyncio.sleep(_REST * (time.monotonic() - began))
        if count:
            _LOG.info("pruned %d judgments that were older than retention_days", count)
        return count
