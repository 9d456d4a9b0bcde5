"""Cohorts under collection: bounded in number and bytes, shared fairly by callers, remembered once judged."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from judge_server.core.errors import Draining, JudgeServerError, Overloaded
from judge_server.judging.answer import Terms
from judge_server.scoring.group.cohort import Cohort, Member, Times
from judge_server.scoring.group.evaluation import CohortOptions, Evaluation
from judge_server.util.time_limit import until

Evaluate = Callable[[Sequence[Mapping[str, Any]], CohortOptions, Terms], Awaitable[Evaluation]]
_Name = tuple[str, str]  # caller, and digest of what the cohort's members share
_MOST_FOR_OTHERS = 2


@dataclass(frozen=True, slots=True)
class CohortLimits:
    """``cohorts`` and ``bytes`` of all that are open or remembered. A single caller may use all of it; other callers
    still get an equal share, up to twice the limits in total. ``memory_seconds``: how long a judged cohort is kept, so
    that a repeated request is answered and a late one is refused."""

    cohorts: int = 1_024
    bytes: int = 256 * 2**20
    memory_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Joined:
    """``faults``: why each member of the request is not in the cohort, None if it is; ``evaluation``: None if the
    caller's own deadline passed first, or no member of the request is in the cohort."""

    cohort: Cohort
    faults: tuple[JudgeServerError | None, ...]
    places: tuple[int | None, ...]
    evaluation: Evaluation | None


@dataclass(slots=True)
class _Held:
    """Cohorts and bytes of one caller, or of all callers."""

    cohorts: int = 0
    bytes: int = 0


class CohortCollection:
    """A cohort is judged once for all requests that wait for it. A request that leaves does not affect the others. When
    the last one leaves, an open cohort is dropped and model calls of a closed one are cancelled; a request for a closed
    cohort starts them anew."""

    def __init__(self, evaluate: Evaluate, limits: CohortLimits | None = None) -> None:
        self._evaluate = evaluate
        self._limits = limits or CohortLimits()
        self._cohorts: dict[_Name, list[Cohort]] = {}
        self._ended = False

    def __len__(self) -> int:
        return sum(len(generations) for generations in self._cohorts.values())

    @property
    def waiting(self) -> int:
        """Members of open cohorts."""
        return sum(len(cohort.members) for cohort in self._all() if cohort.open)

    async def join(
        self, caller: str, name: str, wanted: CohortOptions, members: Sequence[Member], times: Times, terms: Terms
    ) -> Joined:
        """Add members to the caller's cohort of this name, and wait until it is judged. Raises Overloaded, or Draining
        if the server stops first."""
        found = self._find((caller, name), members)
        more = sum(one.bytes for one in members if found is None or (found.open and one.key not in found.members))
        self._require_room(caller, 0 if found else 1, more)
        cohort = found or self._opened(caller, name, wanted, times)
        faults = tuple(cohort.admit(member) for member in members)
        places = tuple(cohort.places(members, faults))
        cohort.priority = min(cohort.priority, terms.priority)
        if cohort.full and cohort.open:
            self._close(cohort)
        mine = any(fault is None for fault in faults)
        return Joined(cohort, faults, places, await self._evaluation(cohort, terms) if mine else None)

    async def close(self) -> None:
        """Cancel all collection and judging; waiting requests get Draining."""
        self._ended = True
        under_way = [cohort.work for cohort in self._all() if cohort.work is not None and not cohort.work.done()]
        for cohort in self._all():
            cohort.close()
        self._cohorts.clear()
        for work in under_way:
            work.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _evaluation(self, cohort: Cohort, terms: Terms) -> Evaluation | None:
        cohort.waiting += 1
        try:
            with until(terms.deadline):
                await cohort.closed.wait()
                if self._ended:
                    raise _draining()
                if cohort.work is None:
                    cohort.work = asyncio.ensure_future(self._judged(cohort))
                return await asyncio.shield(cohort.work)
        except TimeoutError:
            return None
        finally:
            cohort.waiting -= 1
            if not cohort.waiting:
                self._abandon(cohort)

    def _abandon(self, cohort: Cohort) -> None:
        """Called when no request waits: drop cohorts not judged yet, and keep only complete results."""
        work = cohort.work
        if cohort.open:
            cohort.close()
            self._forget(cohort)
        elif work is not None and not work.done():
            work.cancel()
            cohort.work = None
        elif work is not None and (work.cancelled() or work.exception() is not None or not work.result().decided):
            cohort.work = None

    async def _judged(self, cohort: Cohort) -> Evaluation:
        terms = Terms.within(cohort.times.evaluation_seconds, cohort.priority)
        return await self._evaluate([member.item for member in cohort.members.values()], cohort.wanted, terms)

    def _find(self, name: _Name, members: Sequence[Member]) -> Cohort | None:
        """The cohort that has one of the members; else the newest one, if it is still open or ended incomplete."""
        generations = self._cohorts.get(name, [])
        for cohort in reversed(generations):
            if any(cohort.holds(member) for member in members):
                return cohort
        newest = generations[-1] if generations else None
        return newest if newest is not None and (newest.open or not newest.full) else None

    def _opened(self, caller: str, name: str, wanted: CohortOptions, times: Times) -> Cohort:
        cohort = Cohort(caller, name, wanted, times)
        self._cohorts.setdefault((caller, name), []).append(cohort)
        cohort.call_at_the_end(partial(self._close, cohort))
        return cohort

    def _close(self, cohort: Cohort) -> None:
        cohort.close()
        asyncio.get_running_loop().call_later(self._limits.memory_seconds, self._forget_idle, cohort)

    def _forget_idle(self, cohort: Cohort) -> None:
        if cohort.idle:
            self._forget(cohort)
        elif cohort in self._cohorts.get((cohort.caller, cohort.name), ()):
            asyncio.get_running_loop().call_later(self._limits.memory_seconds, self._forget_idle, cohort)

    def _forget(self, cohort: Cohort) -> None:
        name = (cohort.caller, cohort.name)
        generations = [one for one in self._cohorts.get(name, ()) if one is not cohort]
        if generations:
            self._cohorts[name] = generations
        else:
            self._cohorts.pop(name, None)

    def _require_room(self, caller: str, cohorts: int, size: int) -> None:
        """Drop idle cohorts to make room, first those of the caller that holds most. Raises Overloaded."""
        held: dict[str, _Held] = {caller: _Held()}
        total = _Held()
        for cohort in self._all():
            for one in (total, held.setdefault(cohort.caller, _Held())):
                one.cohorts += 1
                one.bytes += cohort.bytes
        idle = [cohort for cohort in self._all() if cohort.idle]
        idle.sort(key=lambda cohort: held[cohort.caller].bytes)  # stable sort: the oldest last after reversal
        while idle and self._full(total, cohorts, size):
            cohort = idle.pop()
            self._forget(cohort)
            for one in (total, held[cohort.caller]):
                one.cohorts -= 1
                one.bytes -= cohort.bytes
        full = self._full(total, cohorts, size)
        if full is not None and not self._has_share(total, held, caller, cohorts, size):
            raise Overloaded(
                f"No more groups can be collected: {full}.",
                remedy="Wait as long as Retry-After says, then send the request again.",
                retry_after_seconds=5.0,
            )

    def _full(self, total: _Held, cohorts: int, size: int) -> str | None:
        """Which limit this addition would exceed, as text."""
        if cohorts and total.cohorts + cohorts > self._limits.cohorts:
            return f"{total.cohorts} groups are being collected"
        if size and total.bytes + size > self._limits.bytes:
            return "the responses under collection are as large as the server allows"
        return None

    def _has_share(self, total: _Held, held: Mapping[str, _Held], caller: str, cohorts: int, size: int) -> bool:
        """Whether the caller, with this addition, still holds less than an equal share of the limits."""
        mine, limits = held[caller], self._limits
        sharing = sum(one.cohorts > 0 for name, one in held.items() if name != caller) + 1
        return (
            sharing > 1
            and (mine.cohorts + cohorts) * sharing <= limits.cohorts
            and (mine.bytes + size) * sharing <= limits.bytes
            and total.cohorts + cohorts <= _MOST_FOR_OTHERS * limits.cohorts
            and total.bytes + size <= _MOST_FOR_OTHERS * limits.bytes
        )

    def _all(self) -> Iterator[Cohort]:
        return (cohort for generations in list(self._cohorts.values()) for cohort in generations)


def _draining() -> Draining:
    return Draining("This server is shutting down.", remedy="Send the request again.", retry_after_seconds=5.0)
