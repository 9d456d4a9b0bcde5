"""Many connections as several small pools: httpx looks through a whole pool whenever a request begins or ends, which
with hundreds of connections costs more than the requests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")
CONNECTIONS = 16


@dataclass(eq=False)
class Shard(Generic[T]):
    """``pool`` holds up to 16 connections, of which ``busy`` are in use."""

    pool: T
    busy: int = 0


class Shards(Generic[T]):
    """Pools, made when there is need of another one."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._shards: list[Shard[T]] = []
        self._lock = threading.Lock()

    @contextmanager
    def place(self) -> Iterator[T]:
        """The first pool that has room, so that few requests stay on few connections."""
        shard = self._take()
        try:
            yield shard.pool
        finally:
            with self._lock:
                shard.busy -= 1

    def _take(self) -> Shard[T]:
        with self._lock:
            free = next((shard for shard in self._shards if shard.busy < CONNECTIONS), None)
            if free is None:
                free = Shard(self._make())
                self._shards.append(free)
            free.busy += 1
            return free

    def pools(self) -> list[T]:
        return [shard.pool for shard in self._shards]
