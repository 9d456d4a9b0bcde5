"""How long scoring waits for the store."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from judge_server.core.errors import StoreUnavailable

_GRACE_SECONDS = 1.0
_RETRY_AFTER_SECONDS = 5.0


@contextmanager
def bounded(seconds: float | None, what: str) -> Iterator[asyncio.Timeout]:
    """A bound on the store: the caller's deadline, and a second beyond it for what was decided just in time. Raises
    StoreUnavailable after that; what is queued may still be stored later."""
    bound = asyncio.timeout(None if seconds is None else max(seconds, _GRACE_SECONDS))
    try:
        yield bound
    except TimeoutError:
        if not bound.expired():
            raise
        raise StoreUnavailable(
            f"{what} before the deadline.",
            remedy="The database is locked, slow or away: check it, and try again.",
            retry_after_seconds=_RETRY_AFTER_SECONDS,
        ) from None
