"""Store and rubrics as the settings name them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from judge_server.authoring.library import Library, rubrics_directory
from judge_server.authoring.rubric_registry import RubricRegistry
from judge_server.settings.settings import Settings
from judge_server.store.store import Store
from judge_server.wiring.storage import opened_store


@asynccontextmanager
async def open_archive(settings: Settings, *, migrate: bool = True) -> AsyncIterator[tuple[Store, RubricRegistry]]:
    """Store and rubrics without any judge, for reading stored judgments."""
    async with opened_store(settings, migrate=migrate) as store:
        yield store, RubricRegistry(library_of(settings), store)


def library_of(settings: Settings) -> Library:
    """The configured directories of rubrics, or the bundled ones."""
    return Library(*(settings.rubrics or (rubrics_directory(),)))
