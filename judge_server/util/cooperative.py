"""Long work in a thread of its own, beside an event loop that must answer."""

import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def cooperatively(items: Iterable[Item]) -> Iterator[Item]:
    """The items, with every other thread let in between two of them: the interpreter alone changes threads every 5 ms
    only, and the event loop would wait for so long each time that it has something to do."""
    for item in items:
        time.sleep(0)
        yield item
