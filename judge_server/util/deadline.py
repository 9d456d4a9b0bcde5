"""The deadline of the request at hand. Every wait for the store, for a file or for a lock ends soon after it.

A request sets it, tasks inherit it, and work that goes on without the request clears it.
"""

import asyncio
import time
from contextvars import ContextVar
from typing import Final

# after the deadline: to store what was judged until then, and to say what became of it
GRACE_SECONDS: Final = 0.5

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


def set_deadline(deadline: float | None) -> None:
    """``deadline`` in seconds of ``time.monotonic()``; None: the current task belongs to no request."""
    _deadline.set(deadline)


def before_deadline() -> asyncio.Timeout:
    """Inside ``async with`` TimeoutError is raised ``GRACE_SECONDS`` after the deadline; never without one."""
    deadline = _deadline.get()
    return asyncio.timeout(None if deadline is None else max(deadline + GRACE_SECONDS - time.monotonic(), 0.0))
