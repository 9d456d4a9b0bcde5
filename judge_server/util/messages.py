"""Messages between two processes through a socket, sent and received without standing still."""

import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

_LENGTH: Final = struct.Struct("<Q")
_LOOK_SECONDS: Final = 0.1


class Messages:
    """One end. ``watch`` is called at least every ``_LOOK_SECONDS`` while a message goes or is waited for, and ends
    that by what it raises. Both ways raise EOFError or OSError if the other end is closed."""

    def __init__(self, end: socket.socket, watch: Callable[[], None] | None = None) -> None:
        self._end = end
        self._watch = watch or _wait
        end.settimeout(None if watch is None else _LOOK_SECONDS)

    def send(self, pieces: Sequence[bytes]) -> None:
        """One message, of pieces that follow each other."""
        for part in (_LENGTH.pack(sum(map(len, pieces))), *pieces):
            left = memoryview(part)
            while left:
                with suppress(TimeoutError):
                    left = left[self._end.send(left) :]
                self._watch()

    def receive(self) -> bytearray:
        (length,) = _LENGTH.unpack(self._received(_LENGTH.size))
        return self._received(length)

    def _received(self, length: int) -> bytearray:
        content = bytearray(length)
        left = memoryview(content)
        while left:
            try:
                size = self._end.recv_into(left)
            except TimeoutError:
                self._watch()
                continue
            if not size:
                raise EOFError
            left = left[size:]
        return content

    def close(self) -> None:
        self._end.close()


def _wait() -> None:
    """Nothing to look at: it is waited for as long as it takes."""
