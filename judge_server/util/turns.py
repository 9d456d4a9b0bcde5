"""A queue in which every key takes turns."""

from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


class Turns(Generic[Item]):
    """A queue in which every key takes turns, item by item."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Any, deque[Item]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def push(self, key: Any, item: Item) -> None:
        self._waiting.setdefault(key, deque()).append(item)

    def pop(self) -> Item:
        """The first item of the key whose turn it is; raises KeyError if nothing waits."""
        key, items = self._waiting.popitem(last=False)
        item = items.popleft()
        if items:
            self._waiting[key] = items
        return item

    def pop_of(self, may: Callable[[Any], bool]) -> tuple[Any, Item] | None:
        """The first key whose turn it is and that ``may`` have it, with its item; None if there is none."""
        key = next(filter(may, self._waiting), None)
        if key is None:
            return None
        self._waiting.move_to_end(key, last=False)
        return key, self.pop()
