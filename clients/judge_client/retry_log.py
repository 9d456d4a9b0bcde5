"""A line in the log when requests are being retried, so that a waiting training is not a silent one."""

from __future__ import annotations

import logging
import threading
import time

from judge_client.backoff import Backoff
from judge_client.errors import JudgeClientError
from judge_client.fork import ForkAware

_LOG = logging.getLogger("judge_client")
_QUIET_SECONDS = 30.0


class RetryLog(ForkAware):
    """At most one line every half minute in a process, however many calls wait."""

    def __init__(self) -> None:
        super().__init__()
        self.after_fork()

    def after_fork(self) -> None:
        self._lock = threading.Lock()
        self._written_at = float("-inf")

    def note(self, error: JudgeClientError, backoff: Backoff) -> None:
        with self._lock:
            now = time.monotonic()
            if now - self._written_at < _QUIET_SECONDS:
                return
            self._written_at = now
        bound = "" if backoff.attempts is None else f" and {backoff.attempts} attempts"
        _LOG.warning("%s Retrying for up to %g s%s.", error, backoff.patience_seconds, bound)


retries = RetryLog()
