"""The API keys that are valid now: those of the settings, and those of the database, read again every few seconds."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Final

from judge_server.core.api_key import ApiKey, id_in
from judge_server.core.errors import BadConfiguration, StoreUnavailable, Unauthorized
from judge_server.settings.settings import Settings
from judge_server.store.api_key_records import ApiKeyRecords
from judge_server.util.concurrency import run_periodically
from judge_server.wiring.archive import open_archive

FRESH_SECONDS: Final = 5.0
_LOOK_AGAIN_SECONDS: Final = 0.5
_REMEMBER_USE_SECONDS: Final = 60.0
_LOG = logging.getLogger(__name__)
_CREATE = "judge-server keys create NAME --scope score makes one."


class KeyRing:
    """Belongs to the event loop of the store. A revoked key is refused after ``fresh_seconds`` at the
    latest."""

    def __init__(
        self, configured: Iterable[ApiKey], records: ApiKeyRecords, fresh_seconds: float = FRESH_SECONDS
    ) -> None:
        self._fresh_seconds = fresh_seconds
        self._configured = {key.id: key for key in configured}
        self._records = records
        self._kept: dict[str, ApiKey] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()
        self._used: dict[str, datetime] = {}

    async def find(self, presented: str) -> ApiKey:
        """The key that was presented. Raises Unauthorized, and StoreUnavailable where it cannot be looked up."""
        key_id = id_in(presented)
        if key_id is None:
            raise Unauthorized("What was sent as API key is none.", remedy="A key begins with jsk_. " + _CREATE)
        key = self._configured.get(key_id) or await self._stored(key_id)
        if key is None or not key.opened_by(presented):
            raise Unauthorized("The API key is not known here.", remedy="Check it for missing characters. " + _CREATE)
        now = datetime.now(UTC)
        fault = key.fault(now)
        if fault is not None:
            raise Unauthorized(f"The API key {key.id} ({key.name}) {fault}.", remedy=_CREATE)
        self._used[key.id] = now
        return key

    async def keep_use(self) -> None:
        """Writes down when keys were used, again and again; cancel it, then call ``close``."""
        await run_periodically(
            "the last use of API keys",
            self.close,
            partial(asyncio.sleep, _REMEMBER_USE_SECONDS),
            transient=StoreUnavailable,
        )

    async def close(self) -> None:
        """Writes down what is not yet."""
        used, self._used = self._used, {}
        kept = {key_id: moment for key_id, moment in used.items() if key_id not in self._configured}
        try:
            await self._records.used(kept)
        except StoreUnavailable as fault:
            _LOG.warning("the last use of API keys is not written down: %s", fault)

    async def _stored(self, key_id: str) -> ApiKey | None:
        age = time.monotonic() - self._read_at
        if age > self._fresh_seconds or (age > _LOOK_AGAIN_SECONDS and key_id not in self._kept):
            await self._read()
        return self._kept.get(key_id)

    async def _read(self) -> None:
        """Once for all who wait for it."""
        wanted_at = time.monotonic()
        async with self._reading:
            if self._read_at >= wanted_at:
                return
            begun = time.monotonic()
            self._kept = {key.id: key for key in await self._records.all()}
            self._read_at = begun


async def require_keys(settings: Settings) -> None:
    """Raises BadConfiguration where keys are demanded and none is valid: then nobody could ask anything. Call it before
    models are started, which takes long."""
    if not settings.demands_keys or _any_valid(settings.api_keys.values()):
        return
    async with open_archive(settings) as (store, _):
        kept = await store.api_keys.all()
    if not _any_valid(kept):
        raise BadConfiguration(
            f"API keys are demanded on {settings.host}, and there is none.",
            remedy=f"{_CREATE} Or set api_keys, or bind to 127.0.0.1, or serve with --no-auth where the network lets "
            "nobody else in.",
        )


def _any_valid(keys: Iterable[ApiKey]) -> bool:
    now = datetime.now(UTC)
    return any(key.fault(now) is None for key in keys)


@asynccontextmanager
async def key_ring(settings: Settings, records: ApiKeyRecords) -> AsyncIterator[KeyRing]:
    """The ring of a running server."""
    ring = KeyRing(settings.api_keys.values(), records)
    if not (settings.demands_keys or settings.on_loopback):
        _LOG.warning("authentication is off: whoever reaches %s:%d may do everything", settings.host, settings.port)
    keeping = asyncio.create_task(ring.keep_use(), name="api-keys")
    try:
        yield ring
    finally:
        keeping.cancel()
        await ring.close()
