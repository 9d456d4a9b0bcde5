"""Turns: a queue in which every key takes turns, and threads in which callers do."""

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Item = TypeVar("Item")


class Turns(Generic[Item]):
    """A queue in which every key takes turns, item by item."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[Any, deque[Item]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __len__(self) -> int:
        """How many keys have something that waits."""
        return len(self._waiting)

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


class FairThreads(ThreadPoolExecutor):
    """Threads in which callers take turns, item by item. ``whose``: tells whose turn the work of this moment takes;
    ``most_each``: threads that one of them may have at a time, all by default."""

    def __init__(self, number: int, name: str, whose: Callable[[], str], most_each: int | None = None) -> None:
        super().__init__(number, thread_name_prefix=name)
        self._whose = whose
        self._most_each = most_each or number
        self._turns_lock = threading.Lock()
        self._turns: Turns[tuple[Future[Any], Callable[[], Any]]] = Turns()
        self._running: Counter[str] = Counter()

    def submit(self, work: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        future: Future[T] = Future()
        with self._turns_lock:
            self._turns.push(self._whose(), (future, partial(work, *args, **kwargs)))
        super().submit(self._work)
        return future

    def _work(self) -> None:
        """Do what waits. Work whose caller has its threads is left to them."""
        while True:
            with self._turns_lock:
                taken = self._turns.pop_of(lambda key: self._running[key] < self._most_each)
                if taken is None:
                    return
                whose, (future, work) = taken
                self._running[whose] += 1
            settle(future, work)
            del future, work, taken  # what it holds must not live until this thread works again
            with self._turns_lock:
                self._running[whose] -= 1
                if not self._running[whose]:
                    del self._running[whose]


def settle(future: "Future[T]", work: Callable[[], T]) -> None:
    """Do the work unless it was cancelled before it began."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    except BaseException as fault:  # noqa: BLE001 - raised where the result is awaited
        future.set_exception(fault)
