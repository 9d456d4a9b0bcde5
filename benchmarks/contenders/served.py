"""This project over HTTP: POST /v1/score/batch against a running server, judgments stored; the server's CPU is counted.

python -m benchmarks.contenders.served URL SERVER_PID ITEMS MARK
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from benchmarks.workload import Item, items, statements

BATCH = 32
IN_FLIGHT = 4


def rubric() -> dict[str, Any]:
    criteria = [{"id": f"c{number}", "statement": text} for number, text in enumerate(statements())]
    return {"id": "bench/headache", "version": "1.0.0", "title": "Headache", "criteria": criteria}


async def main(url: str, pid: int, count: int, mark: str) -> None:
    limit = asyncio.Semaphore(IN_FLIGHT)
    async with aiohttp.ClientSession(url) as session:

        async def post(batch: list[Item], step: int = 0) -> int:
            place = {"run": f"bench-{mark}", "step": step}  # as a training sends them
            body = {
                "rubric": rubric(),
                "items": [{"prompt": item.prompt, "response": item.response} | place for item in batch],
                "deadline_seconds": 120,
            }
            async with limit, session.post("/v1/score/batch", data=orjson.dumps(body), headers=_JSON) as response:
                answer = orjson.loads(await response.read())
            assert response.status == 200, answer
            assert all(reward is not None for reward in answer["rewards"]), answer["results"][0]
            return sum(len(result["verdicts"]) for result in answer["results"])

        await post(list(items(8, f"warm{mark}")))
        wall, cpu = time.perf_counter(), cpu_seconds(pid)
        work = list(items(count, mark))
        verdicts = sum(
            await asyncio.gather(*(post(work[at : at + BATCH], at // BATCH) for at in range(0, count, BATCH)))
        )
        seconds, used = time.perf_counter() - wall, cpu_seconds(pid) - cpu
    print(json.dumps({"verdicts": verdicts, "seconds": seconds, "cpu_seconds": used}))


_JSON = {"content-type": "application/json"}


def cpu_seconds(pid: int) -> float:
    """User and system time so far of a process with its threads, and of those that it started, such as the one that
    reads long texts for a server."""
    return sum(map(_ticks, family(pid))) / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    parents: dict[int, int] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(status.parent.name)] = int(status.read_text("utf-8").rsplit(")", 1)[1].split()[1])
        except OSError:
            continue  # it has ended
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def _ticks(pid: int) -> int:
    """With those of the children that ended."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    return sum(map(int, fields[11:15]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
