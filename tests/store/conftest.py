"""Every test that takes ``store`` runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from judge_server.store import Store


@pytest.fixture
async def store(url) -> AsyncIterator[Store]:
    opened = await Store.open(url)
    yield opened
    await opened.close()
