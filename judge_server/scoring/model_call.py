"""One call of a judge model as it went: how long it waited, how long the model took, what came of it."""

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from judge_server.core.errors import JudgeServerError
from judge_server.core.judgment import Usage
from judge_server.models.protocol import Priority

_LOG = logging.getLogger(__name__)
CANCELLED = "cancelled"
BROKEN = "broken_contract"


@dataclass(slots=True)
class ModelCall:
    """Times are ``time.monotonic()`` seconds. ``started`` is None while the call waits, and for good where its turn
    never came; ``error`` is the type of the fault that ended it, None where the model answered."""

    model: str
    priority: Priority
    asked: float = field(default_factory=time.monotonic)
    started: float | None = None
    ended: float = 0.0
    usage: Usage = field(default_factory=Usage)
    error: str | None = None

    @property
    def waited_seconds(self) -> float:
        return (self.ended if self.started is None else self.started) - self.asked

    @property
    def model_seconds(self) -> float | None:
        """None where the model was never asked."""
        return None if self.started is None else self.ended - self.started


class CallObserver(Protocol):
    """Told of every call of a model: metrics, traces."""

    def called(self, call: ModelCall) -> None: ...


@contextmanager
def observed(call: ModelCall, observers: Sequence[CallObserver]) -> Iterator[ModelCall]:
    """Tell the observers of a call when the block ends, however it ends."""
    try:
        yield call
    except asyncio.CancelledError:
        call.error = CANCELLED
        raise
    except JudgeServerError as fault:
        call.error = fault.type
        raise
    except BaseException:
        call.error = BROKEN
        raise
    finally:
        call.ended = time.monotonic()
        for observer in observers:
            try:
                observer.called(call)
            except Exception:  # noqa: BLE001 - the call is made, whatever becomes of the news
                _LOG.exception("the observer %s raised", type(observer).__name__)
