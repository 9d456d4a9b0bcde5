"""Messages between two processes."""

import os
import socket
import threading

import pytest

from judge_server.util.messages import Messages


@pytest.fixture
def ends():
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@pytest.mark.parametrize("size", [0, 1, 65_536, 7_000_000])
def test_a_message_arrives_as_it_was_sent(ends, size):
    message = os.urandom(size)
    sending = threading.Thread(target=Messages(ends[0], lambda: None).send, args=([message[:100], message[100:]],))
    sending.start()
    assert Messages(ends[1]).receive() == message
    sending.join()


def _give_up() -> None:
    raise TimeoutError("looked at")


def test_who_waits_for_a_message_looks_meanwhile(ends):
    with pytest.raises(TimeoutError, match="looked at"):
        Messages(ends[0], _give_up).receive()


def test_who_sends_what_nobody_takes_looks_meanwhile(ends):
    looks = iter([None] * 10)

    def look() -> None:
        if next(looks, "last") == "last":
            _give_up()

    with pytest.raises(TimeoutError, match="looked at"):
        Messages(ends[0], look).send([b"x" * 1_000_000_000])


def test_an_end_that_is_closed_is_told(ends):
    ends[1].close()
    with pytest.raises(EOFError):
        Messages(ends[0]).receive()
