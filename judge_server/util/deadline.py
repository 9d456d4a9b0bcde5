"""When the waits of a request end: every wait for the store is inside ``with until(wait_ends_at.get())``.

A request sets it, tasks inherit it, and work that goes on without the request clears it.
"""

from contextvars import ContextVar
from typing import Final

# after the request's deadline: to store what was judged until then, and to say what became of it
GRACE_SECONDS: Final = 0.5

# in seconds of ``time.monotonic()``, which is the event loop's clock; None: no request waits
wait_ends_at: ContextVar[float | None] = ContextVar("wait_ends_at", default=None)
