"""Long work on texts in a process of its own, so that it does not hold the event loop's interpreter.

A regular expression or a JSON reader keeps the interpreter lock for as long as one text takes. One process of a low
priority does such work; callers take turns in it. While several callers are active, another one does it, which runs
only while a processor has nothing else to do. Where programs keep all processors busy that would wait without end:
then the first takes its place for a minute.
"""

import asyncio
import atexit
import logging
import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar, TypeVarTuple, Unpack

from judge_server.util.helper_process import WORK_SECONDS, HelperProcess, NotSent, Starved
from judge_server.util.low_priority import Politeness
from judge_server.util.starvation import processor_seconds
from judge_server.util.turns import Turns, settle

T = TypeVar("T")
Given = TypeVarTuple("Given")
_LOG = logging.getLogger(__name__)
_ATTEMPTS: Final = 2  # a process may end for reasons that lie outside it
_BUSY_SECONDS: Final = 60.0  # after one starved, until it is tried again


class NotDone(ValueError):
    """The other process did not answer in time, or ended twice over the same work. It is not tried in the server's own
    process, which would stand still or end as well."""


class _Helper:
    """The processes, each started when it is first needed and again if it ended."""

    def __init__(self) -> None:
        self._processes: dict[Politeness, HelperProcess] = {}
        self.others_are_active: Callable[[], bool] = lambda: True
        # where nobody could see that it starves, the one of low priority does everything
        self._busy_until = float("inf") if processor_seconds("self") is None else float("-inf")
        atexit.register(self.close)

    def run(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """The result of ``work``; in this process if it cannot be sent to another one, or that cannot be started.
        Raises NotDone."""
        ended = 0
        while ended < _ATTEMPTS:
            politeness = self._politeness()
            try:
                process = self._started(politeness)
            except (EOFError, OSError) as fault:
                _LOG.warning("the process for long texts cannot be started: %s", fault)
                return work(*arguments)
            try:
                return process.call(work, arguments)
            except NotSent:
                return work(*arguments)
            except Starved:
                _LOG.info("all processors are busy: long texts have a process of low priority for a minute")
                self._busy_until = time.monotonic() + _BUSY_SECONDS
                self._close(politeness)
            except TimeoutError:
                self._close(politeness)
                break
            except (EOFError, OSError, pickle.UnpicklingError) as fault:
                _LOG.info("the process for long texts starts again: %s", fault)
                self._close(politeness)
                ended += 1
        raise NotDone(f"it takes more than {WORK_SECONDS:g} s, or more memory than there is")

    def _politeness(self) -> Politeness:
        alone = time.monotonic() < self._busy_until or not self.others_are_active()
        return Politeness.LOW if alone else Politeness.IDLE

    def _started(self, politeness: Politeness) -> HelperProcess:
        process = self._processes.get(politeness)
        if process is None:
            process = self._processes[politeness] = HelperProcess(politeness)
        return process

    def _close(self, politeness: Politeness) -> None:
        process = self._processes.pop(politeness, None)
        if process is not None:
            process.close()

    def close(self) -> None:
        for politeness in Politeness:
            self._close(politeness)


_helper: Final = _Helper()
_thread: Final = ThreadPoolExecutor(1, thread_name_prefix="long-texts")  # waits for the process
_lock: Final = threading.Lock()
_turns: Final[Turns[tuple[Future[Any], Callable[[], Any]]]] = Turns()


def give_way_while(others_are_active: Callable[[], bool]) -> None:
    """From now on long work gives way to everything else while ``others_are_active``: callers beside the one whose text
    it is. Without this it always does."""
    _helper.others_are_active = others_are_active


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
    settle(future, work)
