"""Two API keys: one is hostile in one way at a time, and the other must not notice.

    python -m tests.end_to_end.two_keys --seconds 60 [--way groups]

A real server, a judge that answers at once and the hostile client are processes of their own; the hostile one has a
lower priority of the operating system, because elsewhere it would be another machine. The modest key scores one
submission after the other: while nobody else asks, beside the hostile key, and afterwards. Its p99 and its statuses are
compared, and the server's memory before, at most, and ten seconds after the attack. Beside jobs it also sends jobs of
one item in the class training.
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
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import aiohttp

from tests.end_to_end.hostile_ways import WAYS, item_of
from tests.end_to_end.overload import Memory, start
from tests.server.keys import bearer, key_of

PAUSE_SECONDS = 0.02
SETTLED_SECONDS = 10.0
_PATIENCE = aiohttp.ClientTimeout(30)
_NICENESS = 5
_TRAINING_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class Seen:
    """By the modest key: answers by status, and their seconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.seconds)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)]

    @property
    def p99(self) -> float:
        return self.percentile(0.99)

    def __str__(self) -> str:
        return f"{self.percentile(0.5) * 1e3:.0f}, {self.p99 * 1e3:.0f}"


@dataclass(frozen=True)
class Outcome:
    """``jobs``: the modest key's jobs of one item beside the attack. ``mebibytes``: the server's memory before, at
    most, and ``SETTLED_SECONDS`` after the attack. ``sent``: what the hostile client says that it did."""

    way: str
    quiet: Seen
    beside: Seen
    after: Seen
    jobs: Seen
    mebibytes: tuple[float, float, float]
    sent: str

    @property
    def ratio(self) -> float:
        """Of p99 beside the attack to its quiet value."""
        return self.beside.p99 / self.quiet.p99

    @property
    def kept_mebibytes(self) -> float:
        before, _, after = self.mebibytes
        return after - before

    @property
    def held(self) -> bool:
        """Whether the attack changed no more than it may."""
        return self.ratio <= 2 and set(self.beside.statuses) == {200} and self.kept_mebibytes <= 50

    def line(self) -> str:
        """A row of a table."""
        statuses = ", ".join(f"{number} × {status}" for status, number in sorted(self.beside.statuses.items()))
        memory = "{:.0f}, {:.0f}, {:.0f}".format(*self.mebibytes)
        cells = [self.way, self.sent, str(self.quiet), str(self.beside), str(self.after), f"{self.ratio:.1f}"]
        jobs = f"; jobs of one item {self.jobs}" if self.jobs.seconds else ""
        return f"| {' | '.join([*cells, statuses + jobs, memory])} |"


_COLUMNS = (
    "attack", "it sent", "alone: p50, p99 in ms", "during it", "afterwards", "ratio of p99", "answers",
    "MiB before, at most, 10 s after",
)  # fmt: skip


def hostile(folder: Path, way: str, *, seconds: float, quiet_seconds: float, settled_seconds: float) -> Outcome:
    """The modest key for ``quiet_seconds`` alone, ``seconds`` beside the hostile one, and alone again."""
    keys = {name: key_of(name, "score") for name in ("modest", "hostile")}
    with _program("benchmarks.stub_judge") as judge:
        assert judge.stdout is not None
        address = judge.stdout.readline().decode().strip()
        server = start(f"openai:stub@{address}", folder, {name: key for name, (_, key) in keys.items()})
        modest, enemy = (keys[name][0] for name in ("modest", "hostile"))
        try:
            run = _Run(server.address, modest, Memory(server.process.pid))
            return asyncio.run(run.outcome(enemy, way, seconds, quiet_seconds, settled_seconds))
        finally:
            server.stop()


class _Run:
    def __init__(self, address: str, key: str, memory: Memory) -> None:
        self._address = address
        self._key = key
        self._memory = memory
        self._numbers = count()

    async def outcome(
        self, enemy: str, way: str, seconds: float, quiet_seconds: float, settled_seconds: float
    ) -> Outcome:
        jobs, memory = Seen(), self._memory
        async with aiohttp.ClientSession(self._address, headers=bearer(self._key), timeout=_PATIENCE) as session:
            await self._score(session, 1.0)
            quiet = await self._score(session, quiet_seconds)
            with memory:
                with _program("tests.end_to_end.hostile_ways", self._address, enemy, way, niceness=_NICENESS) as client:
                    await self._score(session, 1.0)  # until it has started
                    training = asyncio.create_task(self._train(session, jobs if way == "jobs" else None))
                    beside = await self._score(session, seconds)
                    training.cancel()
                    client.terminate()
                    sent = client.communicate()[0].decode().strip()
                await asyncio.sleep(settled_seconds)
            after = await self._score(session, quiet_seconds)
        return Outcome(way, quiet, beside, after, jobs, (memory.before, memory.most, memory.now), sent)

    async def _score(self, session: aiohttp.ClientSession, seconds: float) -> Seen:
        seen = Seen()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            started = time.monotonic()
            async with session.post("/v1/score", json=item_of(f"modest {next(self._numbers)}")) as answer:
                await answer.read()
                seen.statuses[answer.status] += 1
            seen.seconds.append(time.monotonic() - started)
            await asyncio.sleep(PAUSE_SECONDS)
        return seen

    async def _train(self, session: aiohttp.ClientSession, seen: Seen | None) -> None:
        """Sends jobs of one item in the class training, one after the other, and waits for each."""
        while seen is not None:
            started = time.monotonic()
            body = {"items": [item_of(f"job {next(self._numbers)}")], "priority": "training"}
            async with session.post("/v1/jobs", json=body) as answer:
                job = await answer.json()
                seen.statuses[answer.status] += 1
            async with session.get(f"/v1/jobs/{job['id']}/events") as events:
                await events.read()
            seen.seconds.append(time.monotonic() - started)
            await asyncio.sleep(_TRAINING_PAUSE_SECONDS)


@contextmanager
def _program(module: str, *arguments: str, niceness: int = 0) -> Iterator["subprocess.Popen[bytes]"]:
    command = ["nice", "-n", str(niceness), sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    with process:
        try:
            yield process
        finally:
            process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--quiet-seconds", type=float, default=20.0)
    parser.add_argument("--way", choices=sorted(WAYS), action="append")
    arguments = parser.parse_args()
    held = True
    sys.stdout.write(f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|\n")
    for way in arguments.way or WAYS:
        with tempfile.TemporaryDirectory() as folder:
            outcome = hostile(
                Path(folder),
                way,
                seconds=arguments.seconds,
                quiet_seconds=arguments.quiet_seconds,
                settled_seconds=SETTLED_SECONDS,
            )
        sys.stdout.write(outcome.line() + "\n")
        sys.stdout.flush()
        held &= outcome.held
    sys.exit(not held)


if __name__ == "__main__":
    main()
