"""The most recently used values, as many as fit into a number of characters: texts differ in size a millionfold."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class BoundedCache(Generic[Value]):
    """``characters``: the sum of all sizes kept; a value that alone is larger is made anew every time."""

    def __init__(self, characters: int, size_of: Callable[[Value], int]) -> None:
        self._most = characters
        self._size_of = size_of
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self.characters = 0

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value under ``key``, made where it is not known."""
        known = self._values.get(key)
        if known is not None:
            self._values.move_to_end(key)
            return known[0]
        value = make()
        size = self._size_of(value)
        if size <= self._most:
            self._values[key] = (value, size)
            self.characters += size
            while self.characters > self._most:
                _, (_, freed) = self._values.popitem(last=False)
                self.characters -= freed
        return value
