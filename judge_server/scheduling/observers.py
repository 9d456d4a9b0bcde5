"""Observers of judgments, comparisons and model calls: metrics, logs, traces. Their errors are logged, never raised."""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from judge_server.core.errors import JudgeServerError
from judge_server.core.judgment import NO_USAGE, Judgment, Usage
from judge_server.core.rubric import RubricReference
from judge_server.core.verdict import Failure
from judge_server.models.protocol import Priority
from judge_server.util.tracing import Attribute, Tracer

_LOG = logging.getLogger(__name__)
CANCELLED = "cancelled"
BROKEN = "broken_contract"


@dataclass(slots=True)
class ModelCall:
    """One call of a judge model. Times are ``time.monotonic()`` seconds. ``started`` is None while the call waits, and
    stays None if it never got a slot; ``error`` is the type of the fault that ended it, None if the model answered;
    ``detail`` is our own message. Known at the end: ``waited_seconds``, and ``model_seconds``, None if the model was
    never asked."""

    model: str
    priority: Priority
    asked: float = field(default_factory=time.monotonic)
    started: float | None = None
    ended: float = 0.0
    usage: Usage = NO_USAGE
    error: str | None = None
    detail: str = ""
    waited_seconds: float = 0.0
    model_seconds: float | None = None

    def end(self) -> None:
        self.ended = time.monotonic()
        self.waited_seconds = (self.ended if self.started is None else self.started) - self.asked
        self.model_seconds = None if self.started is None else self.ended - self.started


class JudgmentObserver(Protocol):
    """Is notified of every judgment."""

    def judged(self, judgment: Judgment) -> None: ...


class GroupObserver(Protocol):
    """Is notified of every group of at least two rewards that came in one request. ``equal``: float32 cannot tell them
    apart, so the group has no advantage."""

    def grouped(self, rubric: RubricReference | None, *, equal: bool) -> None: ...


class ComparisonObserver(Protocol):
    """Is notified of every comparison of a group."""

    def compared(self, usage: Usage, failures: Sequence[Failure]) -> None: ...


class CallObserver(Protocol):
    """Is notified of every call of a model."""

    def called(self, call: ModelCall) -> None: ...


@dataclass(frozen=True)
class Observers:
    """The observers of each kind, and the tracer; None if nothing is traced."""

    judgments: Sequence[JudgmentObserver] = ()
    groups: Sequence[GroupObserver] = ()
    comparisons: Sequence[ComparisonObserver] = ()
    calls: Sequence[CallObserver] = ()
    tracer: Tracer | None = None

    def judged(self, judgment: Judgment) -> None:
        """Report a judgment that was made and stored."""
        for observer in self.judgments:
            try:
                observer.judged(judgment)
            except Exception:  # noqa: BLE001 - as ``_errors_logged``, without its cost for each judgment
                _log_error(observer)

    def grouped(self, rubric: RubricReference | None, *, equal: bool) -> None:
        """Report a group of at least two rewards."""
        for observer in self.groups:
            with _errors_logged(observer):
                observer.grouped(rubric, equal=equal)

    def compared(self, usage: Usage, failures: Sequence[Failure]) -> None:
        """Report a comparison of a group."""
        for observer in self.comparisons:
            with _errors_logged(observer):
                observer.compared(usage, failures)

    @contextmanager
    def calling(self, call: ModelCall) -> Iterator[ModelCall]:
        """Run the call inside the block. Observers are notified when it ends, also if it fails."""
        try:
            yield call
        except asyncio.CancelledError:
            call.error = CANCELLED
            raise
        except JudgeServerError as fault:
            call.error, call.detail = fault.type, str(fault)
            raise
        except BaseException as fault:
            call.error, call.detail = BROKEN, type(fault).__name__
            raise
        finally:
            call.end()
            for observer in self.calls:
                try:
                    observer.called(call)
                except Exception:  # noqa: BLE001 - as ``_errors_logged``, without its cost for each call
                    _log_error(observer)


def attributes_of(judgment: Judgment) -> dict[str, Attribute | None]:
    """Trace attributes of a judgment."""
    rubric = judgment.rubric
    return {
        "judge_server.judgment": judgment.id,
        "judge_server.rubric": f"{rubric.id}@{rubric.version}" if rubric else None,
        "judge_server.judge": judgment.judge.name if judgment.judge else None,
        "judge_server.status": judgment.status,
        "judge_server.reward": judgment.reward,
        "judge_server.calls": judgment.usage.calls,
        "error.type": judgment.error.type if judgment.error else None,
    }


@contextmanager
def _errors_logged(observer: object) -> Iterator[None]:
    try:
        yield
    except Exception:  # noqa: BLE001 - an observer must not change what it observes
        _log_error(observer)


def _log_error(observer: object) -> None:
    _LOG.exception("the observer %s raised", type(observer).__name__)
