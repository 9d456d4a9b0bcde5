"""Every test that takes ``url`` or ``store`` runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator, Iterator

import pytest

from judge_server.store import Store
from tests.postgres import Cluster, cluster


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    with cluster() as running:
        yield running


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request, tmp_path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'judge.db'}"
    return request.getfixturevalue("postgres").empty_database()


@pytest.fixture
async def store(url) -> AsyncIterator[Store]:
    opened = await Store.open(url)
    yield opened
    await opened.close()
