"""What the replicas of one deployment share beside the store: counts of API keys, claims on questions, and metrics.

One actor of the cluster holds it. It keeps nothing that cannot be told again: if it is replaced, the replicas' next
beats bring back what they have under way. A replica that is silent for ``silent_seconds`` has gone.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

SILENT_SECONDS: Final = 10.0
_REMEMBERED_SECONDS: Final = 60.0
_LONGEST_CLAIM_SECONDS: Final = 300.0
_MOST_REMEMBERED: Final = 20_000
Contents = Mapping[str, Mapping[str, Any]]


@dataclass(slots=True)
class _Replica:
    heard_at: float
    under_way: dict[str, int] = field(default_factory=dict)
    exposition: bytes = b""


@dataclass(slots=True)
class _Claim:
    replica: str
    until: float
    ended: asyncio.Event = field(default_factory=asyncio.Event)


class Coordinator:
    """Every method is called by a replica, over the network."""

    def __init__(self, silent_seconds: float = SILENT_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._silent_seconds = silent_seconds
        self._clock = clock
        self._replicas: dict[str, _Replica] = {}
        self._full_at: dict[str, float] = {}
        self._claims: dict[str, _Claim] = {}
        self._remembered: OrderedDict[str, tuple[float, Mapping[str, Any]]] = OrderedDict()

    async def take(self, caller: str, rate: float, burst: int) -> float:
        """Count one request of a caller; the seconds until there is room for it, 0 if it was counted."""
        now = self._clock()
        full_at = max(self._full_at.get(caller, now), now) + 1 / rate
        excess = full_at - now - burst / rate
        if excess > 1e-9:
            return excess
        self._full_at[caller] = full_at
        return 0.0

    async def hold(self, replica: str, caller: str, submissions: int, limit: int) -> int | None:
        """Count submissions as under way at a replica; what all have already if that would exceed the limit."""
        counts = self._heard(replica).under_way
        self._forget_the_silent()
        taken = sum(one.under_way.get(caller, 0) for one in self._replicas.values())
        if submissions > 0 and taken + submissions > limit:
            return taken
        counts[caller] = max(counts.get(caller, 0) + submissions, 0)
        if not counts[caller]:
            del counts[caller]
        return None

    async def claim(self, replica: str, keys: Sequence[str]) -> list[str]:
        """Claim the keys that no living replica has; returns the others."""
        self._heard(replica)
        self._forget_the_silent()
        now = self._clock()
        for key in keys:
            if key in self._claims and self._claims[key].until < now:
                self._claims.pop(key).ended.set()
            self._claims.setdefault(key, _Claim(replica, now + _LONGEST_CLAIM_SECONDS))
        return [key for key in keys if self._claims[key].replica != replica]

    async def release(self, replica: str, keys: Collection[str], contents: Contents) -> None:
        """End the replica's claims. ``contents``: what it has learned of these keys, for those that wait."""
        self._heard(replica)
        until = self._clock() + _REMEMBERED_SECONDS
        for key, content in contents.items():
            self._remembered[key] = (until, content)
            self._remembered.move_to_end(key)
        while len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        for key in keys:
            if key in self._claims and self._claims[key].replica == replica:
                self._claims.pop(key).ended.set()

    async def readings(self, keys: Sequence[str], seconds: float | None) -> dict[str, Mapping[str, Any]]:
        """Wait until these keys are released, ``seconds`` at most; what is then known of them."""
        waited_for = [self._claims[key].ended.wait() for key in keys if key in self._claims]
        if waited_for:
            tasks = [asyncio.ensure_future(one) for one in waited_for]
            _, left = await asyncio.wait(tasks, timeout=_LONGEST_CLAIM_SECONDS if seconds is None else seconds)
            for task in left:
                task.cancel()
        now = self._clock()
        known = {key: self._remembered[key] for key in keys if key in self._remembered}
        return {key: content for key, (until, content) in known.items() if until >= now}

    async def beat(self, replica: str, under_way: Mapping[str, int], exposition: bytes | None) -> None:
        """A replica lives. ``exposition``: its metrics now; None leaves the last ones."""
        one = self._heard(replica)
        one.under_way = {caller: count for caller, count in under_way.items() if count}
        if exposition is not None:
            one.exposition = exposition
        self._forget_the_silent()

    async def leave(self, replica: str) -> None:
        """The replica stops: what it had claimed is free."""
        self._replicas.pop(replica, None)
        self._end_claims_of(replica)

    async def expositions(self, replica: str) -> list[bytes]:
        """The last metrics of the other replicas."""
        self._forget_the_silent()
        return [one.exposition for name, one in self._replicas.items() if name != replica and one.exposition]

    async def living(self) -> list[str]:
        """The replicas that were heard of lately."""
        self._forget_the_silent()
        return sorted(self._replicas)

    def _heard(self, replica: str) -> _Replica:
        now = self._clock()
        one = self._replicas.setdefault(replica, _Replica(now))
        one.heard_at = now
        return one

    def _forget_the_silent(self) -> None:
        now = self._clock()
        for name in [name for name, one in self._replicas.items() if now - one.heard_at > self._silent_seconds]:
            del self._replicas[name]
            self._end_claims_of(name)
        if len(self._full_at) > _MOST_REMEMBERED:
            self._full_at = {caller: full_at for caller, full_at in self._full_at.items() if full_at > now}

    def _end_claims_of(self, replica: str) -> None:
        for key in [key for key, claim in self._claims.items() if claim.replica == replica]:
            self._claims.pop(key).ended.set()
