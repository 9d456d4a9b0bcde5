"""Indexes the texts of judgments behind them, so that a search reads few of many."""

import asyncio
import secrets
from typing import Final

from judge_server.core.errors import StoreUnavailable
from judge_server.store.store import Store
from judge_server.util.concurrency import Schedule

_WORK: Final = "index"
_LEASE_SECONDS: Final = 120.0
_REST_SECONDS: Final = 0.2


class Indexer:
    """One server of those that share a database indexes at a time, a block of texts after the other, with a rest after
    each, so that scoring goes on beside it."""

    def __init__(self, store: Store, seconds: float = 30.0, rest_seconds: float = _REST_SECONDS) -> None:
        self._name = f"ind_{secrets.token_hex(8)}"
        self._store = store
        self._schedule = Schedule("indexing", self.step, seconds, transient=StoreUnavailable)
        self._rest_seconds = rest_seconds

    def start(self) -> None:
        self._schedule.start()

    async def close(self) -> None:
        """A transaction under way is finished by the store."""
        await self._schedule.close()

    async def step(self) -> int:
        """Index what is full and not indexed; the number of blocks. Raises StoreUnavailable."""
        count = 0
        while await self._store.search.waiting() and await self._claimed() and await self._store.search.index():
            count += 1
            await asyncio.sleep(self._rest_seconds)
        return count

    async def _claimed(self) -> bool:
        return await self._store.watches.claim(_WORK, self._name, seconds=_LEASE_SECONDS)
