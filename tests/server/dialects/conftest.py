"""A server with the judge that says Yes with 0.9, and a rubric of its own."""

from collections.abc import Iterator

import httpx
import pytest

from tests.served import served, settings_of
from tests.stub_judge import StubJudge
from tests.submissions import rubric

RUBRIC = "test/listed"


@pytest.fixture(scope="package")
def served_rubric(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with StubJudge() as judge, served(settings_of(judge.specification)) as client:
        publish(client)
        yield client


def publish(client: httpx.Client) -> None:
    assert client.post("/v1/rubrics", json=rubric()).status_code == 201
