"""A server that hangs fails nothing; the log says that it keeps a training waiting."""

import asyncio
import logging
import socket
import threading

import pytest

from judge_client import Rewarder, Sample
from judge_client.waiting import Waiting


def lines(caplog):
    return [record.getMessage() for record in caplog.records]


def test_a_request_that_waits_for_long_is_named_with_its_address(caplog):
    waiting = Waiting(look_seconds=0.02)
    with caplog.at_level(logging.WARNING, "judge_client"), waiting.noted("http://h"), waiting.noted("http://h"):
        while not caplog.records:
            threading.Event().wait(0.01)

    assert lines(caplog)[0].startswith("http://h has not answered for 0 s; 2 requests wait.")


def test_short_requests_are_named_in_no_line_and_the_thread_ends_without_any(caplog):
    waiting = Waiting(look_seconds=0.05)
    with caplog.at_level(logging.WARNING, "judge_client"):
        for _ in range(20):
            with waiting.noted("http://h"):
                threading.Event().wait(0.005)
        while waiting._looking:
            threading.Event().wait(0.01)

    assert lines(caplog) == []


@pytest.mark.parametrize("way", ["blocking", "waiting"])
def test_every_request_of_a_rewarder_is_noted_while_it_is_under_way(way):
    """A port that accepts and never answers."""
    from judge_client.connection import waits

    seen = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        rewarder = Rewarder("a/b", url=url, on_failure="drop", deadline_seconds=0.5)

        def look():
            with listener.accept()[0] as one:
                one.recv(10)
                seen.extend(address for _, address in waits._since.values())
                while one.recv(10_000):
                    pass

        watching = threading.Thread(target=look)
        watching.start()
        scored = (
            rewarder.score([Sample("p", "r")])
            if way == "blocking"
            else asyncio.run(rewarder.ascore([Sample("p", "r")]))
        )
        watching.join(10)

    assert scored[0].failure == "timeout"
    assert url in seen
