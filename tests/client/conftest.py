"""Servers to talk to, and no settings of the client's from outside."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.client.scripted_server import ScriptedServer
from tests.served import served, settings_of
from tests.stub_judge import StubJudge

for name in [name for name in os.environ if name.startswith("JUDGE_")]:
    del os.environ[name]


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Variables that are set inside the block; then what stood before stands again."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@pytest.fixture(scope="module")
def judge() -> Iterator[StubJudge]:
    with StubJudge() as stub:
        yield stub


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Of a real server, with few items in a request."""
    with served(settings_of(max_batch_items=8)) as client:
        yield str(client.base_url).rstrip("/")


@pytest.fixture
def scripted() -> Iterator[ScriptedServer]:
    """A server that answers as a test tells it to."""
    with ScriptedServer() as server:
        yield server
