"""Which addresses a model has now: ``dns+http://NAME:PORT/v1`` stands for every address that NAME has in DNS, such as
the pods behind a headless Service of Kubernetes, and is looked up again while the model is used.

An address that joins is called once the model is recognised there. One that leaves gets no further call; calls under
way there end as they would. A lookup that fails, or finds nothing, changes nothing.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from judge_server.core.errors import ModelUnavailable
from judge_server.models.fleet import Fleet

LOOKED_UP: Final = "dns+"
_LOG = logging.getLogger(__name__)
Resolve = Callable[[str], Awaitable[tuple[str, ...]]]


async def resolve(name: str) -> tuple[str, ...]:
    """The addresses of a name, sorted. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    return tuple(sorted({str(place[4][0]) for place in found}))


class Membership:
    """Keeps a fleet's addresses as DNS has them, every ``seconds``. ``written``: the addresses as configured, each with
    whether it is preemptible."""

    def __init__(self, fleet: Fleet, written: Mapping[str, bool], seconds: float, resolve: Resolve = resolve) -> None:
        self._fleet = fleet
        self._written = written
        self._seconds = seconds
        self._resolve = resolve
        self._task: asyncio.Task[None] | None = None
        self._failing = False

    @property
    def named(self) -> bool:
        """Whether the addresses may change."""
        return any(one.startswith(LOOKED_UP) for one in self._written)

    async def start(self) -> None:
        """The first lookup, and a task for further ones if any address is a name. Raises ModelUnavailable if no address
        is found."""
        if not self.named or self._task is not None:
            return
        await self.look_up()
        if not self._fleet.addresses:
            names = ", ".join(one for one in self._written if one.startswith(LOOKED_UP))
            raise ModelUnavailable(
                f"DNS has no address for {names}.", remedy="Check the name, and that servers stand behind it."
            )
        self._task = asyncio.create_task(self._keep_looking(), name="addresses of a judge model")

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def look_up(self) -> None:
        """Let the addresses that DNS has now join, and the others leave."""
        try:
            found = {
                url: preemptible for one, preemptible in self._written.items() for url in await self._addresses(one)
            }
        except OSError as fault:
            if not self._failing:
                _LOG.warning("the addresses of a judge model cannot be looked up, so they stay as they are: %s", fault)
            self._failing = True
            return
        self._failing = False
        if not found:
            return
        before = {address.url for address in self._fleet.addresses}
        self._fleet.follow(found)
        joined, left = sorted(set(found) - before), sorted(before - set(found))
        if before and (joined or left):
            _LOG.info("addresses of a judge model: joined %s; left %s", joined or "none", left or "none")

    async def _addresses(self, written: str) -> list[str]:
        if not written.startswith(LOOKED_UP):
            return [written]
        parts = urlsplit(written.removeprefix(LOOKED_UP))
        hosts = await self._resolve(parts.hostname or "")
        port = "" if parts.port is None else f":{parts.port}"
        return [f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}{parts.path}" for host in hosts]

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(self._seconds)
            await self.look_up()
