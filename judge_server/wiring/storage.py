"""The store as the settings name it, for what needs no rubrics: importing those takes a sixth of a short command."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from judge_server.core.errors import BadConfiguration, StoreUnavailable
from judge_server.settings.environment import secret_of
from judge_server.settings.settings import Settings
from judge_server.store.location import Location
from judge_server.store.store import Store

_LOG = logging.getLogger(__name__)
_LOOK_AGAIN_SECONDS: Final = 1.0


async def open_store(settings: Settings, *, migrate: bool = True) -> Store:
    """In memory if no database is named. A SQLite database that does not exist yet gets its tables in any case."""
    secret = secret_of(settings.secret_file.expanduser())
    url = settings.database_url or "sqlite://"
    location = Location.of(url)
    new = location.sqlite and (location.file is None or not location.file.exists())
    return await Store.open(url, secret=secret, migrate=migrate or new)


@asynccontextmanager
async def opened_store(settings: Settings, *, migrate: bool = True) -> AsyncIterator[Store]:
    """Closed at the end of the block."""
    store = await open_store(settings, migrate=migrate)
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def standing_store(settings: Settings, *, migrate: bool = True) -> AsyncIterator[Store]:
    """The same, but never creates a database, which would be empty. Commands that only read do not ``migrate``.

    Raises BadConfiguration if it does not exist.
    """
    file = Location.of(settings.database_url or "sqlite://").file
    if file is not None and not file.exists():
        raise BadConfiguration(
            f"There is no database {file.absolute()}.",
            remedy="Name the server's own with --database, DATABASE_URL or --config.",
        )
    async with opened_store(settings, migrate=migrate) as store:
        yield store


async def wait_for_database(settings: Settings, stopping: Callable[[], bool]) -> None:
    """Return when PostgreSQL answers; SQLite needs no waiting. Raises StoreUnavailable after
    ``wait_for_database_seconds`` or when the process is ``stopping``, and BadConfiguration at once."""
    if Location.of(settings.database_url or "sqlite://").sqlite:
        return
    began, told = time.monotonic(), False
    while True:
        try:
            await (await open_store(settings)).close()
        except StoreUnavailable as fault:
            if stopping() or time.monotonic() - began >= settings.wait_for_database_seconds:
                raise
            if not told:
                _LOG.warning("the start waits for the database: %s", fault)
                told = True
        else:
            if told:
                _LOG.warning("the database answers after %.0f s", time.monotonic() - began)
            return
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
