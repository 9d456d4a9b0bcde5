"""What the API keys of all workers use together: one small file that the workers map into memory.

A key has one slot: when its token bucket will be full again, and how many submissions each worker has under way for it.
The file is locked while a slot is read and written; the kernel frees the lock of a process that dies.
"""

import mmap
import os
import struct
import time
from hashlib import blake2b
from typing import Final

from judge_server.server.processes.file_lock import locked
from judge_server.server.processes.place import WorkerPlace

SLOTS: Final = 4_096
_HEAD: Final = struct.Struct("=Qd")  # the key's digest, and when its bucket is full, by CLOCK_MONOTONIC of the machine
_COUNT: Final = struct.Struct("=q")
_NAME: Final = "keys.ledger"


class Ledger:
    """One worker's view. Its own counts are 0 at its start, also after it was killed."""

    def __init__(self, place: WorkerPlace) -> None:
        self._number, self._count = place.number, place.count
        self._size = _HEAD.size + _COUNT.size * place.count
        path = place.folder / _NAME
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._file, SLOTS * self._size)
        self._memory = mmap.mmap(self._file, SLOTS * self._size)
        with locked(self._file):
            for slot in range(SLOTS):
                _COUNT.pack_into(self._memory, self._own(slot), 0)

    def close(self) -> None:
        self._memory.close()
        os.close(self._file)

    def take(self, caller: str, rate: float, burst: int) -> float:
        """Count one request; the seconds until there is room for it, 0 if it was counted."""
        now = time.monotonic()
        with locked(self._file):
            slot = self._slot(caller)
            digest, full_at = _HEAD.unpack_from(self._memory, slot * self._size)
            full_at = max(full_at, now) + 1 / rate
            excess: float = full_at - now - burst / rate
            if excess > 1e-9:
                return excess
            _HEAD.pack_into(self._memory, slot * self._size, digest, full_at)
        return 0.0

    def hold(self, caller: str, submissions: int, limit: int) -> int | None:
        """Count submissions as under way; what all workers have already if that would exceed the limit."""
        with locked(self._file):
            slot = self._slot(caller)
            here = self._under_way(slot)
            if submissions > 0 and sum(here) + submissions > limit:
                return sum(here)
            _COUNT.pack_into(self._memory, self._own(slot), max(here[self._number] + submissions, 0))
        return None

    def under_way(self, caller: str) -> int:
        """Of all workers."""
        with locked(self._file):
            return sum(self._under_way(self._slot(caller)))

    def _slot(self, caller: str) -> int:
        """The caller's slot, or the next free one. With more keys than slots, keys share them."""
        digest = int.from_bytes(blake2b(caller.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") or 1
        for place in range(SLOTS):
            slot = (digest + place) % SLOTS
            found, full_at = _HEAD.unpack_from(self._memory, slot * self._size)
            if found == digest:
                return slot
            if not found:
                _HEAD.pack_into(self._memory, slot * self._size, digest, full_at)
                return slot
        return digest % SLOTS

    def _under_way(self, slot: int) -> list[int]:
        start = slot * self._size + _HEAD.size
        return [_COUNT.unpack_from(self._memory, start + number * _COUNT.size)[0] for number in range(self._count)]

    def _own(self, slot: int) -> int:
        return slot * self._size + _HEAD.size + self._number * _COUNT.size
