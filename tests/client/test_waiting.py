"""A server that hangs fails nothing; the log says that it keeps a training waiting."""

import asyncio
import logging
import re
import socket
import threading

import pytest

from judge_client import JudgeFailed, Rewarder, Sample
from judge_client.waiting import Waiting, waits


def lines(caplog):
    return [record.getMessage() for record in caplog.records]


def test_a_request_that_waits_for_long_is_named_with_its_address(caplog):
    waiting = Waiting(look_seconds=0.02)
    with caplog.at_level(logging.WARNING, "judge_client"), waiting.noted("http://h"), waiting.noted("http://h"):
        while not caplog.records:
            threading.Event().wait(0.01)

    assert re.fullmatch(r"http://h has not answered for \d+ s; 2 requests wait\.", lines(caplog)[0])


def test_requests_that_are_answered_are_named_in_no_line_and_the_thread_ends_without_any(caplog):
    waiting = Waiting(look_seconds=1.0)
    with caplog.at_level(logging.WARNING, "judge_client"):
        for _ in range(20):
            with waiting.noted("http://h"):
                pass
        while waiting._looking:
            threading.Event().wait(0.01)

    assert lines(caplog) == []


@pytest.mark.parametrize("way", ["blocking", "waiting"])
def test_every_request_of_a_rewarder_is_noted_while_it_is_under_way(way):
    """A port that accepts, and ends the connection without a word."""
    seen = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        rewarder = Rewarder("a/b", url=url, on_failure="drop", attempts=1)

        def look():
            with listener.accept()[0] as one:
                one.recv(10)
                seen.extend(address for _, address in waits._since.values())

        watching = threading.Thread(target=look)
        watching.start()
        ask = {"blocking": rewarder.score, "waiting": lambda given: asyncio.run(rewarder.ascore(given))}
        with pytest.raises(JudgeFailed):
            ask[way]([Sample("p", "r")])
        watching.join()

    assert url in seen
