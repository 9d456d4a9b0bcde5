from collections.abc import AsyncIterator

import pytest

from judge_server.store import Store


@pytest.fixture
async def store(tmp_path) -> AsyncIterator[Store]:
    opened = await Store.open(f"sqlite:///{tmp_path / 'judge.db'}")
    yield opened
    await opened.close()
