"""Whose turn it is: the more urgent class first, and within a class one caller after the other.

Callers of a class share by deficit round robin over requests: each has ``QUANTUM`` of them in its turn, and up to as
many again while they share their whole prefix, which its next turn pays for. So whoever asks little waits at most for
twice the quantum of every other caller, however long their lines are, and neighbours stay together all the same.
"""

from collections import deque
from dataclasses import dataclass, field

from judge_server.models.protocol import Priority
from judge_server.scheduling.line import Queue, QueueEntry

QUANTUM = 16


@dataclass(slots=True, eq=False)
class _Class:
    """``owed``: places that more urgent classes took while this one waited, by the share that is due to it."""

    priority: Priority
    lines: dict[str, Queue] = field(default_factory=dict)
    ring: deque[Queue] = field(default_factory=deque)
    waiting: int = 0
    owed: float = 0.0

    def line(self, caller: str) -> Queue:
        line = self.lines.get(caller)
        if line is None:
            line = self.lines[caller] = Queue(self.priority, caller)
        return line

    def pop(self) -> QueueEntry:
        while True:
            line = self.ring[0]
            if not line.waiting:
                self.ring.popleft()
                line.listed = False
            elif line.credit > 0 or len(self.ring) == 1 or (line.credit > -QUANTUM and line.goes_on):
                line.credit = max(line.credit - 1, -QUANTUM)
                self.waiting -= 1
                return line.pop()
            else:
                line.credit += QUANTUM
                self.ring.rotate(-1)


class FairQueue:
    """Everything that waits. ``least_share`` of the places goes to each class that waits behind a more urgent one; with
    0 it waits until those have nothing left."""

    def __init__(self, least_share: float = 0.0) -> None:
        self.least_share = least_share
        self._classes = tuple(_Class(priority) for priority in Priority)
        self.waiting = 0

    def waiting_of(self, priority: Priority) -> int:
        return self._classes[priority].waiting

    def waiting_in(self, priority: Priority, caller: str) -> int:
        """How long this line is."""
        line = self._classes[priority].lines.get(caller)
        return 0 if line is None else line.waiting

    def line(self, priority: Priority, caller: str) -> Queue:
        """The caller's line in this class; it is forgotten when its last request is released."""
        return self._classes[priority].line(caller)

    def push(self, place: QueueEntry) -> None:
        line = place.line
        its_class = self._classes[line.priority]
        line.push(place)
        self.waiting += 1
        its_class.waiting += 1
        if not line.listed:
            line.listed = True
            line.credit = QUANTUM
            its_class.ring.append(line)

    def pop(self) -> QueueEntry:
        """The next one; somebody must be waiting."""
        self.waiting -= 1
        return self._due().pop()

    def leave(self, place: QueueEntry) -> None:
        """Nobody waits at this place any more."""
        place.line.leave(place)
        self.waiting -= 1
        self._classes[place.line.priority].waiting -= 1

    def release(self, place: QueueEntry) -> None:
        line = place.line
        line.release(place)
        if not line.users:
            its_class = self._classes[line.priority]
            if line.listed:
                its_class.ring.remove(line)
                line.listed = False
            del its_class.lines[line.caller]

    def _due(self) -> _Class:
        due = next(one for one in self._classes if one.waiting)
        if not self.least_share:
            return due
        behind = self._classes[due.priority + 1 :]
        for one in behind:
            one.owed = one.owed + self.least_share if one.waiting else 0.0
        owed = next((one for one in behind if one.owed >= 1.0), None)
        if owed is None:
            return due
        owed.owed -= 1.0
        return owed
