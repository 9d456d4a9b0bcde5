"""Two API keys: one is hostile in one way at a time, and the other must not notice.

    python -m tests.end_to_end.two_keys --seconds 60 [--way groups]

prints a row of a table for each of the fourteen ways, in 19 minutes, then what was missed, and ends with status 1 if
anything was. A way that could not be measured is missed too.

A real server, a judge that answers at once and the hostile client are processes of their own; the hostile one has a
lower priority of the operating system, because elsewhere it would be another machine. The modest key scores one
submission after the other: while nobody else asks, beside the hostile key, and in the ten seconds afterwards. Its p99
and its statuses are compared, and the server's memory before, at most, and after those ten seconds. Beside jobs it also
sends jobs of one item in the class training.
"""

import argparse
import asyncio
import math
import subprocess
import sys
import tempfile
import time
import traceback
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
_MOST_RATIO = 2.0  # of p99 beside the attack to its quiet value
_MOST_KEPT = 50.0  # MiB


@dataclass(frozen=True)
class Seen:
    """By the modest key: answers by status, and their seconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """NaN if nothing was sent."""
        ordered = sorted(self.seconds) or [math.nan]
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
    def missed(self) -> tuple[str, ...]:
        """What the attack changed more than it may."""
        found = (
            (self.ratio > _MOST_RATIO, f"p99 is {self.ratio:.2f} times its quiet value"),
            (self.refused > 0, f"{self.refused} answers were not 200"),
            (self.kept_mebibytes > _MOST_KEPT, f"{self.kept_mebibytes:.0f} MiB more than before"),
        )
        return tuple(text for is_missed, text in found if is_missed)

    @property
    def refused(self) -> int:
        """The modest key's answers beside the attack that were not 200."""
        return self.beside.statuses.total() - self.beside.statuses[200]

    def line(self) -> str:
        """A row of a table."""
        others = (f"{number} × {status}" for status, number in sorted(self.beside.statuses.items()) if status != 200)
        memory = "{:.0f}, {:.0f}, {:.0f}".format(*self.mebibytes)
        attack = f"{WAYS[self.way].title} ({WAYS[self.way].connections})"
        cells = [attack, self.sent, str(self.quiet), str(self.beside), str(self.after), f"{self.ratio:.1f}"]
        jobs = f"; jobs of one item {self.jobs}" if self.jobs.seconds else ""
        return f"| {' | '.join([*cells, (', '.join(others) or '0') + jobs, memory])} |"


_COLUMNS = (
    "attack (connections)", "sent", "alone: p50, p99 in ms", "during it", "afterwards", "ratio of p99", "refused",
    "MiB before, at most, 10 s after",
)  # fmt: skip


def hostile(folder: Path, way: str, *, seconds: float, quiet_seconds: float, settled_seconds: float) -> Outcome:
    """The modest key for ``quiet_seconds`` alone, ``seconds`` beside the hostile one, and ``settled_seconds`` alone."""
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
                after = await self._score(session, settled_seconds)
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
    parser.add_argument("--quiet-seconds", type=float, default=7.0)
    parser.add_argument("--way", choices=sorted(WAYS), action="append")
    arguments = parser.parse_args()
    missed: list[str] = []
    _say(f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|")
    for way in arguments.way or WAYS:
        try:
            with tempfile.TemporaryDirectory() as folder:
                outcome = hostile(
                    Path(folder),
                    way,
                    seconds=arguments.seconds,
                    quiet_seconds=arguments.quiet_seconds,
                    settled_seconds=SETTLED_SECONDS,
                )
        except Exception:  # noqa: BLE001 - one way that fails must not end the others
            missed.append(f"{way}: not measured\n{traceback.format_exc()}")
            continue
        _say(outcome.line())
        missed += [f"{way}: {what}" for what in outcome.missed]
    _say("\n" + ("\n".join(["missed:", *missed]) if missed else "all held"))
    sys.exit(bool(missed))


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
