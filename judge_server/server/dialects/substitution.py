"""No number takes the place of a reward unseen: each is counted, and the log tells of the first in every minute."""

import logging

from judge_server.core.errors import JudgeServerError
from judge_server.server.dialects.failure_policy import FailurePolicy
from judge_server.server.telemetry.metrics import Metrics
from judge_server.util.log_throttle import LogThrottle

_log = logging.getLogger(__name__)


class Substitutions:
    """Counts by dialect and type of error. Both are ours, so there is no end of them in sight of a request."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._news = LogThrottle()

    def tell(self, dialect: str, error: str, fault: JudgeServerError, policy: FailurePolicy) -> None:
        """One sample of ``dialect`` has no reward because of ``error``."""
        self._metrics.substituted(dialect, error)
        more = self._news.of((dialect, error))
        if more is not None:
            instead = "masked" if policy.number is None else f"answered {policy.number:g}"
            _log.warning("%s: %s in place of a reward (%s): %s%s", dialect, instead, error, fault.detail, more)

    def refused(self, dialect: str, fault: JudgeServerError) -> None:
        """A URL of ``dialect`` cannot be used; trainers show statuses at most, so the reason stands in our log."""
        more = self._news.of((dialect, fault.type))
        if more is not None:
            _log.warning("%s: refused with status %d: %s%s", dialect, fault.status, fault, more)
