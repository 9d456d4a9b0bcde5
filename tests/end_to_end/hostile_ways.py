"""What a hostile API key does to a server, on many connections until it is stopped.

    python -m tests.end_to_end.hostile_ways ADDRESS KEY WAY

A process of its own, so that it slows down nobody whose time is measured but through the server. Once it is terminated
it says as JSON what it did (``Sent``).
"""

import asyncio
import json
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import count
from typing import Any, ClassVar, NamedTuple
from urllib.parse import urlsplit

from tests.submissions import rubric, submission

_PAUSE_SECONDS = 0.05  # between two connections: a client that is refused comes back


class Sent(NamedTuple):
    """What a hostile client did. ``processor_seconds``: its own."""

    connections: int = 0
    mebibytes: float = 0.0
    answers: int = 0
    processor_seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.connections} connections, {self.mebibytes:.0f} MiB, {self.answers} answers"


class Connection:
    """A raw connection of the hostile key, closed with the block. ``made``, ``sent``, ``answered``: connections, bytes,
    and answers that were waited for."""

    made: ClassVar[int] = 0
    sent: ClassVar[int] = 0
    answered: ClassVar[int] = 0

    def __init__(self, address: str, key: str) -> None:
        parts = urlsplit(address)
        self._host, self._port, self._key = parts.hostname, parts.port, key

    async def __aenter__(self) -> "Connection":
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        Connection.made += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def head(self, path: str, kind: str, length: int | None = None, method: str = "POST") -> None:
        size = "Transfer-Encoding: chunked" if length is None else f"Content-Length: {length}"
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Content-Type: {kind}", size]
        lines += [f"Authorization: Bearer {self._key}", "", ""]
        await self.send("\r\n".join(lines).encode())

    async def post(self, path: str, body: Any) -> bytes:
        """The answer, whole."""
        data = json.dumps(body, ensure_ascii=False).encode()
        await self.head(path, "application/json", len(data))
        await self.send(data)
        return await self.answer()

    async def answer(self) -> bytes:
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        body = await self._reader.readexactly(int(length.split(b":")[1]))
        Connection.answered += 1
        return body

    async def chunk(self, data: bytes) -> None:
        await self.send(b"%x\r\n%s\r\n" % (len(data), data))

    async def send(self, data: bytes) -> None:
        Connection.sent += len(data)
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
    """Sends batch jobs of 600 items, one after the other."""
    items = [item_of(f"job {number} item {place}") for place in range(600)]
    await connection.post("/v1/jobs", {"items": items})
    await asyncio.sleep(10)


async def uploads(connection: Connection, number: int) -> None:
    """Uploads jobs line by line, and never ends."""
    await connection.head("/v1/jobs", "application/jsonl")
    for place in range(1_000):
        await connection.chunk(json.dumps(item_of(f"upload {number} {place}")).encode() + b"\n")
        await asyncio.sleep(0.2)


async def bytes_(connection: Connection, number: int) -> None:
    """Uploads a job in chunks of one byte, 2,000 a second on all connections."""
    await connection.head("/v1/jobs", "application/jsonl")
    for _ in range(100_000):
        await connection.chunk(b" ")
        await asyncio.sleep(8 / 2_000)


async def requests(connection: Connection, number: int) -> None:
    """Sends one small submission after the other, without a pause."""
    for place in count():
        await connection.post("/v1/score", item_of(f"request {number} {place}"))


async def bodies(connection: Connection, number: int) -> None:
    """Sends half a body of 8 MB as fast as it goes, and waits."""
    await connection.head("/v1/score", "application/json", 8_000_000)
    await connection.send(b" " * 4_000_000)
    await asyncio.sleep(5)


async def large(connection: Connection, number: int) -> None:
    """Sends responses of 7 MB."""
    text = f"{number} " + "the patient should rest and drink water " * 180_000
    await connection.post("/v1/score", item_of("large") | {"response": text})


async def values(connection: Connection, number: int) -> None:
    """Sends bodies of 240,000 values."""
    await connection.post("/v1/score", item_of(f"values {number}") | {"facts": {"a": [0] * 240_000}})


async def paragraphs(connection: Connection, number: int) -> None:
    """Sends responses of a megabyte that split into steps everywhere."""
    await connection.post("/v1/score", item_of("long") | {"response": f"{number}\n\n" + "x\n\n" * 330_000})


async def marks(connection: Connection, number: int) -> None:
    """Sends batches of ten responses of 300 KB of combining marks."""
    items = [item_of("long") | {"response": f"{number} {place} " + "\u05b0\u0591" * 75_000} for place in range(10)]
    await connection.post("/v1/score/batch", {"items": items})


async def checks(connection: Connection, number: int) -> None:
    """Sends responses of a megabyte to programs that decide, and to no judge."""
    text = f"{number} " + "the patient should rest, and drink 2 litres of water [1]. " * 18_000
    programs = [{"kind": "repetition"}, {"kind": "citations"}, {"kind": "contains", "any": ["doctor"]}]
    decided = [{"id": f"k{place}", "kind": "check", "check": one} for place, one in enumerate(programs)]
    await connection.post(
        "/v1/score", item_of("checks") | {"response": text, "rubric": rubric(1) | {"criteria": decided}}
    )


async def rubrics(connection: Connection, number: int) -> None:
    """Has rubrics of 300 KB validated."""
    (one,) = rubric(1)["criteria"]
    criteria = [{**one, "id": f"c{place}", "statement": f"Says {number} and {place}."} for place in range(3_000)]
    await connection.post("/v1/rubrics/validate", rubric(1) | {"criteria": criteria})


_job: str | None = None  # whose events all connections follow


async def streams(connection: Connection, number: int) -> None:
    """Follows a long job's events."""
    items = [item_of(f"stream {place}") for place in range(600)]
    global _job  # noqa: PLW0603
    if _job is None:
        _job = ""
        _job = str(json.loads(await connection.post("/v1/jobs", {"items": items}))["id"])
    await asyncio.sleep(1)
    await connection.head(f"/v1/jobs/{_job}/events", "text/plain", 0, "GET")
    await asyncio.sleep(5)


async def idle(connection: Connection, number: int) -> None:
    """Opens a connection and says nothing."""
    await asyncio.sleep(60)


async def unread(connection: Connection, number: int) -> None:
    """Asks for long answers and reads none."""
    for _ in range(5):
        await connection.head("/v1/jobs?limit=1000", "text/plain", 0, "GET")
    await asyncio.sleep(5)


async def trailers(connection: Connection, number: int) -> None:
    """Ends a chunked body with trailers that never end."""
    await connection.head("/v1/score", "application/json")
    await connection.send(b"2\r\n{}\r\n0\r\n")
    while True:
        await connection.send(b"x-a: " + b"a" * 8_000 + b"\r\n")


class Way(NamedTuple):
    """``work`` again and again on each of so many ``connections``; ``title``: what it is in a table."""

    work: Callable[[Connection, int], Awaitable[None]]
    title: str
    connections: int = 8


WAYS = {
    "groups": Way(groups, "groups begun and hung up"),
    "jobs": Way(jobs, "jobs of 600 items, a judge that answers at once"),
    "uploads": Way(uploads, "slow uploads of jobs"),
    "bytes": Way(bytes_, "chunks of one byte"),
    "requests": Way(requests, "small submissions without a pause"),
    "bodies": Way(bodies, "half bodies of 8 MB", 64),
    "large": Way(large, "texts of 7 MB", 4),
    "values": Way(values, "bodies of 240,000 values", 2),
    "paragraphs": Way(paragraphs, "1 MB of `x\\n\\n`", 2),
    "marks": Way(marks, "batches of ten times 300 KB of combining marks", 2),
    "checks": Way(checks, "1 MB for three programs", 4),
    "rubrics": Way(rubrics, "rubrics of 300 KB to be validated", 8),
    "streams": Way(streams, "event streams", 100),
    "idle": Way(idle, "idle connections", 500),
    "unread": Way(unread, "answers that nobody reads", 64),
    "trailers": Way(trailers, "trailers without end", 4),
}


def item_of(name: str) -> dict[str, Any]:
    return submission(response=f"Answer {name}: call the emergency number now.", rubric=rubric(1))


async def _attack(address: str, key: str, way: Way) -> None:
    terminated, before = asyncio.Event(), time.process_time()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminated.set)
    attacking = [asyncio.create_task(_again_and_again(address, key, way)) for _ in range(way.connections)]
    await terminated.wait()
    used = time.process_time() - before
    sys.stdout.write(json.dumps(Sent(Connection.made, Connection.sent / 2**20, Connection.answered, used)))
    for one in attacking:
        one.cancel()


async def _again_and_again(address: str, key: str, way: Way) -> None:
    for number in count():
        with suppress(OSError, asyncio.IncompleteReadError):
            async with Connection(address, key) as connection:
                await way.work(connection, number)
        await asyncio.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    asyncio.run(_attack(sys.argv[1], sys.argv[2], WAYS[sys.argv[3]]))
