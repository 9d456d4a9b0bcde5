"""One server for the tests of a module that need nothing special, with a judge that always answers."""

from collections.abc import Iterator

import httpx
import pytest

from tests.served import served, settings_of
from tests.stub_judge import StubJudge


@pytest.fixture(scope="module")
def judge() -> Iterator[StubJudge]:
    """An OpenAI-compatible judge that says Yes with 0.9."""
    with StubJudge() as stub:
        yield stub


@pytest.fixture(scope="module")
def client(judge: StubJudge) -> Iterator[httpx.Client]:
    with served(settings_of(judge.specification)) as open_client:
        yield open_client
