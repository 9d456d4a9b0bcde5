"""No number takes the place of a reward unseen: each is counted, and the log tells of the first in every minute."""

import logging
import time

from judge_server.core.errors import JudgeServerError
from judge_server.server.dialects.failure_policy import FailurePolicy
from judge_server.server.watching.metrics import Metrics

_log = logging.getLogger(__name__)
_QUIET_SECONDS = 60.0


class Substitutions:
    """Counts by dialect and type of error. Both are ours, so there is no end of them in sight of a request."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._told: dict[tuple[str, str], float] = {}

    def tell(self, dialect: str, error: str, fault: JudgeServerError, policy: FailurePolicy) -> None:
        """One sample of ``dialect`` has no reward because of ``error``."""
        self._metrics.substituted(dialect, error)
        if self._is_news(dialect, error):
            instead = "masked" if policy.number is None else f"answered {policy.number:g}"
            _log.warning("%s: %s in place of a reward (%s): %s", dialect, instead, error, fault.detail)

    def refused(self, dialect: str, fault: JudgeServerError) -> None:
        """A URL of ``dialect`` cannot be used; trainers show statuses at most, so the reason stands in our log."""
        if self._is_news(dialect, fault.type):
            _log.warning("%s: refused with status %d: %s", dialect, fault.status, fault)

    def _is_news(self, dialect: str, error: str) -> bool:
        now = time.monotonic()
        if now - self._told.get((dialect, error), -_QUIET_SECONDS) < _QUIET_SECONDS:
            return False
        self._told[dialect, error] = now
        return True
