"""Calls of judge models: Prometheus metrics, and log lines about outages and recoveries."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry

from judge_server.core.errors import (
    BudgetSpent,
    ContextOverflow,
    DeadlineExceeded,
    JudgeRefused,
    ModelUnavailable,
    UnusableVerdict,
)
from judge_server.core.judgment import Judgment
from judge_server.models.protocol import Priority
from judge_server.scheduling.observers import CANCELLED, ModelCall
from judge_server.server.telemetry.counts import Counter, Histogram
from judge_server.util.log_throttle import LogThrottle

FAILURES: Final = tuple(
    fault.type for fault in (DeadlineExceeded, ModelUnavailable, JudgeRefused, UnusableVerdict, ContextOverflow)
)
_SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class ModelMetrics:
    """Times calls and counts failures. Labels are configured models, priority classes and types of errors."""

    def __init__(self, registry: CollectorRegistry) -> None:
        waits = Histogram(
            "judge_server_call_wait_seconds",
            "Seconds that calls waited for their turn, by priority class.",
            ("priority",),
            buckets=(0.001, *_SECONDS_BUCKETS),
            registry=registry,
        )
        self._waits = {priority: waits.labels(priority.name.lower()) for priority in Priority}
        self._seconds = Histogram(
            "judge_server_call_seconds",
            "Seconds that models took to answer a call.",
            ("model",),
            buckets=_SECONDS_BUCKETS,
            registry=registry,
        )
        self._failures = Counter(
            "judge_server_call_failures",
            "Calls of models that gave no answer, by cause.",
            ("model", "type"),
            registry=registry,
        )

    def expect(self, models: Iterable[str]) -> None:
        """Begin the series of failures at 0: one that begins with its first failure shows no increase."""
        for model in models:
            self._seconds.labels(model)
            for kind in FAILURES:
                self._failures.labels(model, kind)

    def called(self, call: ModelCall) -> None:
        """Count one call."""
        self._waits[call.priority].observe(call.waited_seconds)
        if call.error is not None:
            self._failures.labels(call.model, call.error).inc()
        elif call.model_seconds is not None:
            self._seconds.labels(call.model).observe(call.model_seconds)


_log = logging.getLogger(__name__)
_OUTAGE = 3  # failures in a row; recovery after fewer is not logged


@dataclass(slots=True)
class _Failing:
    """``in_a_row``: failures since the last answer."""

    throttle: LogThrottle
    in_a_row: int = 0


class CallLog:
    """Logs failed calls, at most one line a minute for each model and type of failure, and recoveries."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._models: dict[str, _Failing] = {}

    def called(self, call: ModelCall) -> None:
        """Log one call if it is the first of its kind in a minute."""
        if call.error in (CANCELLED, BudgetSpent.type):
            return
        model = self._models.get(call.model)
        if model is None:
            model = self._models[call.model] = _Failing(LogThrottle(self._clock))
        if call.error is None:
            self._answered(call, model)
        else:
            self._failed(call, call.error, model)

    def _answered(self, call: ModelCall, model: _Failing) -> None:
        if model.in_a_row >= _OUTAGE:
            _log.warning("the judge model %s answers again; %d calls in a row had failed", call.model, model.in_a_row)
            model.throttle.forget()
        model.in_a_row = 0

    def _failed(self, call: ModelCall, error: str, model: _Failing) -> None:
        model.in_a_row += 1
        more = model.throttle.of(error)
        if more is not None:
            _log.warning("a call of the judge model %s failed, %s: %s%s", call.model, error, call.detail, more)


_OF_THE_TEXT: Final = frozenset(
    {"nothing_applicable", "undefined_reward", "missing_reference", "context_overflow", "content_filtered"}
)


class NullStreak:
    """Observes judgments: those of one judge since its last reward, when the first came and the last cause."""

    def __init__(self, judge: str, most_seconds: float = 60.0) -> None:
        self._judge = judge
        self._most_seconds = most_seconds
        self._since: float | None = None
        self._cause = ""
        self.suspected = asyncio.Event()

    def judged(self, judgment: Judgment) -> None:
        """Count one judgment."""
        if judgment.judge is None or judgment.judge.name != self._judge:
            return
        if judgment.reward is not None:
            if judgment.usage.calls:  # else the cache answered
                self.end()
        elif judgment.error is not None and judgment.error.type not in _OF_THE_TEXT:
            self._since = time.monotonic() if self._since is None else self._since
            self._cause = judgment.error.type
            if self.suspicious:
                self.suspected.set()

    @property
    def open(self) -> bool:
        """Whether no reward came since a null."""
        return self._since is not None

    @property
    def suspicious(self) -> bool:
        """Whether nothing but nulls came for the configured time, or a call was refused as every call would be."""
        if self._since is None:
            return False
        return self._cause == JudgeRefused.type or time.monotonic() - self._since >= self._most_seconds

    def end(self) -> None:
        """The judge has answered."""
        self._since = None
