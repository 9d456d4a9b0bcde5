"""Run background work on a schedule."""

import logging
from collections.abc import Awaitable, Callable

_LOG = logging.getLogger(__name__)


async def run_periodically(
    what: str,
    work: Callable[[], Awaitable[object]],
    pause: Callable[[], Awaitable[object]],
    *,
    transient: type[Exception] | tuple[type[Exception], ...] = (),
) -> None:
    """Run ``work``, then ``pause``, until cancelled. ``what`` names the work in the log.

    An exception from ``work`` is logged and the loop goes on: ``transient`` ones as one warning line, others with a
    traceback."""
    while True:
        try:
            await work()
        except transient as fault:
            _LOG.warning("%s: %s; trying again later", what, fault)
        except Exception:  # noqa: BLE001 - one failed run must not end the schedule
            _LOG.exception("%s failed and will be tried again", what)
        await pause()
