"""A process of our own that runs functions for another one.

    python -m judge_server.util.helper_process DESCRIPTOR POLITENESS

serves the socket with this descriptor, until nothing came for long or the process at the other end has ended.
"""

import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final

from judge_server.util import pieces
from judge_server.util.loans import FORGOTTEN_SECONDS, Borrower, Lender, Lost
from judge_server.util.low_priority import Politeness, give_way
from judge_server.util.messages import Messages
from judge_server.util.starvation import Starvation, processor_seconds

_START_SECONDS: Final = 60.0
WORK_SECONDS: Final = 60.0  # a megabyte takes up to a second
_IDLE_SECONDS: Final = 300.0  # after which the process gives its memory back


class Starved(Exception):
    """The process does not get the processor."""


class NotSent(Exception):
    """A function or its arguments cannot be sent to another process."""


class HelperProcess:
    """Runs one function at a time. ``call`` blocks. Raises EOFError or OSError if it cannot be started."""

    def __init__(self, politeness: Politeness) -> None:
        _let_go()
        own, other = socket.socketpair()
        with other:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, and no argument from outside
                [sys.executable, "-P", "-m", __name__, str(other.fileno()), politeness],
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self._messages = Messages(own, self._look)
        self._lender = Lender()
        self._starvation = Starvation(partial(processor_seconds, self._process.pid))
        self._may_starve = False
        self._ends = time.monotonic() + _START_SECONDS
        try:
            self._messages.receive()  # it is ready
        except (EOFError, OSError):
            self.close()
            raise
        self._may_starve = politeness is Politeness.IDLE

    def call(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """The result of ``work``; raises what it raised, Starved, TimeoutError, and EOFError or OSError if the process
        ended. NotSent: what cannot be pickled."""
        try:
            request = self._lender.request(work, arguments)
        except (pickle.PicklingError, AttributeError, TypeError) as fault:
            raise NotSent from fault
        self._ends = time.monotonic() + WORK_SECONDS
        self._starvation.begin()
        self._messages.send(request)
        answer = self._messages.receive()
        self._lender.answered()
        self._starvation.end()
        good, value = pieces.read(answer)
        if good:
            return value
        raise value

    def _look(self) -> None:
        if time.monotonic() > self._ends:
            raise TimeoutError("no answer in time")
        if self._may_starve:
            self._starvation.look()
            if self._starvation.found:
                raise Starved

    def close(self) -> None:
        """It ends when it next gets the processor. Nobody waits for that: one that starves may take long."""
        self._messages.close()
        self._process.kill()
        _ending.append(self._process)
        _let_go()


_ending: Final[list["subprocess.Popen[bytes]"]] = []  # killed processes that may not have ended yet


def _let_go() -> None:
    """Forget those that have ended."""
    _ending[:] = [process for process in _ending if process.poll() is None]


def _serve(descriptor: int, politeness: Politeness) -> None:
    """In the other process: do what arrives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the server says when it is over
    give_way(politeness)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError, Lost):  # the other end starts a new one
        _answer_all(socket.socket(fileno=descriptor), Borrower())


def _answer_all(end: socket.socket, borrower: Borrower) -> None:
    """Until nothing came for ``_IDLE_SECONDS``."""
    messages = Messages(end)
    messages.send([b"ready"])
    while True:
        if select.select([end], [], [], FORGOTTEN_SECONDS if len(borrower) else _IDLE_SECONDS)[0]:
            messages.send([_answer(borrower, messages.receive())])
        elif len(borrower):
            borrower.forget()
        else:
            return


def _answer(borrower: Borrower, request: bytearray) -> bytes:
    """Raises Lost."""
    try:
        work, arguments = borrower.take(request)
        return pickle.dumps((True, work(*arguments)), pickle.HIGHEST_PROTOCOL)
    except Lost:
        raise
    except Exception as fault:  # noqa: BLE001 - raised in the server
        return pickle.dumps((False, fault), pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), Politeness(sys.argv[2]))
