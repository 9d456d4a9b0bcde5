"""A cache that evicts the least recently used values, bounded by the sum of their sizes."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class BoundedCache(Generic[Key, Value]):
    """``capacity`` bounds the sum of ``size_of`` over the values; without ``size_of`` each value counts 1. A value that
    alone exceeds the capacity is not kept. None is not a value."""

    def __init__(self, capacity: int, size_of: Callable[[Value], int] | None = None) -> None:
        self._capacity = capacity
        self._size_of = size_of
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self.size = 0

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: Key) -> bool:
        return key in self._values

    def __iter__(self) -> Iterator[Key]:
        """The keys, least recently used first."""
        return iter(self._values)

    def values(self) -> list[Value]:
        """All values, least recently used first."""
        return list(self._values.values())

    def get(self, key: Key) -> Value | None:
        """The value of ``key``, which becomes the most recently used, or None."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def get_or_make(self, key: Key, make: Callable[[], Value]) -> Value:
        """The value of ``key``; if it is unknown, the result of ``make``, which is kept."""
        known = self.get(key)
        if known is not None:
            return known
        value = make()
        self.put(key, value)
        return value

    def discard(self, key: Key) -> None:
        """Drop ``key`` if it is there."""
        self._remove(key)

    def put(self, key: Key, value: Value) -> None:
        """Keep ``value`` as the most recently used one, and evict others until everything fits."""
        if self._size_of is None:
            self._put_one(key, value)
            return
        self._remove(key)
        size = self._size(value)
        if size > self._capacity:
            return
        self._values[key] = value
        self.size += size
        while self.size > self._capacity:
            self._remove(next(iter(self._values)))

    def _put_one(self, key: Key, value: Value) -> None:
        """``put`` where each value counts 1."""
        if self._capacity < 1:
            return
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > self._capacity:
            self._values.popitem(last=False)
        self.size = len(self._values)

    def _remove(self, key: Key) -> None:
        removed = self._values.pop(key, None)
        if removed is not None:
            self.size -= self._size(removed)

    def _size(self, value: Value) -> int:
        return 1 if self._size_of is None else self._size_of(value)
