"""A cohort: rollouts of one group that arrive in several requests and are judged together."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judge_server.core.errors import CohortClosed, CohortConflict, JudgeServerError
from judge_server.models.protocol import Priority
from judge_server.scoring.group.evaluation import CohortOptions, Evaluation
from judge_server.util.canonical import canonical_json, digest_of_json

_BYTES_BESIDE = 4_096  # size of a member besides its text, mostly its judgment


@dataclass(frozen=True, slots=True)
class Member:
    """A response of a cohort. ``key`` identifies it if it is sent twice; ``digest``: of its content; ``item``: plain
    data of its submission; ``bytes``: its size in memory."""

    key: str
    digest: str
    item: Mapping[str, Any]
    bytes: int

    @staticmethod
    def of(items: Sequence[Mapping[str, Any]]) -> "list[Member]":
        """Members of one request. Without an id, a member's key is its content and the number of equal contents before
        it in the request."""
        seen: dict[str, int] = {}
        members = []
        shared = len(canonical_json({**items[0], "response": ""})) if items else 0
        for item in items:
            response = canonical_json(item.get("response"))
            content = digest_of_json(response)
            count = seen[content] = seen.get(content, 0) + 1
            name = item.get("id")
            key = f"content {content} {count}" if name is None else f"id {name}"
            members.append(Member(key, content, item, shared + len(response) + _BYTES_BESIDE))
        return members


@dataclass(frozen=True, slots=True)
class Times:
    """``collection`` is counted from the first member, ``evaluation`` from the end of the collection; None: no end."""

    collection_seconds: float
    evaluation_seconds: float | None


class Cohort:
    """Open until it is full or its collection time ends; then the members that arrived are judged. ``waiting``: number
    of requests that wait for the result."""

    def __init__(self, caller: str, name: str, wanted: CohortOptions, times: Times) -> None:
        self.caller = caller
        self.name = name
        self.wanted = wanted
        self.times = times
        self.members: dict[str, Member] = {}
        self.priority = Priority.AUDIT
        self.waiting = 0
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
        """Closed, and no request waits for it."""
        return not self.open and not self.waiting

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
        """Add the response; returns why it cannot be a member, or None. One that is sent again stays the same
        member."""
        known = self.members.get(member.key)
        if known is not None:
            return None if known.digest == member.digest else _conflict(member)
        if not self.open or self.full:
            return CohortClosed(
                f"The group was judged with {len(self.members)} of {self.wanted.expected} members before this arrived.",
                remedy="Raise collection_seconds, and send the training step as step: each step has its own cohorts.",
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
