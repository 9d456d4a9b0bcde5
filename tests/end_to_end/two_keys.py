"""Two API keys: one is hostile in one way at a time, and the other must not notice.

    python -m tests.end_to_end.two_keys --seconds 60 [--way groups]

A real server process and a judge on the loopback. The modest key scores one submission after the other, first while
nobody else asks and then beside the hostile key. Its p99 and its statuses are compared, and the server's memory before
and after.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from tests.end_to_end.overload import Memory, start
from tests.server.keys import bearer, key_of
from tests.stub_judge import StubJudge, faithful
from tests.submissions import rubric, submission

CONNECTIONS = 8
PAUSE_SECONDS = 0.02


@dataclass(frozen=True)
class Seen:
    """By the modest key: answers by status, and their seconds."""

    statuses: Counter[int]
    seconds: tuple[float, ...]

    @property
    def p99(self) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]


@dataclass(frozen=True)
class Outcome:
    """``kept_mebibytes``: the server's memory after the attack, less what it had before."""

    way: str
    quiet: Seen
    beside: Seen
    kept_mebibytes: float

    def line(self) -> str:
        return (
            f"{self.way:8} p99 {self.quiet.p99 * 1e3:.0f} ms quiet, {self.beside.p99 * 1e3:.0f} ms beside it; "
            f"statuses {dict(self.beside.statuses)}; {self.kept_mebibytes:+.0f} MiB afterwards"
        )


class Connection:
    """A raw connection of the hostile key, closed with the block."""

    def __init__(self, address: str, key: str) -> None:
        parts = urlsplit(address)
        self._host, self._port, self._key = parts.hostname, parts.port, key

    async def __aenter__(self) -> "Connection":
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def head(self, path: str, kind: str, length: int | None = None) -> None:
        size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", size]
        lines += [f"Authorization: Bearer {self._key}", "", ""]
        await self.send("\r\n".join(lines).encode())

    async def chunk(self, data: bytes) -> None:
        await self.send(b"%x\r\n%s\r\n" % (len(data), data))

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


async def groups(connection: Connection, number: int) -> None:
    """Opens a group that is never complete, and hangs up."""
    body = {"prompt": "p", "responses": ["r" * 10_000], "rubric": rubric(1), "group": f"g{number}", "expected": 4}
    data = json.dumps(body | {"collection_seconds": 600}).encode()
    await connection.head("/v1/score/group", "application/json", len(data))
    await connection.send(data)
    await asyncio.sleep(0.2)


async def jobs(connection: Connection, number: int) -> None:
    """Sends a batch job of 600 items."""
    items = [_item(f"job {number} item {place}") for place in range(600)]
    data = json.dumps({"items": items}).encode()
    await connection.head("/v1/jobs", "application/json", len(data))
    await connection.send(data)
    await asyncio.sleep(60)


async def uploads(connection: Connection, number: int) -> None:
    """Uploads jobs line by line, and never ends."""
    await connection.head("/v1/jobs", "application/jsonl")
    for place in range(1_000):
        await connection.chunk(json.dumps(_item(f"upload {number} {place}")).encode() + b"\n")
        await asyncio.sleep(0.2)


async def bytes_(connection: Connection, number: int) -> None:
    """Uploads a job in chunks of one byte, 2,000 a second on all connections."""
    await connection.head("/v1/jobs", "application/jsonl")
    for _ in range(100_000):
        await connection.chunk(b" ")
        await asyncio.sleep(CONNECTIONS / 2_000)


WAYS: dict[str, Callable[[Connection, int], Awaitable[None]]] = {
    "groups": groups,
    "jobs": jobs,
    "uploads": uploads,
    "bytes": bytes_,
}


def _item(name: str) -> dict[str, Any]:
    return submission(response=f"Answer {name}: call the emergency number now.", rubric=rubric(1))


def hostile(folder: Path, way: str, *, seconds: float) -> Outcome:
    """The modest key for so many seconds alone, and then as long beside the hostile one."""
    keys = {name: key_of(name, "score") for name in ("modest", "hostile")}
    with StubJudge(faithful()) as stub:
        server = start(stub.specification, folder, {name: key for name, (_, key) in keys.items()})
        try:
            memory = Memory(server.process.pid)
            modest, enemy = (keys[name][0] for name in ("modest", "hostile"))
            quiet, beside = asyncio.run(_both(server.address, modest, enemy, WAYS[way], memory, seconds))
        finally:
            server.stop()
    return Outcome(way, quiet, beside, memory.now - memory.before)


async def _both(
    address: str,
    modest: str,
    enemy: str,
    attack: Callable[[Connection, int], Awaitable[None]],
    memory: Memory,
    seconds: float,
) -> tuple[Seen, Seen]:
    numbers = count()
    async with aiohttp.ClientSession(address, headers=bearer(modest)) as session:
        await _score(session, numbers, 1.0)
        quiet = await _score(session, numbers, seconds)
        with memory:
            attacking = [asyncio.create_task(_attack(address, enemy, attack)) for _ in range(CONNECTIONS)]
            await asyncio.sleep(0.5)
            beside = await _score(session, numbers, seconds)
            for task in attacking:
                task.cancel()
            await asyncio.gather(*attacking, return_exceptions=True)
            await asyncio.sleep(1.0)
    return quiet, beside


async def _attack(address: str, key: str, attack: Callable[[Connection, int], Awaitable[None]]) -> None:
    for number in count():
        with suppress(OSError):
            async with Connection(address, key) as connection:
                await attack(connection, number)


async def _score(session: aiohttp.ClientSession, numbers: "count[int]", seconds: float) -> Seen:
    statuses: Counter[int] = Counter()
    taken: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.monotonic()
        async with session.post("/v1/score", json=_item(f"modest {next(numbers)}")) as answer:
            await answer.read()
            statuses[answer.status] += 1
        taken.append(time.monotonic() - started)
        await asyncio.sleep(PAUSE_SECONDS)
    return Seen(statuses, tuple(taken))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--way", choices=sorted(WAYS), action="append")
    arguments = parser.parse_args()
    failed = False
    for way in arguments.way or WAYS:
        with tempfile.TemporaryDirectory() as folder:
            outcome = hostile(Path(folder), way, seconds=arguments.seconds)
        sys.stdout.write(outcome.line() + "\n")
        sys.stdout.flush()
        slow = outcome.beside.p99 > 2 * outcome.quiet.p99
        failed |= slow or set(outcome.beside.statuses) != {200} or outcome.kept_mebibytes > 50
    sys.exit(failed)


if __name__ == "__main__":
    main()
