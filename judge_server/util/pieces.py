"""Pickling of long texts in pieces, between which other threads run.

``pickle.dumps`` and ``pickle.loads`` keep the interpreter lock for 20 ms for ten texts of 300,000 characters. Pieces
are never joined, and a text is read where it lies, so that each is copied once: every copy keeps the lock.
"""

import pickle
import time
from typing import Any, Final

_PAUSE_BYTES: Final = 65_536
# A thread that sleeps for no time often has the lock again before one that waits for it has woken up.
_PAUSE_SECONDS: Final = 0.0001


def written(value: Any) -> list[bytes]:
    """Pieces that follow each other."""
    pieces = _Pieces()
    pickle.Pickler(pieces, pickle.HIGHEST_PROTOCOL).dump(value)
    return pieces.written


def read(content: bytes | bytearray | memoryview) -> Any:
    """What ``written`` was given, from its pieces joined. Only for what a process of our own wrote."""
    return pickle.Unpickler(_Pieces(content)).load()  # noqa: S301 - from our own process


class _Pieces:
    """What pickle writes to, in pieces of 64 KiB and long texts, or reads from. Other threads run after each
    ``_PAUSE_BYTES``; small pieces between share a pause, because each one is a change of thread and back."""

    def __init__(self, content: bytes | bytearray | memoryview = b"") -> None:
        self.written: list[bytes] = []
        self._content = memoryview(content)
        self._place = 0
        self._since_pause = 0

    def write(self, piece: Any) -> None:
        self.written.append(bytes(piece))
        self._pause_after(len(self.written[-1]))

    def read(self, size: int) -> Any:
        """Not copied: pickle takes any buffer."""
        return self._take(size)

    def readinto(self, into: Any) -> int:
        with memoryview(into) as target:
            piece = self._take(target.nbytes)
            target[: len(piece)] = piece
        return len(piece)

    def readline(self) -> bytes:
        """Only older protocols have lines."""
        raise EOFError

    def _take(self, size: int) -> memoryview:
        self._pause_after(size)
        self._place += size
        return self._content[self._place - size : self._place]

    def _pause_after(self, size: int) -> None:
        self._since_pause += size
        if self._since_pause >= _PAUSE_BYTES:
            self._since_pause = 0
            time.sleep(_PAUSE_SECONDS)
