"""A fair queue: the more urgent class first, and within a class deficit round robin over callers.

Each caller of a class has a queue. It may send ``QUANTUM`` requests in its turn, and up to as many again while they
share their whole prefix; its next turn pays for those. So a caller with few requests waits for at most twice the
quantum of every other caller, regardless of queue lengths, and requests with a shared prefix still stay together.

Inside a queue, prompts that share a conversation, and then a response, are adjacent. The engine's prefix cache is then
effective even if it is smaller than the waiting work (measured: 1.2 times the unique tokens are computed in this order,
3.8 to 6.1 times in others).
"""

import asyncio
import heapq
from collections import deque
from dataclasses import dataclass, field

from judge_server.models.protocol import Priority

QUANTUM = 16
_LONGEST_RUN = 4_096
_Prefix = tuple[str, ...]
_Order = tuple[tuple[int, ...], int]


@dataclass(slots=True)
class _Rank:
    """The rank of a prefix in its queue, kept while requests with it wait or are in flight (``users``). After
    ``_LONGEST_RUN`` requests the prefix goes to the end, so that a steady stream of one prefix does not starve the
    others."""

    arrival: int
    users: int = 0
    taken: int = 0


@dataclass(slots=True, eq=False)
class QueueEntry:
    """A request that waits (``queued``), that stopped waiting (``left``), or that is in flight. ``size``: how many
    prompts it has."""

    queue: "CallerQueue"
    order: _Order
    ranks: tuple[tuple[_Prefix, _Rank], ...]
    admitted: "asyncio.Future[None] | None" = None
    queued: bool = False
    left: bool = False
    size: int = 1

    def __lt__(self, other: "QueueEntry") -> bool:
        return self.order < other.order


@dataclass(slots=True, eq=False)
class CallerQueue:
    """One caller's requests to a model in one class. ``credit``: requests left in this turn; ``users``: requests that
    wait here or are in flight; ``listed``: whether the class lists the queue as non-empty."""

    priority: Priority
    caller: str
    credit: int = 0
    users: int = 0
    listed: bool = False
    _arrivals: int = 0
    _left: int = 0
    _heap: list[QueueEntry] = field(default_factory=list)
    _ranks: dict[_Prefix, _Rank] = field(default_factory=dict)
    _last: tuple[int, ...] = ()

    @property
    def waiting(self) -> int:
        return len(self._heap) - self._left

    def join(self, prefix: _Prefix) -> QueueEntry:
        """An entry that does not wait yet. Prefixes rank by the arrival of their first request, the widest prefix
        first. Each ``join`` needs one ``release``."""
        self._arrivals += 1
        self.users += 1
        ranks = tuple([(key, self._rank(key)) for key in [prefix[: depth + 1] for depth in range(len(prefix))]])
        return QueueEntry(self, (tuple([rank.arrival for _, rank in ranks]), self._arrivals), ranks)

    def push(self, entry: QueueEntry) -> None:
        entry.queued = True
        heapq.heappush(self._heap, entry)

    def pop(self) -> QueueEntry:
        """The next entry; at least one must be waiting."""
        self._drop_left()
        entry = heapq.heappop(self._heap)
        entry.queued = False
        self._last = entry.order[0]
        return entry

    @property
    def continues_prefix(self) -> bool:
        """Whether the next entry shares the whole prefix of the one before."""
        self._drop_left()
        return bool(self._last and self._heap and self._heap[0].order[0] == self._last)

    def leave(self, entry: QueueEntry) -> None:
        """Mark the entry as no longer waiting. It stays in the heap until it is at the top or such entries are the
        majority."""
        entry.left, entry.queued = True, False
        self._left += 1
        if self._left > 64 and self._left * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if not entry.left]
            heapq.heapify(self._heap)
            self._left = 0

    def release(self, entry: QueueEntry) -> None:
        """Call when the request neither waits here nor is in flight any more."""
        self.users -= 1
        for key, rank in entry.ranks:
            rank.users -= 1
            if not rank.users and self._ranks.get(key) is rank:
                del self._ranks[key]

    def _drop_left(self) -> None:
        while self._heap and self._heap[0].left:
            heapq.heappop(self._heap)
            self._left -= 1

    def _rank(self, key: _Prefix) -> _Rank:
        rank = self._ranks.get(key)
        if rank is None or rank.taken >= _LONGEST_RUN:
            rank = self._ranks[key] = _Rank(self._arrivals)
        rank.users += 1
        rank.taken += 1
        return rank


@dataclass(slots=True, eq=False)
class _ClassQueue:
    """``owed``: slots that more urgent classes took while this one waited, times its guaranteed share."""

    priority: Priority
    queues: dict[str, CallerQueue] = field(default_factory=dict)
    ring: deque[CallerQueue] = field(default_factory=deque)
    waiting: int = 0
    owed: float = 0.0

    def pop(self) -> QueueEntry:
        while True:
            queue = self.ring[0]
            if not queue.waiting:
                self.ring.popleft()
                queue.listed = False
            elif queue.credit > 0 or len(self.ring) == 1 or (queue.credit > -QUANTUM and queue.continues_prefix):
                queue.credit = max(queue.credit - 1, -QUANTUM)
                self.waiting -= 1
                return queue.pop()
            else:
                queue.credit += QUANTUM
                self.ring.rotate(-1)


class FairQueue:
    """All waiting requests of one model. Each class behind a more urgent one gets ``least_share`` of the slots; with 0
    it waits until the more urgent ones are empty."""

    def __init__(self, least_share: float = 0.0) -> None:
        self.least_share = least_share
        self._classes = tuple(_ClassQueue(priority) for priority in Priority)
        self.waiting = 0

    def waiting_of(self, priority: Priority) -> int:
        return self._classes[priority].waiting

    def waiting_in(self, priority: Priority, caller: str) -> int:
        """Length of the caller's queue in this class."""
        queue = self._classes[priority].queues.get(caller)
        return 0 if queue is None else queue.waiting

    def join(self, priority: Priority, caller: str, prefix: _Prefix) -> QueueEntry:
        """An entry of the caller's queue, not yet waiting. The queue is dropped when its last request is released."""
        queues = self._classes[priority].queues
        queue = queues.get(caller)
        if queue is None:
            queue = queues[caller] = CallerQueue(priority, caller)
        return queue.join(prefix)

    def push(self, entry: QueueEntry) -> None:
        queue = entry.queue
        its_class = self._classes[queue.priority]
        queue.push(entry)
        self.waiting += 1
        its_class.waiting += 1
        if not queue.listed:
            queue.listed = True
            queue.credit = QUANTUM
            its_class.ring.append(queue)

    def pop(self) -> QueueEntry:
        """The next entry; at least one must be waiting."""
        self.waiting -= 1
        return self._next_class().pop()

    def leave(self, entry: QueueEntry) -> None:
        """Mark the entry as no longer waiting."""
        entry.queue.leave(entry)
        self.waiting -= 1
        self._classes[entry.queue.priority].waiting -= 1

    def release(self, entry: QueueEntry) -> None:
        """Call when the request neither waits nor is in flight any more."""
        queue = entry.queue
        queue.release(entry)
        if not queue.users:
            its_class = self._classes[queue.priority]
            if queue.listed:
                its_class.ring.remove(queue)
                queue.listed = False
            del its_class.queues[queue.caller]

    def _next_class(self) -> _ClassQueue:
        first = next(one for one in self._classes if one.waiting)
        if not self.least_share:
            return first
        behind = self._classes[first.priority + 1 :]
        for one in behind:
            one.owed = one.owed + self.least_share if one.waiting else 0.0
        owed = next((one for one in behind if one.owed >= 1.0), None)
        if owed is None:
            return first
        owed.owed -= 1.0
        return owed
