"""A served judge for the trainers: one that works, and the ways in which one fails."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from tests.served import judged_by, served, settings_of
from tests.stub_judge import Behaviour, Reply, faithful, text


def once_started(behave: Behaviour) -> Behaviour:
    """The server's questions at its start are answered well; the behaviour shows when a response is judged."""
    well = faithful()
    return lambda body: behave(body) if "[BEGIN RESPONSE" in str(body) else well(body)


OF_A_RANDOM_POLICY = {"thin_responses": "judge"}
"""Weights that nobody trained write anything, and other things on another processor: what may say nothing is judged."""

FAULTS: dict[str, Behaviour] = {
    "timeout": once_started(lambda body: Reply(delay_seconds=120)),
    "garbage": once_started(lambda body: text("I would rather talk about something else.")),
    "unavailable": once_started(lambda body: Reply(503)),
}


@contextmanager
def nobody() -> Iterator[str]:
    """An address where nobody listens, and where no other program of this machine can begin to."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def judge_url() -> Iterator[str]:
    """The address of a server whose judge is the embedded baseline."""
    with served(settings_of(**OF_A_RANDOM_POLICY)) as client:
        yield str(client.base_url).rstrip("/")


@pytest.fixture(scope="session")
def serving() -> Callable[..., AbstractContextManager[str]]:
    """``with serving("garbage") as url:`` a server whose judge fails so; ``serving()`` one that always says Yes."""

    @contextmanager
    def serving(fault: str | None = None, **settings: object) -> Iterator[str]:
        with judged_by(FAULTS[fault] if fault else faithful(), **(OF_A_RANDOM_POLICY | settings)) as (client, _):
            yield str(client.base_url).rstrip("/")

    return serving
