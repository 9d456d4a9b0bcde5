"""Two API keys: one is hostile in one way at a time, and the other must not notice.

    python -m tests.end_to_end.two_keys --seconds 60 [--way groups]

prints a row of a table for each of the sixteen ways, in 40 minutes, then what was missed, and ends with status 1 if
anything was. A way that could not be measured is missed too. ``--quick`` is for a machine on which nothing else runs:
all ways in eight minutes on one server, without the second one, in phases of five seconds.

The modest key scores one submission after the other for ``--seconds`` alone and as long beside the hostile key, in
phases of ten seconds that take turns, so that other programs on the machine meet both alike. After each attack two
seconds belong to neither phase, and the jobs that it left are cancelled. The server's memory is looked at before, at
most, and ten seconds after the last attack. Beside jobs the modest key also sends jobs of one item, in the class
training.

A real server, a judge that answers at once and the hostile client are processes of their own. Between two requests the
modest key asks a second server with a judge of its own, which nobody attacks: what the attack does to its times is the
work of the hostile client and of the first server on the same processors, not a caller that waits for another. The
judges and the hostile client run on the last processor, the client at a lower priority, because elsewhere they would be
other machines; the servers and the measuring client run on all.
"""

import argparse
import asyncio
import math
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any

import aiohttp

from tests.command import Server
from tests.end_to_end.hostile_ways import WAYS, item_of
from tests.end_to_end.overload import Memory, start
from tests.server.keys import bearer, key_of

PAUSE_SECONDS = 0.01
SETTLED_SECONDS = 10.0
_PHASE_SECONDS = 10.0
_LEFT_SECONDS = 2.0  # after an attack, which count as neither
_PATIENCE = aiohttp.ClientTimeout(30)
_NICENESS = 5
_TRAINING_PAUSE_SECONDS = 1.0
_QUICK_PHASE_SECONDS, _QUICK_SETTLED_SECONDS, _QUICK_PAUSE_SECONDS = 5.0, 5.0, 0.002
_BLOCK, _RESAMPLES = 20, 400
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
    """``quiet`` and ``beside`` by server: the attacked one, and the bystander if there is one. ``jobs``: the modest
    key's jobs of one item beside the attack. ``mebibytes``: the attacked server's memory before, at most, and
    ``SETTLED_SECONDS`` after the attack. ``sent``: what the hostile client says that it did."""

    way: str
    quiet: tuple[Seen, ...]
    beside: tuple[Seen, ...]
    after: Seen
    jobs: Seen
    mebibytes: tuple[float, float, float]
    sent: str

    @property
    def ratios(self) -> tuple[float, ...]:
        """Of p99 beside the attack to its quiet value, by server."""
        return tuple(beside.p99 / quiet.p99 for quiet, beside in zip(self.quiet, self.beside, strict=True))

    @property
    def interval(self) -> tuple[float, float]:
        """Of the first ratio, 95 %: a bootstrap over blocks of neighbouring requests, because slow ones come together
        (Künsch 1989, with blocks that do not overlap)."""
        chance = random.Random(1)
        both = [_blocks(one[0].seconds) for one in (self.quiet, self.beside)]
        ratios = sorted(
            _p99([*chain(*chance.choices(beside, k=len(beside)))])
            / _p99([*chain(*chance.choices(quiet, k=len(quiet)))])
            for quiet, beside in [both] * _RESAMPLES
        )
        return ratios[_RESAMPLES // 40], ratios[-_RESAMPLES // 40]

    @property
    def kept_mebibytes(self) -> float:
        before, _, after = self.mebibytes
        return after - before

    @property
    def missed(self) -> tuple[str, ...]:
        """What the attack changed more than it may."""
        found = (
            (self.ratios[0] > _MOST_RATIO, f"p99 is {self.ratios[0]:.2f} times its quiet value"),
            (self.refused > 0, f"{self.refused} answers were not 200"),
            (self.kept_mebibytes > _MOST_KEPT, f"{self.kept_mebibytes:.0f} MiB more than before"),
        )
        return tuple(text for is_missed, text in found if is_missed)

    @property
    def statuses(self) -> Counter[int]:
        """Of the attacked server's answers to the modest key beside the attack."""
        return self.beside[0].statuses

    @property
    def refused(self) -> int:
        """The modest key's answers beside the attack that were not 200."""
        return self.statuses.total() - self.statuses[200]

    def line(self) -> str:
        """A row of a table."""
        others = (f"{number} × {status}" for status, number in sorted(self.statuses.items()) if status != 200)
        memory = "{:.0f}, {:.0f}, {:.0f}".format(*self.mebibytes)
        attack = f"{WAYS[self.way].title} ({WAYS[self.way].connections})"
        jobs = f"; jobs of one item {self.jobs}" if self.jobs.seconds else ""
        bystander = f"{self.quiet[1]} → {self.beside[1]}: {self.ratios[1]:.1f}" if len(self.quiet) > 1 else ""
        ratio = "{:.1f} ({:.1f} to {:.1f})".format(self.ratios[0], *self.interval)
        requests = " and ".join(str(len(one[0].seconds)) for one in (self.quiet, self.beside))
        cells = [attack, self.sent, requests, str(self.quiet[0]), str(self.beside[0]), ratio, bystander]
        return f"| {' | '.join([*cells, str(self.after), (', '.join(others) or '0') + jobs, memory])} |"


_COLUMNS = (
    "attack (connections)", "sent in the last phase", "requests", "alone: p50, p99 in ms", "during it",
    "ratio of p99 (95 % interval)",
    "a server that nobody attacks", "afterwards", "refused", "MiB before, at most, 10 s after",
)  # fmt: skip


def _blocks(seconds: Sequence[float]) -> list[list[float]]:
    return [list(seconds[start : start + _BLOCK]) for start in range(0, len(seconds), _BLOCK)]


def _p99(seconds: list[float]) -> float:
    return Seen(seconds=seconds).p99


def hostile(
    folder: Path,
    way: str,
    *,
    seconds: float,
    phase_seconds: float = _PHASE_SECONDS,
    settled_seconds: float = SETTLED_SECONDS,
    bystander: bool = False,
) -> Outcome:
    """The modest key alone and beside the hostile one in turn, ``seconds`` each, and then ``settled_seconds`` alone."""
    with _attacked(folder, bystander=bystander) as (run, enemy):
        return asyncio.run(run.outcome(enemy, way, round(seconds / phase_seconds), phase_seconds, settled_seconds))


def hostile_in_all_ways(folder: Path, ways: Iterable[str]) -> Iterator[Outcome]:
    """On one server that nobody else is asked beside, in phases of five seconds, with little pause."""
    with _attacked(folder, bystander=False, pause_seconds=_QUICK_PAUSE_SECONDS) as (run, enemy):
        for way in ways:
            yield asyncio.run(run.outcome(enemy, way, 2, _QUICK_PHASE_SECONDS, _QUICK_SETTLED_SECONDS))


@contextmanager
def _attacked(folder: Path, *, bystander: bool, pause_seconds: float = PAUSE_SECONDS) -> Iterator[tuple["_Run", str]]:
    """What measures, and the hostile key."""
    keys = {name: key_of(name, "score") for name in ("modest", "hostile")}
    listed = {name: key for name, (_, key) in keys.items()}
    with ExitStack() as stack:
        servers = [stack.enter_context(_server(folder / str(place), listed)) for place in range(1 + bystander)]
        modest, enemy = (keys[name][0] for name in ("modest", "hostile"))
        yield _Run([server.address for server in servers], modest, servers[0].process.pid, pause_seconds), enemy


@contextmanager
def _server(folder: Path, keys: dict[str, Any]) -> Iterator[Server]:
    """A server with a judge of its own."""
    folder.mkdir()
    with _program("benchmarks.stub_judge") as judge:
        assert judge.stdout is not None
        server = start(f"openai:stub@{judge.stdout.readline().decode().strip()}", folder, keys)
        try:
            yield server
        finally:
            server.stop()


class _Run:
    """``addresses``: of the attacked server, and of others."""

    def __init__(self, addresses: Sequence[str], key: str, process: int, pause_seconds: float) -> None:
        self._addresses = addresses
        self._key = key
        self._process = process
        self._pause_seconds = pause_seconds
        self._numbers = count()

    async def outcome(self, enemy: str, way: str, rounds: int, phase: float, settled: float) -> Outcome:
        jobs, memory, sent = Seen(), Memory(self._process), ""
        connected = [
            aiohttp.ClientSession(one, headers=bearer(self._key), timeout=_PATIENCE) for one in self._addresses
        ]
        async with AsyncExitStack() as stack:
            sessions = [await stack.enter_async_context(session) for session in connected]
            quiet, beside, left = ([Seen() for _ in sessions] for _ in range(3))
            await self._score(sessions, left, 2.0)
            with memory:
                for number in range(rounds):
                    await self._score(sessions, quiet, phase)
                    sent = await self._attacked(sessions, beside, enemy, way, phase, jobs)
                    after = [Seen() for _ in sessions]
                    last = number == rounds - 1
                    await self._score(sessions, after, settled if last else _LEFT_SECONDS)
                    await self._cancel_jobs(enemy)
        return Outcome(way, tuple(quiet), tuple(beside), after[0], jobs, (memory.before, memory.most, memory.now), sent)

    async def _attacked(
        self,
        sessions: Sequence[aiohttp.ClientSession],
        beside: Sequence[Seen],
        enemy: str,
        way: str,
        seconds: float,
        jobs: Seen,
    ) -> str:
        """Returns what the hostile client says that it did."""
        with _program("tests.end_to_end.hostile_ways", self._addresses[0], enemy, way, niceness=_NICENESS) as client:
            await self._score(sessions, [Seen() for _ in sessions], 1.0)  # until it has started
            training = asyncio.create_task(self._train(sessions[0], jobs if way == "jobs" else None))
            await self._score(sessions, beside, seconds)
            training.cancel()
            client.terminate()
            return client.communicate()[0].decode().strip()

    async def _score(self, sessions: Sequence[aiohttp.ClientSession], seen: Sequence[Seen], seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for session, one in zip(sessions, seen, strict=True):
                started = time.monotonic()
                async with session.post("/v1/score", json=item_of(f"modest {next(self._numbers)}")) as answer:
                    await answer.read()
                    one.statuses[answer.status] += 1
                one.seconds.append(time.monotonic() - started)
                await asyncio.sleep(self._pause_seconds)

    async def _cancel_jobs(self, enemy: str) -> None:
        """Those that the hostile client left: they would keep the server busy while nobody attacks."""
        async with aiohttp.ClientSession(self._addresses[0], headers=bearer(enemy), timeout=_PATIENCE) as session:
            async with session.get("/v1/jobs?limit=1000") as answer:
                listed = (await answer.json())["jobs"]
            for job in listed:
                if job["status"] in ("queued", "running"):
                    async with session.delete(f"/v1/jobs/{job['id']}") as answer:
                        await answer.read()

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
    """On the last processor that this process may use."""
    last = str(max(os.sched_getaffinity(0)))
    command = ["taskset", "-c", last, "nice", "-n", str(niceness), sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    with process:
        try:
            yield process
        finally:
            process.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--phase-seconds", type=float, default=_PHASE_SECONDS)
    parser.add_argument("--way", choices=sorted(WAYS), action="append")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    missed: list[str] = []
    _say(f"| {' | '.join(_COLUMNS)} |\n{'|---' * len(_COLUMNS)}|")
    ways = arguments.way or list(WAYS)
    with tempfile.TemporaryDirectory() as folder:
        outcomes = hostile_in_all_ways(Path(folder), ways) if arguments.quick else _one_by_one(arguments, ways, missed)
        for outcome in outcomes:
            _say(outcome.line())
            missed += [f"{outcome.way}: {what}" for what in outcome.missed]
    _say("\n" + ("\n".join(["missed:", *missed]) if missed else "all held"))
    sys.exit(bool(missed))


def _one_by_one(arguments: argparse.Namespace, ways: Iterable[str], missed: list[str]) -> Iterator[Outcome]:
    """Each on servers of its own. A way that could not be measured is ``missed``, and the others go on."""
    for way in ways:
        try:
            with tempfile.TemporaryDirectory() as folder:
                seconds, phase = arguments.seconds, arguments.phase_seconds
                outcome = hostile(Path(folder), way, seconds=seconds, phase_seconds=phase, bystander=True)
        except Exception:  # noqa: BLE001 - one way that fails must not end the others
            missed.append(f"{way}: not measured\n{traceback.format_exc()}")
        else:
            yield outcome


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
