"""Runs the monitors every few minutes, raises and clears alarms, and notifies the webhook.

If several servers share a database, one runs the monitors at a time; the others read its alarms.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, Protocol

from judge_server.core.errors import StoreUnavailable
from judge_server.core.monitor import Alarm, MonitorFinding, MonitorLimits, Transition
from judge_server.monitoring.survey import survey
from judge_server.monitoring.webhook import Webhook, WebhookRefused
from judge_server.store.store import Store
from judge_server.util.concurrency import run_periodically

_LOG = logging.getLogger(__name__)
_ATTEMPTS: Final = 8
_FIRST_WAIT_SECONDS: Final = 5.0
_LONGEST_WAIT_SECONDS: Final = 600.0
_FRESH_SECONDS: Final = 30.0
_TELLING_LEASE_SECONDS: Final = 60.0
_LONGEST_LOOK_SECONDS: Final = 600.0


class Listener(Protocol):
    """Notified of every look, for metrics. ``findings`` is None if another server looked."""

    async def looked(self, findings: Sequence[MonitorFinding] | None, raised: Sequence[Alarm]) -> None: ...


class Watch:
    """``start`` it in the store's event loop, ``close`` it before the store. ``seconds`` between looks, 0 never."""

    def __init__(
        self,
        store: Store,
        limits: MonitorLimits,
        seconds: float,
        webhook: Webhook | None = None,
        listener: Listener | None = None,
        first_wait_seconds: float = _FIRST_WAIT_SECONDS,
    ) -> None:
        self._name = f"wat_{secrets.token_hex(8)}"
        self._store = store
        self._limits = limits
        self._seconds = seconds
        self._webhook = webhook
        self._listener = listener
        self._first_wait_seconds = first_wait_seconds
        self._looking = asyncio.Lock()
        self._last: tuple[float, tuple[MonitorFinding, ...]] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        if self._seconds:
            self._tasks.append(asyncio.create_task(_every(self._seconds, "monitors", self.look), name="monitor"))
        if self._webhook is not None:
            telling = _every(self._first_wait_seconds, "the webhook", self.tell)
            self._tasks.append(asyncio.create_task(telling, name="webhook"))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        try:
            for work in ("monitor", "webhook"):
                await self._store.watches.release(work, self._name)
        except StoreUnavailable:
            _LOG.warning("another server may look when the lease of this one has passed")
        if self._webhook is not None:
            await self._webhook.__aexit__(None, None, None)

    async def findings(self) -> tuple[MonitorFinding, ...]:
        """Findings at most 30 s old. Raises StoreUnavailable."""
        return await self._survey(_FRESH_SECONDS)

    async def _survey(self, fresh_seconds: float) -> tuple[MonitorFinding, ...]:
        async with self._looking:
            if self._last is None or time.monotonic() - self._last[0] > fresh_seconds:
                self._last = (time.monotonic(), await survey(self._store.monitor, self._store.reasks, self._limits))
            return self._last[1]

    async def look(self) -> list[Transition]:
        """One look, if it is this server's turn: the alarms raised and cleared. Raises StoreUnavailable."""
        made: list[Transition] = []
        findings: tuple[MonitorFinding, ...] | None = None
        lease = max(self._seconds * 0.9, 1.0) if self._seconds < _LONGEST_LOOK_SECONDS else _LONGEST_LOOK_SECONDS
        if await self._store.watches.claim("monitor", self._name, seconds=lease):
            findings = await self._survey(0.0)
            tell, horizon = self._webhook is not None, self._limits.horizon_seconds
            made = await self._store.alarms.settle(findings, tell=tell, forget_seconds=horizon)
            for one in made:
                level = logging.WARNING if one.raised else logging.INFO
                finding = one.finding
                event = "alarm" if one.raised else "cleared"
                _LOG.log(level, "%s: %s in %r: %s", event, finding.monitor, finding.series.name, finding.text)
        if self._listener is not None:
            await self._listener.looked(findings, await self._store.alarms.alarms(raised=True))
        return made

    async def tell(self) -> None:
        """Send pending transitions to the webhook, if it is this server's turn. Failed ones are retried, eight attempts
        in all. Raises StoreUnavailable."""
        if self._webhook is None:
            return
        if not await self._store.watches.claim("webhook", self._name, seconds=_TELLING_LEASE_SECONDS):
            return
        for untold in await self._store.alarms.untold(limit=4):
            own = untold.transition
            try:
                await self._webhook.tell(own)
            except WebhookRefused as fault:
                await self._later(own, untold.attempts + 1, str(fault))
            else:
                await self._store.alarms.told(own.id)

    async def _later(self, transition: Transition, attempts: int, why: str) -> None:
        if attempts >= _ATTEMPTS:
            _LOG.error("the webhook was not told of %s after %d attempts: %s", transition.id, attempts, why)
            await self._store.alarms.told(transition.id)
            return
        wait = min(self._first_wait_seconds * 2 ** (attempts - 1), _LONGEST_WAIT_SECONDS)
        _LOG.warning("the webhook did not take %s: %s; again in %g s", transition.id, why, wait)
        await self._store.alarms.postpone(transition.id, attempts=attempts, seconds=wait)


async def _every(seconds: float, what: str, work: Callable[[], Awaitable[object]]) -> None:
    await asyncio.sleep(seconds)
    await run_periodically(what, work, partial(asyncio.sleep, seconds), transient=StoreUnavailable)
