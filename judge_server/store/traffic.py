"""What the store observes of itself: how long callers wait for the database, what fails, which connections are used."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, Protocol, get_args

from judge_server.core.errors import JudgeServerError

Work = Literal["read", "write", "commit"]
WORKS: Final[tuple[Work, ...]] = get_args(Work)


class TrafficObserver(Protocol):
    """Is told of every wait for the database."""

    def waited(self, work: Work, seconds: float, error: str | None) -> None:
        """``error``: the type of the fault that ended the wait; None if the database answered."""


@dataclass(frozen=True, slots=True)
class PoolUse:
    """Of one pool."""

    pool: Literal["read", "write"]
    in_use: int
    size: int


class Traffic:
    """Tells its observer, once there is one."""

    def __init__(self) -> None:
        self.observer: TrafficObserver | None = None

    @contextmanager
    def waiting(self, work: Work) -> Iterator[None]:
        """Around one wait."""
        if self.observer is None:
            yield
            return
        began, error = time.monotonic(), None
        try:
            yield
        except JudgeServerError as fault:
            error = fault.type
            raise
        finally:
            self.observer.waited(work, time.monotonic() - began, error)
