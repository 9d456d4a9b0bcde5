"""Two API keys: one is hostile in one way at a time, and the other must not notice.

    python -m tests.end_to_end.two_keys --seconds 60 [--way groups]

A real server, a judge that answers at once and the hostile client are processes of their own. The modest key scores one
submission after the other, first while nobody else asks and then beside the hostile key. Its p99 and its statuses are
compared, and the server's memory before and after.
"""

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import aiohttp

from tests.end_to_end.hostile_ways import WAYS, item_of
from tests.end_to_end.overload import Memory, start
from tests.server.keys import bearer, key_of

PAUSE_SECONDS = 0.02
_SETTLED_SECONDS = 2.0
_PATIENCE = aiohttp.ClientTimeout(30)


@dataclass(frozen=True)
class Seen:
    """By the modest key: answers by status, and their seconds."""

    statuses: Counter[int]
    seconds: tuple[float, ...]

    def percentile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]

    @property
    def p99(self) -> float:
        return self.percentile(0.99)


@dataclass(frozen=True)
class Outcome:
    """``kept_mebibytes``: the server's memory after the attack, less what it had before."""

    way: str
    quiet: Seen
    beside: Seen
    kept_mebibytes: float

    def line(self) -> str:
        quiet, beside = (
            f"p50 {seen.percentile(0.5) * 1e3:.0f} p99 {seen.p99 * 1e3:.0f} ms" for seen in (self.quiet, self.beside)
        )
        return (
            f"{self.way:10} {quiet} quiet, {beside} beside it ({self.beside.p99 / self.quiet.p99:.1f} times); "
            f"statuses {dict(self.beside.statuses)}; {self.kept_mebibytes:+.0f} MiB afterwards"
        )


def hostile(folder: Path, way: str, *, seconds: float) -> Outcome:
    """The modest key for so many seconds alone, and then as long beside the hostile one."""
    keys = {name: key_of(name, "score") for name in ("modest", "hostile")}
    with _program("benchmarks.stub_judge") as judge:
        assert judge.stdout is not None
        address = judge.stdout.readline().decode().strip()
        server = start(f"openai:stub@{address}", folder, {name: key for name, (_, key) in keys.items()})
        try:
            memory = Memory(server.process.pid)
            modest, enemy = (keys[name][0] for name in ("modest", "hostile"))
            quiet, beside = asyncio.run(_both(server.address, modest, enemy, way, memory, seconds))
        finally:
            server.stop()
    return Outcome(way, quiet, beside, memory.now - memory.before)


async def _both(address: str, modest: str, enemy: str, way: str, memory: Memory, seconds: float) -> tuple[Seen, Seen]:
    numbers = count()
    async with aiohttp.ClientSession(address, headers=bearer(modest), timeout=_PATIENCE) as session:
        await _score(session, numbers, 1.0)
        quiet = await _score(session, numbers, seconds)
        with memory:
            with _program("tests.end_to_end.hostile_ways", address, enemy, way):
                await _score(session, numbers, 1.0)  # until it has started
                beside = await _score(session, numbers, seconds)
            await asyncio.sleep(_SETTLED_SECONDS)
    return quiet, beside


@contextmanager
def _program(module: str, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE)
    with process:
        try:
            yield process
        finally:
            process.kill()


async def _score(session: aiohttp.ClientSession, numbers: "count[int]", seconds: float) -> Seen:
    statuses: Counter[int] = Counter()
    taken: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        started = time.monotonic()
        async with session.post("/v1/score", json=item_of(f"modest {next(numbers)}")) as answer:
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
