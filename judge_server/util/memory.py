"""Memory that the allocator keeps returns to the system. By default glibc keeps what was freed for reuse: after large
bodies, hundreds of megabytes for good."""

import ctypes
import gc
from collections.abc import Callable
from typing import Final

_MMAP_THRESHOLD, _MMAP_THRESHOLD_BYTES = -3, 1024 * 1024
_ARENA_MAX, _ARENAS = -8, 2
_C: Final = ctypes.CDLL(None)
_mallopt: Final[Callable[[int, int], int] | None] = getattr(_C, "mallopt", None)
_trim: Final[Callable[[int], int] | None] = getattr(_C, "malloc_trim", None)


def map_large_blocks() -> None:
    """From now on large blocks are mapped one by one and return when they are freed, and threads share two arenas."""
    if _mallopt is not None:
        _mallopt(_MMAP_THRESHOLD, _MMAP_THRESHOLD_BYTES)
        _mallopt(_ARENA_MAX, _ARENAS)


def collect_young() -> None:
    """Collect the garbage of the last requests, at most 50,000 objects. Work that was cancelled refers to itself by its
    tracebacks; the interpreter would keep it, with the texts of its request, until so many objects were made."""
    gc.collect(0)


def give_back() -> None:
    """Return free pages to the system. It takes milliseconds: call it in a thread."""
    if _trim is not None:
        _trim(0)
