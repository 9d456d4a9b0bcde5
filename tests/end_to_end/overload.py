"""Many times more is asked than the judge can answer, and nobody waits for answers before asking again.

    python -m tests.end_to_end.overload --seconds 60 --times 10

A real server process, a real judge of fixed capacity on the loopback, and callers with API keys of their own: one asks
for most of it, another for much, and the modest one for less than its share. Every status is counted, and the server's
memory is looked at all the while.
"""

import argparse
import asyncio
import heapq
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.command import PROGRAM, Server
from tests.models.openai_model import is_probe
from tests.server.keys import bearer, key_of
from tests.stub_judge import Reply, StubJudge, faithful, labels
from tests.submissions import rubric, submission

WORKERS, WORK_SECONDS, QUESTIONS = 8, 0.2, 2
CAPACITY = WORKERS / WORK_SECONDS / QUESTIONS  # submissions a second
DEADLINE_SECONDS = 10.0
MODEST = 0.1  # of the capacity, where a third would be its share
SHARES = {"flood": 0.8, "second": 0.2}  # of what is asked beside the modest caller


class Judge:
    """Answers with as many workers as it has, and lets everything else wait."""

    def __init__(self) -> None:
        self._free_at = [0.0] * WORKERS
        self._lock = threading.Lock()

    def answer(self, body: dict[str, Any]) -> Reply:
        if is_probe(body):
            return faithful()(body)
        now = time.monotonic()
        with self._lock:
            done = max(now, heapq.heappop(self._free_at)) + WORK_SECONDS
            heapq.heappush(self._free_at, done)
        return Reply(body=labels(Yes=0.9, No=0.1).body, delay_seconds=done - now)


@dataclass
class Tally:
    """Of one caller: answers by status, seconds of the accepted ones, and what the refused ones were told to wait."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    told: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """``mebibytes``: the server's resident memory before, at most, and at the end."""

    asked: int
    seconds: float
    tallies: dict[str, Tally]
    mebibytes: tuple[float, float, float]

    @property
    def statuses(self) -> Counter[int]:
        return sum((tally.statuses for tally in self.tallies.values()), Counter())

    def percentile(self, share: float) -> float:
        """Of the seconds of all accepted answers."""
        taken = sorted(second for tally in self.tallies.values() for second in tally.seconds)
        return taken[min(int(len(taken) * share), len(taken) - 1)]

    @property
    def growth(self) -> float:
        return self.mebibytes[1] - self.mebibytes[0]

    def accepted_share(self, caller: str) -> float:
        statuses = self.tallies[caller].statuses
        return statuses[200] / max(statuses.total(), 1)

    def lines(self) -> list[str]:
        told = [wait for tally in self.tallies.values() for wait in tally.told]
        rate, judged = self.asked / self.seconds, self.statuses[200] / self.seconds
        shares = [
            f"{name}: {self.accepted_share(name):.1%} of {tally.statuses.total()} accepted, "
            f"p50 {statistics.median(tally.seconds or [0.0]):.2f} s"
            for name, tally in self.tallies.items()
        ]
        return [
            f"asked {self.asked} times in {self.seconds:.0f} s: {rate / CAPACITY:.1f} times what the judge can answer",
            f"answered {dict(sorted(self.statuses.items()))}: {judged:.1f} accepted a second, of {CAPACITY:.0f}",
            f"accepted: p50 {self.percentile(0.5):.2f} s, p99 {self.percentile(0.99):.2f} s of {DEADLINE_SECONDS:g} s",
            *shares,
            f"refused: told to wait {statistics.median(told or [0.0]):.1f} s (median)",
            "memory: {:.0f} MiB before, {:.0f} at most, {:.0f} at the end".format(*self.mebibytes),
        ]


def overload(folder: Path, *, seconds: float, times: float) -> Outcome:
    """``times`` the judge's capacity for so many seconds, and then until everything is answered."""
    keys = {name: key_of(name, "score") for name in (*SHARES, "modest")}
    rates = {name: share * CAPACITY * (times - MODEST) for name, share in SHARES.items()} | {
        "modest": MODEST * CAPACITY
    }
    with StubJudge(Judge().answer) as stub:
        server = start(stub.specification, folder, {name: key for name, (_, key) in keys.items()})
        try:
            memory = Memory(server.process.pid)
            asking = _ask_all(server.address, {name: text for name, (text, _) in keys.items()}, rates, seconds)
            asyncio.run(_warm(server.address, keys["modest"][0]))
            with memory:
                tallies = asyncio.run(asking)
        finally:
            server.stop()
    asked = sum(tally.statuses.total() for tally in tallies.values())
    return Outcome(asked, seconds, tallies, (memory.before, memory.most, memory.now))


def start(model: str, folder: Path, keys: dict[str, Any]) -> Server:
    listed = {name: key.model_dump(mode="json", exclude_none=True) for name, key in keys.items()}
    environment = {
        "JUDGE_SERVER_API_KEYS": json.dumps(listed),
        "JUDGE_SERVER_DRAIN_SECONDS": "1",
        "JUDGE_SERVER_ACCESS_LOG": "off",
    }
    command = [PROGRAM, "serve", "--port", "0", "--auth", "--model", model, "--engine", "max_in_flight=16"]
    command += ["--database", f"sqlite:///{folder / 'judge.db'}"]
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    server = Server(process)
    server.wait_until_it_listens(60)
    return server


class Memory:
    """The resident memory of a process, in MiB, looked at ten times a second inside the block."""

    def __init__(self, pid: int) -> None:
        self._status = Path(f"/proc/{pid}/status")
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)
        self.before = self.most = self.now = 0.0

    def __enter__(self) -> None:
        self.before = self.most = self._read()
        self._looking.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._looking.join()
        self.now = self._read()

    def _look(self) -> None:
        while not self._over.wait(0.1):
            self.most = max(self.most, self._read())

    def _read(self) -> float:
        (line,) = [line for line in self._status.read_text().splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1_024


def _submission(name: str) -> dict[str, Any]:
    response = f"Answer {name}: " + "call the emergency number, note the time, and do not drive. " * 20
    return submission(response=response, rubric=rubric(*[1] * QUESTIONS), deadline_seconds=DEADLINE_SECONDS)


async def _warm(address: str, key: str) -> None:
    """What a process loads once is no growth."""
    async with aiohttp.ClientSession(address, headers=bearer(key)) as session:
        for number in range(10):
            async with session.post("/v1/score", json=_submission(f"warm {number}")) as answer:
                assert answer.status == 200, await answer.text()


async def _ask_all(address: str, keys: dict[str, str], rates: dict[str, float], seconds: float) -> dict[str, Tally]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(address, connector=connector, timeout=aiohttp.ClientTimeout(120)) as session:
        tallies = await asyncio.gather(
            *(_ask_on(session, bearer(keys[name]), name, rate, seconds) for name, rate in rates.items())
        )
    return dict(zip(rates, tallies, strict=True))


async def _ask_on(
    session: aiohttp.ClientSession, headers: dict[str, str], name: str, rate: float, seconds: float
) -> Tally:
    """``rate`` a second, by the clock and not by the answers."""
    tally, started = Tally(), time.monotonic()
    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(started + number / rate - time.monotonic(), 0))
            group.create_task(_ask(session, headers, _submission(f"{name} {number}"), tally))
    return tally


async def _ask(session: aiohttp.ClientSession, headers: dict[str, str], body: dict[str, Any], tally: Tally) -> None:
    started = time.monotonic()
    async with session.post("/v1/score", json=body, headers=headers) as answer:
        content = await answer.json(content_type=None)
    late = answer.status == 200 and content["reward"] is None and content["error"]["type"] == "timeout"
    tally.statuses[504 if late else answer.status] += 1  # half a judgment that came too late is too late
    if answer.status == 200 and not late:
        assert content["reward"] is not None, content
        tally.seconds.append(time.monotonic() - started)
    elif answer.status in (429, 503):
        tally.told.append(float(answer.headers["retry-after"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--times", type=float, default=10.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = overload(Path(folder), seconds=asked.seconds, times=asked.times)
    sys.stdout.write("\n".join(outcome.lines()) + "\n")


if __name__ == "__main__":
    main()
