"""Two API keys: one is hostile in one way at a time, and the other must not notice.

    python -m tests.end_to_end.two_keys --seconds 60 [--way groups]

prints a row of a table for each of the sixteen ways, in an hour, then what was missed, and ends with status 1 if
anything was. A way that could not be measured is missed too. ``--quick`` is for a machine on which nothing else runs:
all ways in ten minutes on one server, in phases of four seconds; ``--way`` may be repeated.

The modest key scores one submission after the other for ``--seconds`` alone, as long beside the hostile key, and as
long while the hostile client attacks a sink instead (``sink.py``), in phases of ten seconds that take turns, so that
other programs on the machine meet all alike. What the sink's phases cost is the hostile client's own work on the same
processors: what a perfect server would give. After each attack two seconds belong to no phase, and the jobs that it
left are cancelled. The server's memory is looked at before, at most, and ten seconds after the last attack. Beside
jobs the modest key also sends jobs of one item, in the class training.

A real server, a judge that answers at once and the hostile client are processes of their own. The judge and the hostile
client run on the last processor, the client at a lower priority, because elsewhere they would be other machines; the
server, the sink and the measuring client run on all.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import NamedTuple

import aiohttp

from tests.end_to_end.attack_outcome import COLUMNS, Outcome, Processor, Seen
from tests.end_to_end.hostile_ways import WAYS, Sent, item_of
from tests.end_to_end.overload import Memory, start
from tests.server.keys import bearer, key_of

PAUSE_SECONDS = 0.01
SETTLED_SECONDS = 10.0
_PHASE_SECONDS = 10.0
_LEFT_SECONDS = 2.0  # after an attack, which belong to no phase
_PATIENCE = aiohttp.ClientTimeout(30)
_NICENESS = 5
_TRAINING_PAUSE_SECONDS = 1.0
_QUICK_PHASE_SECONDS, _QUICK_SETTLED_SECONDS, _QUICK_PAUSE_SECONDS = 4.0, 3.0, 0.002


def hostile(
    folder: Path,
    way: str,
    *,
    seconds: float,
    phase_seconds: float = _PHASE_SECONDS,
    settled_seconds: float = SETTLED_SECONDS,
    control: bool = False,
) -> Outcome:
    """The modest key alone, beside the hostile one and, with ``control``, beside the attack on a sink in turn,
    ``seconds`` each, and then ``settled_seconds`` alone."""
    with _attacked(folder) as run:
        plan = Plan(round(seconds / phase_seconds), phase_seconds, settled_seconds, control=control)
        return asyncio.run(run.outcome(way, plan))


def hostile_in_all_ways(folder: Path, ways: Iterable[str]) -> Iterator[Outcome]:
    """On one server, in phases of four seconds, with little pause."""
    with _attacked(folder, _QUICK_PAUSE_SECONDS) as run:
        for way in ways:
            yield asyncio.run(run.outcome(way, Plan(2, _QUICK_PHASE_SECONDS, _QUICK_SETTLED_SECONDS, left=1.0)))


@contextmanager
def _attacked(folder: Path, pause_seconds: float = PAUSE_SECONDS) -> Iterator["_Run"]:
    """A server with a judge of its own, and what measures."""
    keys = {name: key_of(name, "score") for name in ("modest", "hostile")}
    with _program("benchmarks.stub_judge", pinned=True) as judge:
        server = start(f"openai:stub@{_told(judge)}", folder, {name: key for name, (_, key) in keys.items()})
        try:
            yield _Run(server.address, keys["modest"][0], keys["hostile"][0], server.process.pid, pause_seconds)
        finally:
            server.stop()


class Plan(NamedTuple):
    """``rounds`` of phases of so many seconds; ``settled`` seconds after the last, ``left`` after each other one."""

    rounds: int
    phase: float
    settled: float
    left: float = _LEFT_SECONDS
    control: bool = True


class _Run:
    """``key`` and ``enemy``: of the modest caller and the hostile one; ``process``: the server's."""

    def __init__(self, address: str, key: str, enemy: str, process: int, pause_seconds: float) -> None:
        self._address = address
        self._key = key
        self._enemy = enemy
        self._process = process
        self._pause_seconds = pause_seconds
        self._numbers = count()

    async def outcome(self, way: str, plan: Plan) -> Outcome:
        jobs, memory = Seen(), Memory(self._process)
        quiet, beside, control = Seen(), Seen(), Seen()
        used: defaultdict[str, float] = defaultdict(float)
        sent, after = Sent(), Seen()
        async with aiohttp.ClientSession(self._address, headers=bearer(self._key), timeout=_PATIENCE) as session:
            await self._score(session, Seen(), plan.left)
            with memory:
                for number in range(plan.rounds):
                    used["alone"] -= _processor_seconds(self._process)
                    await self._score(session, quiet, plan.phase)
                    used["alone"] += _processor_seconds(self._process)
                    sent = await self._attacked(session, beside, way, plan.phase, jobs, used)
                    used["hostile"] += sent.processor_seconds
                    after = Seen()
                    last = number == plan.rounds - 1
                    await self._score(session, after, plan.settled if last and not plan.control else plan.left)
                    await self._cancel_jobs()
                    if plan.control:
                        at_sink = await self._at_sink(session, control, way, plan.phase, sent)
                        used["hostile_at_sink"] += at_sink.processor_seconds
                if plan.control:
                    await self._score(session, after, plan.settled)
        seconds = plan.rounds * plan.phase
        processor = Processor(*(used[name] / seconds for name in Processor._fields))
        mebibytes = (memory.before, memory.most, memory.now)
        return Outcome(way, quiet, beside, control, after, jobs, mebibytes, processor, sent)

    async def _attacked(
        self, session: aiohttp.ClientSession, beside: Seen, way: str, seconds: float, jobs: Seen, used: dict[str, float]
    ) -> Sent:
        with _client(self._address, self._enemy, way) as client:
            await self._score(session, Seen(), 1.0)  # until it has started
            training = asyncio.create_task(self._train(session, jobs if way == "jobs" else None))
            used["attacked"] -= _processor_seconds(self._process)
            await self._score(session, beside, seconds)
            used["attacked"] += _processor_seconds(self._process)
            training.cancel()
            return _ended(client)

    async def _at_sink(
        self, session: aiohttp.ClientSession, control: Seen, way: str, seconds: float, sent: Sent
    ) -> Sent:
        """The same attack on a sink, which answers as often as the server did."""
        each = (seconds + 1.0) * WAYS[way].connections / max(sent.answers, 1)
        with (
            _program("tests.end_to_end.sink", "--answer-seconds", f"{each:.4f}") as sink,
            _client(_told(sink), self._enemy, way) as client,
        ):
            await self._score(session, Seen(), 1.0)
            await self._score(session, control, seconds)
            return _ended(client)

    async def _score(self, session: aiohttp.ClientSession, seen: Seen, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            started = time.monotonic()
            async with session.post("/v1/score", json=item_of(f"modest {next(self._numbers)}")) as answer:
                await answer.read()
                seen.statuses[answer.status] += 1
            seen.seconds.append(time.monotonic() - started)
            await asyncio.sleep(self._pause_seconds)

    async def _cancel_jobs(self) -> None:
        """Those that the hostile client left: they would keep the server busy while nobody attacks."""
        async with aiohttp.ClientSession(self._address, headers=bearer(self._enemy), timeout=_PATIENCE) as session:
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
def _program(
    module: str, *arguments: str, pinned: bool = False, niceness: int = 0
) -> Iterator["subprocess.Popen[bytes]"]:
    """``pinned``: to the last processor that this process may use."""
    command = ["nice", "-n", str(niceness), sys.executable, "-m", module, *arguments]
    if pinned:
        command = ["taskset", "-c", str(max(os.sched_getaffinity(0))), *command]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    with process:
        try:
            yield process
        finally:
            process.kill()


def _client(address: str, enemy: str, way: str) -> AbstractContextManager["subprocess.Popen[bytes]"]:
    return _program("tests.end_to_end.hostile_ways", address, enemy, way, pinned=True, niceness=_NICENESS)


def _ended(client: "subprocess.Popen[bytes]") -> Sent:
    client.terminate()
    return Sent(*json.loads(client.communicate()[0]))


def _told(program: "subprocess.Popen[bytes]") -> str:
    """The first line that it prints: its address."""
    assert program.stdout is not None
    return program.stdout.readline().decode().strip()


def _processor_seconds(process: int) -> float:
    """Used so far by a process and its children."""
    folder = Path(f"/proc/{process}")
    fields = (folder / "stat").read_text().rpartition(")")[2].split()
    used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    with suppress(OSError):  # a thread ended meanwhile
        for task in (folder / "task").iterdir():
            used += sum(_processor_seconds(int(child)) for child in (task / "children").read_text().split())
    return used


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--phase-seconds", type=float, default=_PHASE_SECONDS)
    parser.add_argument("--way", choices=sorted(WAYS), action="append")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    missed: list[str] = []
    _say(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
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
                outcome = hostile(Path(folder), way, seconds=seconds, phase_seconds=phase, control=True)
        except Exception:  # noqa: BLE001 - one way that fails must not end the others
            missed.append(f"{way}: not measured\n{traceback.format_exc()}")
        else:
            yield outcome


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
