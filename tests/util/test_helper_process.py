"""A process of our own that does work for another one."""

import math
import socket
import threading
from contextlib import suppress

import pytest

from judge_server.core.model import Frozen
from judge_server.util import helper_process, pieces
from judge_server.util.loans import Borrower, Lender
from judge_server.util.low_priority import Politeness
from judge_server.util.messages import Messages
from tests.served import until


def test_a_closed_process_ends_and_is_forgotten_when_it_has():
    """However long it starves: a process that nobody waited for is no fault of whoever closed it."""
    one = helper_process.HelperProcess(Politeness.LOW)
    assert one.call(math.factorial, (5,)) == 120
    process = one._process
    one.close()
    until(lambda: process.poll() is not None)
    helper_process._let_go()
    assert process not in helper_process._ending


class Text(Frozen):
    text: str


def test_what_is_not_asked_for_any_longer_is_forgotten_and_the_process_goes_on(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(helper_process, "FORGOTTEN_SECONDS", 0.05)
    own, other = socket.socketpair()
    borrower, lender, messages = Borrower(), Lender(), Messages(own)

    def serve() -> None:
        with other, suppress(EOFError, OSError):  # the end of this test
            helper_process._answer_all(other, borrower)

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    assert messages.receive() == b"ready"
    messages.send(lender.request(len, ("a" * 100_000,)))
    assert pieces.read(messages.receive()) == (True, 100_000)
    messages.send(lender.request(str, (Text(text="a" * 100_000),)))
    messages.receive()
    until(lambda: len(borrower) == 0)
    messages.send(lender.request(math.factorial, (5,)))
    assert pieces.read(messages.receive()) == (True, 120)
    messages.close()
    serving.join(10)
    assert not serving.is_alive()
