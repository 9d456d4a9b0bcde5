"""Long work on texts in a process of its own, so that it does not hold the event loop's interpreter.

A regular expression or a JSON reader keeps the interpreter lock for as long as one text takes. One process does such
work, at a low priority of the operating system; callers take turns in it.
"""

import asyncio
import atexit
import logging
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, Final, Generic, TypeVar, TypeVarTuple, Unpack

from judge_server.util.low_priority import give_way

T = TypeVar("T")
Given = TypeVarTuple("Given")
Item = TypeVar("Item")
_LOG = logging.getLogger(__name__)
_START_SECONDS: Final = 60.0
_WORK_SECONDS: Final = 60.0  # a megabyte takes up to a second
_ATTEMPTS: Final = 2  # a process may end for reasons that lie outside it
_IDLE_SECONDS: Final = 300.0  # after which the process gives its memory back


class NotDone(ValueError):
    """The other process did not answer in time, or ended twice over the same work. It is not tried in the server's own
    process, which would stand still or end as well."""


class Turns(Generic[Item]):
    """A queue in which every key takes turns, item by item."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Any, deque[Item]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def push(self, key: Any, item: Item) -> None:
        self._waiting.setdefault(key, deque()).append(item)

    def pop(self) -> Item:
        """The first item of the key whose turn it is; raises KeyError if nothing waits."""
        key, items = self._waiting.popitem(last=False)
        item = items.popleft()
        if items:
            self._waiting[key] = items
        return item

    def pop_of(self, may: Callable[[Any], bool]) -> tuple[Any, Item] | None:
        """The first key whose turn it is and that ``may`` have it, with its item; None if there is none."""
        key = next(filter(may, self._waiting), None)
        if key is None:
            return None
        self._waiting.move_to_end(key, last=False)
        return key, self.pop()


class FairThreads(ThreadPoolExecutor):
    """Threads in which callers take turns, item by item. ``whose``: tells whose turn the work of this moment takes;
    ``most_each``: threads that one of them may have at a time, all by default."""

    def __init__(self, number: int, name: str, whose: Callable[[], str], most_each: int | None = None) -> None:
        super().__init__(number, thread_name_prefix=name)
        self._whose = whose
        self._most_each = most_each or number
        self._turns_lock = threading.Lock()
        self._turns: Turns[tuple[Future[Any], Callable[[], Any]]] = Turns()
        self._running: Counter[str] = Counter()

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        future: Future[T] = Future()
        with self._turns_lock:
            self._turns.push(self._whose(), (future, partial(work, *args, **kwargs)))
        super().submit(self._work)
        return future

    def _work(self) -> None:
        """Do what waits. Work whose caller has its threads is left to them."""
        while True:
            with self._turns_lock:
                taken = self._turns.pop_of(lambda key: self._running[key] < self._most_each)
                if taken is None:
                    return
                whose, (future, work) = taken
                self._running[whose] += 1
            _settle(future, work)
            del future, work, taken  # what it holds must not live until this thread works again
            with self._turns_lock:
                self._running[whose] -= 1
                if not self._running[whose]:
                    del self._running[whose]


def _settle(future: "Future[T]", work: Callable[[], T]) -> None:
    """Do the work unless it was cancelled before it began."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    except BaseException as fault:  # noqa: BLE001 - raised where the result is awaited
        future.set_exception(fault)


class _Pieces:
    """What pickle writes to, in pieces of 64 KiB and long texts, or reads from. Other threads run between two of them;
    ``pickle.dumps`` and ``pickle.loads`` keep the interpreter lock for 20 ms for ten texts of 300,000 characters."""

    def __init__(self, content: bytes = b"") -> None:
        self.written: list[bytes] = []
        self._content = memoryview(content)
        self._place = 0

    def write(self, piece: Any) -> None:
        self.written.append(bytes(piece))
        time.sleep(0)

    def read(self, size: int) -> bytes:
        return bytes(self._take(size))

    def readinto(self, into: Any) -> int:
        with memoryview(into) as target:
            piece = self._take(target.nbytes)
            target[: len(piece)] = piece
        return len(piece)

    def readline(self) -> bytes:
        """Only older protocols have lines."""
        raise EOFError

    def _take(self, size: int) -> memoryview:
        time.sleep(0)
        self._place += size
        return self._content[self._place - size : self._place]


def _written(value: Any) -> bytes:
    pieces = _Pieces()
    pickle.Pickler(pieces, pickle.HIGHEST_PROTOCOL).dump(value)
    return b"".join(pieces.written)


def _read(content: bytes) -> Any:
    return pickle.Unpickler(_Pieces(content)).load()  # noqa: S301 - from our own process


class _Process:
    """Runs one function at a time. ``call`` blocks."""

    def __init__(self) -> None:
        own, other = socket.socketpair()
        with other:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, and no argument from outside
                [sys.executable, "-P", "-m", "judge_server.util.apart", str(other.fileno())],
                pass_fds=[other.fileno()],
                stdin=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        self._pipe = Connection(own.detach())
        self._receive(_START_SECONDS)  # it is ready

    def call(self, request: bytes) -> Any:
        """The result; raises what the function raised, TimeoutError, and EOFError or OSError if the process ended."""
        self._pipe.send_bytes(request)
        good, value = _read(self._receive(_WORK_SECONDS))
        if good:
            return value
        raise value

    def _receive(self, seconds: float) -> bytes:
        if not self._pipe.poll(seconds):
            raise TimeoutError(f"no answer within {seconds:g} s")
        return self._pipe.recv_bytes()

    def close(self) -> None:
        self._pipe.close()
        self._process.kill()
        self._process.wait()


class _Helper:
    """The process, started when it is first needed and again if it ended."""

    def __init__(self) -> None:
        self._process: _Process | None = None
        atexit.register(self.close)

    def run(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """The result of ``work``; in this process if it cannot be sent to the other one, or that cannot be started.
        Raises NotDone."""
        try:
            request = _written((work, arguments))
        except (pickle.PicklingError, AttributeError, TypeError):
            return work(*arguments)
        for _ in range(_ATTEMPTS):
            try:
                self._process = self._process or _Process()
            except (EOFError, OSError) as fault:
                _LOG.warning("the process for long texts cannot be started: %s", fault)
                return work(*arguments)
            try:
                return self._process.call(request)
            except TimeoutError:
                self.close()
                break
            except (EOFError, OSError, pickle.UnpicklingError) as fault:
                _LOG.info("the process for long texts starts again: %s", fault)
                self.close()
        raise NotDone(f"it takes more than {_WORK_SECONDS:g} s, or more memory than there is")

    def close(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None


_helper: Final = _Helper()
_thread: Final = ThreadPoolExecutor(1, thread_name_prefix="long-texts")  # waits for the process
_lock: Final = threading.Lock()
_turns: Final[Turns[tuple[Future[Any], Callable[[], Any]]]] = Turns()


async def apart(whose: str, work: Callable[[Unpack[Given]], T], *args: *Given) -> T:
    """The result of ``work``, a function of a module, in the other process. ``whose``: the caller whose turn it
    takes. Cancelled work that has not begun is not done. Raises NotDone for what the process cannot do."""
    future: Future[T] = Future()
    with _lock:
        _turns.push(whose, (future, partial(_helper.run, work, args)))
    _thread.submit(_next)
    return await asyncio.wrap_future(future)


def _next() -> None:
    with _lock:
        future, work = _turns.pop()
    _settle(future, work)


def _serve(descriptor: int) -> None:
    """In the other process: do what arrives, until nothing did for long or the server has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to the whole group; the server says when it is over
    give_way()
    pipe = Connection(descriptor)
    pipe.send_bytes(b"ready")
    while pipe.poll(_IDLE_SECONDS):
        try:
            request = pipe.recv_bytes()
        except EOFError:
            return
        pipe.send_bytes(_answer(request))


def _answer(request: bytes) -> bytes:
    try:
        work, arguments = pickle.loads(request)  # noqa: S301 - from the server
        return pickle.dumps((True, work(*arguments)), pickle.HIGHEST_PROTOCOL)
    except Exception as fault:  # noqa: BLE001 - raised in the server
        return pickle.dumps((False, fault), pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    _serve(int(sys.argv[1]))
