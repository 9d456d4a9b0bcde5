"""What the log says of judge models that fail: the first failure in every minute, and that they answer again."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from judge_server.scheduling.observers import CANCELLED, ModelCall
from judge_server.util.log_throttle import LogThrottle

_log = logging.getLogger(__name__)
_AN_OUTAGE = 3  # failures in a row: after fewer an answer is no news


@dataclass(slots=True)
class _Failing:
    """``in_a_row``: failures since the last answer."""

    news: LogThrottle
    in_a_row: int = 0


class CallLog:
    """Told of every call of a model, it writes a line for each model and type of failure at most once a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._models: dict[str, _Failing] = {}

    def called(self, call: ModelCall) -> None:
        """Tell of one call, where it is news."""
        if call.error == CANCELLED:
            return
        model = self._models.setdefault(call.model, _Failing(LogThrottle(self._clock)))
        if call.error is None:
            self._answered(call, model)
        else:
            self._failed(call, call.error, model)

    def _answered(self, call: ModelCall, model: _Failing) -> None:
        if model.in_a_row >= _AN_OUTAGE:
            _log.warning("the judge model %s answers again; %d calls in a row had failed", call.model, model.in_a_row)
            model.news.forget()
        model.in_a_row = 0

    def _failed(self, call: ModelCall, error: str, model: _Failing) -> None:
        model.in_a_row += 1
        more = model.news.of(error)
        if more is not None:
            _log.warning("a call of the judge model %s failed, %s: %s%s", call.model, error, call.detail, more)
