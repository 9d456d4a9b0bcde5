"""Rollouts of one group while they come together, until they are judged."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judge_server.core.errors import CohortClosed, CohortConflict, JudgeServerError
from judge_server.models.protocol import Priority
from judge_server.scoring.group.evaluation import Evaluation, Wanted
from judge_server.util.canonical import canonical_json, digest

_BYTES_BESIDE = 4_096  # what is kept of a member besides its text: its judgment, above all


@dataclass(frozen=True, slots=True)
class Member:
    """A response on its way into a cohort. ``key`` knows it again when it is sent twice, ``digest`` is its content's,
    ``item`` the plain data of its submission."""

    key: str
    digest: str
    item: Mapping[str, Any]
    bytes: int

    @staticmethod
    def of(items: Sequence[Mapping[str, Any]]) -> "list[Member]":
        """Of one request: by its id, or else by its content and how often the request says the same before it."""
        seen: dict[str, int] = {}
        members = []
        for item in items:
            content = digest(item.get("response"))
            count = seen[content] = seen.get(content, 0) + 1
            name = item.get("id")
            key = f"content {content} {count}" if name is None else f"id {name}"
            members.append(Member(key, content, item, len(canonical_json(item)) + _BYTES_BESIDE))
        return members


@dataclass(frozen=True, slots=True)
class Times:
    """``collection`` is counted from the first member, ``evaluation`` from the end of the collection; None: no end."""

    collection_seconds: float
    evaluation_seconds: float | None


class Cohort:
    """Open until it is full or its time is over; then the members that are there are judged, for those who wait."""

    def __init__(self, wanted: Wanted, times: Times) -> None:
        self.wanted = wanted
        self.times = times
        self.members: dict[str, Member] = {}
        self.priority = Priority.AUDIT
        self.callers = 0
        self.closed = asyncio.Event()
        self.work: asyncio.Task[Evaluation] | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def open(self) -> bool:
        return not self.closed.is_set()

    @property
    def full(self) -> bool:
        return len(self.members) >= self.wanted.expected

    @property
    def bytes(self) -> int:
        return sum(member.bytes for member in self.members.values())

    @property
    def idle(self) -> bool:
        """Judged, or given up, and nobody waits for it."""
        return not self.open and not self.callers

    def call_at_the_end(self, closed: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(self.times.collection_seconds, closed)

    def close(self) -> None:
        self.closed.set()
        if self._timer is not None:
            self._timer.cancel()

    def holds(self, member: Member) -> bool:
        known = self.members.get(member.key)
        return known is not None and known.digest == member.digest

    def admit(self, member: Member) -> JudgeServerError | None:
        """Why the response is no member; one that is sent again is the member that it was."""
        known = self.members.get(member.key)
        if known is not None:
            return None if known.digest == member.digest else _conflict(member)
        if not self.open or self.full:
            return CohortClosed(
                f"The group was judged with {len(self.members)} of {self.wanted.expected} members before this came.",
                remedy="Raise collection_seconds, and send the training step as step: each has cohorts of its own.",
            )
        self.members[member.key] = member
        return None

    def places(self, members: Sequence[Member], faults: Sequence[JudgeServerError | None]) -> list[int | None]:
        order = {key: place for place, key in enumerate(self.members)}
        return [order[member.key] if fault is None else None for member, fault in zip(members, faults, strict=True)]


def _conflict(member: Member) -> CohortConflict:
    return CohortConflict(
        f"ids: the group has another response under {member.key.removeprefix('id ')!r}.",
        remedy="Give every rollout of a group an id of its own.",
    )
