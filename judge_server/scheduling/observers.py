"""Who is told of what is done: metrics, traces. What becomes of the news changes nothing of what was done."""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from judge_server.core.errors import JudgeServerError
from judge_server.core.judgment import Judgment, Usage
from judge_server.core.verdict import Failure
from judge_server.scheduling.model_call import ModelCall
from judge_server.util.tracing import Tracer, Untraced

_LOG = logging.getLogger(__name__)
CANCELLED = "cancelled"
BROKEN = "broken_contract"


class JudgmentObserver(Protocol):
    """Told of every judgment."""

    def judged(self, judgment: Judgment) -> None: ...


class ComparisonObserver(Protocol):
    """Told of every comparison of a group."""

    def compared(self, usage: Usage, failures: Sequence[Failure]) -> None: ...


class CallObserver(Protocol):
    """Told of every call of a model."""

    def called(self, call: ModelCall) -> None: ...


@dataclass(frozen=True)
class Observers:
    """The observers of each kind, and what a trace is written to."""

    judgments: Sequence[JudgmentObserver] = ()
    comparisons: Sequence[ComparisonObserver] = ()
    calls: Sequence[CallObserver] = ()
    tracer: Tracer = field(default_factory=Untraced)

    def judged(self, judgment: Judgment) -> None:
        """A judgment was made and kept."""
        for observer in self.judgments:
            with _unharmed_by(observer):
                observer.judged(judgment)

    def compared(self, usage: Usage, failures: Sequence[Failure]) -> None:
        """A group was compared."""
        for observer in self.comparisons:
            with _unharmed_by(observer):
                observer.compared(usage, failures)

    @contextmanager
    def calling(self, call: ModelCall) -> Iterator[ModelCall]:
        """The block is the call; the observers are told when it ends, however it ends."""
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
            call.ended = time.monotonic()
            for observer in self.calls:
                with _unharmed_by(observer):
                    observer.called(call)


@contextmanager
def _unharmed_by(observer: object) -> Iterator[None]:
    try:
        yield
    except Exception:  # noqa: BLE001 - what was done is done, whatever becomes of the news
        _LOG.exception("the observer %s raised", type(observer).__name__)
