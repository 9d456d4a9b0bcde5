"""A line in the log when a server keeps a request waiting for long, so that a training that stands still is not silent.

A server that hangs fails no request, and without a deadline nothing else would end the wait.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from judge_client.fork import ForkAware

_LOG = logging.getLogger("judge_client")
_LOOK_SECONDS = 30.0


class Waiting(ForkAware):
    """Requests under way in this process. While there are any, a thread looks every ``look_seconds``, and names the
    address that has kept one waiting since before the last look but one."""

    def __init__(self, look_seconds: float = _LOOK_SECONDS) -> None:
        super().__init__()
        self._look_seconds = look_seconds
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        self._since: dict[object, tuple[float, str]] = {}
        self._looking = False

    @contextmanager
    def noted(self, address: str) -> Iterator[None]:
        """Around one request."""
        token = object()
        with self._lock:
            self._since[token] = time.monotonic(), address
            begin, self._looking = not self._looking, True
        if begin:
            threading.Thread(target=self._look, name="judge-client-waiting", daemon=True).start()
        try:
            yield
        finally:
            self._since.pop(token, None)

    def _look(self) -> None:
        while True:
            time.sleep(self._look_seconds)
            with self._lock:
                if not self._since:
                    self._looking = False
                    return
                waiting = sorted(self._since.values())
            since, address = waiting[0]
            seconds = time.monotonic() - since
            if seconds >= 2 * self._look_seconds:
                _LOG.warning("%s has not answered for %.0f s; %d requests wait.", address, seconds, len(waiting))


waits = Waiting()
