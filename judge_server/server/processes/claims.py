"""Equal questions of several workers are asked once: a table of what is being asked, mapped into memory by all.

A worker claims the keys of the verdicts that it asks for. One that finds a key claimed by another waits until it is
released, and then gets the reading from that worker.
"""

import asyncio
import mmap
import os
import struct
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import Any, Final

from judge_server.core.errors import JudgeServerError
from judge_server.server.processes.file_lock import locked
from judge_server.server.processes.peers import Peers
from judge_server.server.processes.place import WorkerPlace

SLOTS: Final = 65_536
_SLOT: Final = struct.Struct("=Qqd")  # the digest of the key, the worker's number + 1, when the claim ends
_TRIED: Final = 16  # places that a key may have, side by side
_TRIED_SLOTS: Final = struct.Struct("=" + "Qqd" * _TRIED)
_BYTES: Final = (SLOTS + _TRIED - 1) * _SLOT.size
_LONGEST_SECONDS: Final = 300.0
_LOOK_AGAIN_SECONDS: Final = 0.01
_ALIVE_SECONDS: Final = 0.5
_NAME: Final = "claims.table"
_KIND: Final = "readings"
Readings = Mapping[str, Mapping[str, Any]]


class SharedClaims:
    """One worker's view; a worker that starts gives up what it had claimed before it was killed. If a key finds no
    place, it is asked by each worker that wants it."""

    def __init__(self, place: WorkerPlace, peers: Peers) -> None:
        self._peers = peers
        self._me = place.number + 1
        self._file = os.open(place.folder / _NAME, os.O_RDWR | os.O_CREAT, 0o600)
        os.ftruncate(self._file, _BYTES)
        self._memory = mmap.mmap(self._file, _BYTES)
        with locked(self._file):
            for start in range(0, _BYTES, _SLOT.size):
                if _SLOT.unpack_from(self._memory, start)[1] == self._me:
                    _SLOT.pack_into(self._memory, start, 0, 0, 0.0)

    def close(self) -> None:
        self._memory.close()
        os.close(self._file)

    def offer(self, readings: Callable[[Sequence[str]], Readings]) -> None:
        """``readings``: what this worker knows of keys, for the others."""

        async def answer(keys: Sequence[str]) -> Readings:
            return readings(keys)

        self._peers.answers[_KIND] = answer

    async def claim(self, keys: Sequence[str]) -> Mapping[str, int]:
        """Claim the keys that nobody has; returns those that other workers have, with their numbers."""
        now, elsewhere = time.monotonic(), {}
        digests = {key: _digest(key) for key in keys}
        with locked(self._file):
            for key, digest in digests.items():
                start, owner = self._find(digest, now)
                if owner not in (None, self._me):
                    elsewhere[key] = owner - 1
                elif start is not None:
                    _SLOT.pack_into(self._memory, start, digest, self._me, now + _LONGEST_SECONDS)
        return elsewhere

    def release(self, keys: Collection[str]) -> None:
        self._free(keys, self._me)

    def _free(self, keys: Collection[str], owner: int) -> None:
        now, digests = time.monotonic(), [_digest(key) for key in keys]
        with locked(self._file):
            for digest in digests:
                start, claimed_by = self._find(digest, now)
                if start is not None and claimed_by == owner:
                    _SLOT.pack_into(self._memory, start, 0, 0, 0.0)

    async def readings(self, keys: Mapping[str, int], seconds: float | None) -> Readings:
        """Wait until the workers have released these keys, ``seconds`` at most; what they then know of them. A worker
        that was killed holds none."""
        begun = looked = time.monotonic()
        while self._held(keys) and (seconds is None or time.monotonic() - begun < seconds):
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
            if time.monotonic() - looked >= _ALIVE_SECONDS:
                for owner in set(keys.values()):
                    if not await self._peers.listens(owner):
                        self._free(keys, owner + 1)
                looked = time.monotonic()
        found: dict[str, Mapping[str, Any]] = {}
        for owner in set(keys.values()):
            mine = [key for key, number in keys.items() if number == owner]
            with suppress(JudgeServerError):  # it stopped: this worker asks the judge
                found |= await self._peers.ask(owner, _KIND, mine, patience_seconds=0.0)
        return found

    def _held(self, keys: Collection[str]) -> bool:
        now, digests = time.monotonic(), [_digest(key) for key in keys]
        with locked(self._file):
            return any(self._find(digest, now)[1] not in (None, self._me) for digest in digests)

    def _find(self, digest: int, now: float) -> tuple[int | None, int | None]:
        """Where the key stands, and the number of who claims it; or else a place for it, if there is one, and None."""
        first = digest % SLOTS * _SLOT.size
        slots = _TRIED_SLOTS.unpack_from(self._memory, first)
        digests = slots[::3]
        if digest in digests:
            place = digests.index(digest)  # the one place that it has: a claim that has ended is claimed again there
            standing = slots[3 * place + 2] >= now
            return first + place * _SLOT.size, slots[3 * place + 1] if standing else None
        ended = (place for place, until in enumerate(slots[2::3]) if until < now)  # free ones end at 0
        free = digests.index(0) if 0 in digests else next(ended, None)
        return None if free is None else first + free * _SLOT.size, None


def _digest(key: str) -> int:
    """Of the whole key: its beginning is the same for all questions on one text."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big") or 1
