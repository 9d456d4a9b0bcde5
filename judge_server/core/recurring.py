"""Work that is done again and again beside everything else."""

import logging
from collections.abc import Awaitable, Callable

from judge_server.core.errors import StoreUnavailable

_LOG = logging.getLogger(__name__)


async def again_and_again(
    what: str, work: Callable[[], Awaitable[object]], pause: Callable[[], Awaitable[object]]
) -> None:
    """``work``, then ``pause``, until cancelled. Whatever ``work`` raises is logged and ends nothing: it is done again
    after the pause. ``what`` names it in the log."""
    while True:
        try:
            await work()
        except StoreUnavailable as fault:
            _LOG.warning("the store does not answer for %s: %s", what, fault)
        except Exception:  # noqa: BLE001 - work that stumbles once is no reason to do it no more
            _LOG.exception("%s failed and will be tried again", what)
        await pause()
