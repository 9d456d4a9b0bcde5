"""Cohorts under collection, by their groups: bounded in number and bytes, and remembered for a while once judged."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from judge_server.core.errors import Draining, JudgeServerError, Overloaded
from judge_server.judging.answer import Terms
from judge_server.scoring.group.cohort import Cohort, Member, Times
from judge_server.scoring.group.evaluation import Evaluation, Wanted

Evaluate = Callable[[Sequence[Mapping[str, Any]], Wanted, Terms], Awaitable[Evaluation]]


@dataclass(frozen=True, slots=True)
class Bounds:
    """``cohorts`` and ``bytes`` of all that are open or remembered; ``memory_seconds``: how long a judged one is known,
    so that a request sent again is answered and a late one is told."""

    cohorts: int = 1_024
    bytes: int = 256 * 2**20
    memory_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Joined:
    """``faults``: for each member of the request why it is none of the cohort's; ``evaluation``: None where the
    caller's own deadline passed first, or nobody of the request is a member."""

    cohort: Cohort
    faults: tuple[JudgeServerError | None, ...]
    places: tuple[int | None, ...]
    evaluation: Evaluation | None


class Collection:
    """A cohort is judged once for all who wait for it. Who leaves takes nothing away from the others; when nobody waits
    any more, its model calls are cancelled, and the next one to ask again starts them anew."""

    def __init__(self, evaluate: Evaluate, bounds: Bounds | None = None) -> None:
        self._evaluate = evaluate
        self._bounds = bounds or Bounds()
        self._cohorts: dict[str, list[Cohort]] = {}
        self._ended = False

    def __len__(self) -> int:
        return sum(len(generations) for generations in self._cohorts.values())

    @property
    def waiting(self) -> int:
        """Members of open cohorts."""
        return sum(len(cohort.members) for cohort in self._all() if cohort.open)

    async def join(self, name: str, wanted: Wanted, members: Sequence[Member], times: Times, terms: Terms) -> Joined:
        """Bring members to the cohort of this name, and wait until it is judged. Raises Overloaded, or Draining where
        the server stops first."""
        cohort = self._find(name, members) or self._opened(name, wanted, members, times)
        self._require_bytes(cohort, members)
        faults = tuple(cohort.admit(member) for member in members)
        places = tuple(cohort.places(members, faults))
        cohort.priority = min(cohort.priority, terms.priority)
        if cohort.full and cohort.open:
            self._close(name, cohort)
        mine = any(fault is None for fault in faults)
        return Joined(cohort, faults, places, await self._evaluation(cohort, terms) if mine else None)

    async def close(self) -> None:
        """Cancel whatever is collected or judged; who still waits is told to go elsewhere."""
        self._ended = True
        under_way = [cohort.work for cohort in self._all() if cohort.work is not None and not cohort.work.done()]
        for cohort in self._all():
            cohort.close()
        self._cohorts.clear()
        for work in under_way:
            work.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _evaluation(self, cohort: Cohort, terms: Terms) -> Evaluation | None:
        cohort.callers += 1
        try:
            async with asyncio.timeout(terms.seconds_left):
                await cohort.closed.wait()
                if self._ended:
                    raise _draining()
                if cohort.work is None:
                    cohort.work = asyncio.ensure_future(self._judged(cohort))
                return await asyncio.shield(cohort.work)
        except TimeoutError:
            return None
        finally:
            cohort.callers -= 1
            if not cohort.callers:
                _let_go(cohort)

    async def _judged(self, cohort: Cohort) -> Evaluation:
        terms = Terms.within(cohort.times.evaluation_seconds, cohort.priority)
        return await self._evaluate([member.item for member in cohort.members.values()], cohort.wanted, terms)

    def _find(self, name: str, members: Sequence[Member]) -> Cohort | None:
        """The cohort that knows one of the members; else the one that still collects, or that ended without them."""
        generations = self._cohorts.get(name, [])
        for cohort in reversed(generations):
            if any(cohort.holds(member) for member in members):
                return cohort
        newest = generations[-1] if generations else None
        return newest if newest is not None and (newest.open or not newest.full) else None

    def _opened(self, name: str, wanted: Wanted, members: Sequence[Member], times: Times) -> Cohort:
        if not self._room(1, sum(member.bytes for member in members)):
            raise _overloaded(f"{len(self)} groups are being collected")
        cohort = Cohort(wanted, times)
        self._cohorts.setdefault(name, []).append(cohort)
        cohort.call_at_the_end(partial(self._close, name, cohort))
        return cohort

    def _close(self, name: str, cohort: Cohort) -> None:
        cohort.close()
        asyncio.get_running_loop().call_later(self._bounds.memory_seconds, self._forget_idle, name, cohort)

    def _forget_idle(self, name: str, cohort: Cohort) -> None:
        if cohort.idle:
            self._forget(name, cohort)
        elif cohort in self._cohorts.get(name, ()):
            asyncio.get_running_loop().call_later(self._bounds.memory_seconds, self._forget_idle, name, cohort)

    def _forget(self, name: str, cohort: Cohort) -> None:
        generations = [one for one in self._cohorts.get(name, ()) if one is not cohort]
        if generations:
            self._cohorts[name] = generations
        else:
            self._cohorts.pop(name, None)

    def _require_bytes(self, cohort: Cohort, members: Sequence[Member]) -> None:
        more = sum(member.bytes for member in members if member.key not in cohort.members)
        if cohort.open and not self._room(0, more):
            raise _overloaded("the responses under collection are as large as the server allows")

    def _room(self, cohorts: int, size: int) -> bool:
        """Whether there is room, for which judged cohorts are forgotten early."""
        used = sum(cohort.bytes for cohort in self._all())
        for name, cohort in [(name, cohort) for name, some in self._cohorts.items() for cohort in some if cohort.idle]:
            if len(self) + cohorts <= self._bounds.cohorts and used + size <= self._bounds.bytes:
                break
            used -= cohort.bytes
            self._forget(name, cohort)
        return len(self) + cohorts <= self._bounds.cohorts and used + size <= self._bounds.bytes

    def _all(self) -> Iterator[Cohort]:
        return (cohort for generations in list(self._cohorts.values()) for cohort in generations)


def _let_go(cohort: Cohort) -> None:
    """Nobody waits: stop judging, and keep only what need not be asked again."""
    work = cohort.work
    if work is None:
        return
    if not work.done():
        work.cancel()
        cohort.work = None
    elif work.cancelled() or work.exception() is not None or not work.result().decided:
        cohort.work = None


def _draining() -> Draining:
    return Draining("This server is shutting down.", remedy="Send the request again.", retry_after_seconds=5.0)


def _overloaded(what: str) -> Overloaded:
    return Overloaded(
        f"No more groups can be collected: {what}.",
        remedy="Wait as long as Retry-After says, then send the request again.",
        retry_after_seconds=5.0,
    )
