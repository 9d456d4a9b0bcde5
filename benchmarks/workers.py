"""What a second worker brings: ``serve --workers 2`` beside ``--workers 1``.

    python -m benchmarks.workers [--rounds 5] [--items 960] [--model decide|openai] [--database URL] [--json]

Both serve at once and take turns with the same work: batches of 32 submissions of 12 criteria, nothing seen twice, an
instant judge. Client and judge run on the first processor; the one worker is pinned to the second, the two to both.

A machine with two processors cannot show twice the verdicts a second, because client and judge take one of them. So the
ratio counts processor time: what one worker spends on a verdict, by what two spend together, times two. That is the
speed of two workers, each with a processor of its own. The verdicts a second are printed too. ``--database``: with
``{workers}`` where the number of workers stands, so that each server has a database of its own; SQLite without it.
"""

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.contenders.served import BATCH, cpu_seconds, family, rubric
from benchmarks.throughput import server, stub
from benchmarks.workload import CRITERIA, Item, items

IN_FLIGHT = 8
_JSON = {"content-type": "application/json"}


class Round(NamedTuple):
    """``milliseconds``: of processor time of all processes of the server, for one verdict."""

    verdicts_per_second: float
    milliseconds: float


def pin(pid: int, processors: set[int]) -> None:
    """All threads of all its processes."""
    for one in family(pid):
        for thread in Path(f"/proc/{one}/task").iterdir():
            os.sched_setaffinity(int(thread.name), processors)


async def measure(url: str, pid: int, count: int, mark: str) -> Round:
    limit = asyncio.Semaphore(IN_FLIGHT)

    async def post(batch: list[Item]) -> None:
        # a connection for each: the kernel gives each to one of the workers
        body = {
            "rubric": rubric(),
            "items": [{"prompt": item.prompt, "response": item.response} for item in batch],
            "deadline_seconds": 300,
        }
        connector = aiohttp.TCPConnector(force_close=True)
        async with (
            limit,
            aiohttp.ClientSession(url, connector=connector) as session,
            session.post("/v1/score/batch", data=orjson.dumps(body), headers=_JSON) as answer,
        ):
            told: dict[str, Any] = orjson.loads(await answer.read())
        if answer.status != 200 or None in told["rewards"]:
            raise SystemExit(f"{answer.status}: {json.dumps(told)[:1_000]}")

    work = list(items(count, mark))
    batches = [work[start : start + BATCH] for start in range(0, count, BATCH)]
    used, began = cpu_seconds(pid), time.perf_counter()
    await asyncio.gather(*map(post, batches))
    seconds, used = time.perf_counter() - began, cpu_seconds(pid) - used
    return Round(CRITERIA * count / seconds, 1_000 * used / (CRITERIA * count))


async def main() -> None:
    parser = argparse.ArgumentParser(description="Two workers beside one.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--items", type=int, default=960)
    parser.add_argument("--model", choices=("decide", "openai"), default="decide")
    parser.add_argument("--database")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    processors = sorted(os.sched_getaffinity(0))
    taken: dict[int, list[Round]] = {1: [], 2: []}
    with ExitStack() as stack:
        judge = stack.enter_context(stub())
        servers = {}
        for workers in taken:
            own = ["--database", given.database.format(workers=workers)] if given.database else []
            options = ["--workers", str(workers), *own]
            model = f"{given.model}:stub@{judge}"
            servers[workers] = stack.enter_context(server(model, options=options, start_seconds=300.0))
        pin(os.getpid(), {processors[0]})  # the judge too
        pin(servers[1][1], {processors[-1]})
        pin(servers[2][1], set(processors[:2]))
        for number in range(-1, given.rounds):  # the first round warms up
            for workers, (url, pid) in servers.items():
                found = await measure(url, pid, given.items, f"{time.time_ns()}")
                if number >= 0:
                    taken[workers].append(found)
    ratios = [2 * one.milliseconds / two.milliseconds for one, two in zip(taken[1], taken[2], strict=True)]
    if given.json:
        sys.stdout.write(json.dumps({"rounds": taken, "ratios": ratios}) + "\n")
        return
    table = Table("workers", "verdicts/s, median", "processor ms a verdict, median")
    for workers, rounds in taken.items():
        middle = [statistics.median(column) for column in zip(*rounds, strict=True)]
        table.add_row(str(workers), f"{middle[0]:,.0f}", f"{middle[1]:.3f}")
    console = Console(width=100)
    console.print(table)
    told = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    console.print(f"two workers with a processor each, beside one: {statistics.median(ratios):.2f} times ({told})")


if __name__ == "__main__":
    asyncio.run(main())
