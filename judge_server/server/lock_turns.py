"""For how long a thread keeps the interpreter's lock while another one waits for it.

Python's threads hand one lock around. Each time one has to give it up the machine changes threads twice, which took 6 %
of the processor time of a server with one busy caller. While many submissions of one caller are under way, turns are
long; beside other callers, and for a few submissions, they are short, because each wait of a request may last a turn.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Final

SHORT_SECONDS: Final = 0.0005  # ten times a request waits so long for a busy thread; Python's own is 5 ms
LONG_SECONDS: Final = 0.003
_MANY: Final = 16
_LOOK_SECONDS: Final = 0.1


def fitting_seconds(under_way: int, *, contended: bool) -> float:
    """Of a turn, for so many submissions under way; ``contended``: of more than one caller."""
    return LONG_SECONDS if under_way >= _MANY and not contended else SHORT_SECONDS


async def adjust_turns(under_way: Callable[[], int], contended: Callable[[], bool]) -> None:
    """Look ten times a second, until cancelled."""
    standing = SHORT_SECONDS
    sys.setswitchinterval(standing)
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        seconds = fitting_seconds(under_way(), contended=contended())
        if seconds != standing:
            sys.setswitchinterval(seconds)
            standing = seconds
