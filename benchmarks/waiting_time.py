"""How long one submission takes that is alone on the server, with a judge that answers at once.

    python -m benchmarks.waiting_time [--submissions 400] [--rounds 3] [--json]

One connection sends a submission of 12 criteria after the other to `/v1/score`, judgments stored. Every way of asking
the judge has a server of its own, and they take turns. Run it on a machine that does nothing else.
"""

import argparse
import json
import statistics
import sys
import time
import urllib.parse
from http.client import HTTPConnection

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.contenders.served import rubric
from benchmarks.throughput import server, stub
from benchmarks.workload import items

_WARM = 40
Milliseconds = list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description="The time that one submission takes alone.")
    parser.add_argument("--submissions", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with (
        stub() as judge,
        stub("--lists") as listing,
        server(f"openai:stub@{judge}") as (chat, _),
        server(f"openai:stub@{listing}") as (lists, _),
        server(f"decide:stub@{judge}") as (decisions, _),
    ):
        ways = {"chat completions": chat, "lists of prompts": lists, "decision model": decisions}
        taken: dict[str, Milliseconds] = {name: [] for name in ways}
        for number in range(arguments.rounds):
            for name, url in ways.items():
                mark = f"{time.time_ns()}-{number}"
                _score(url, _WARM, f"warm{mark}")
                taken[name] += _score(url, arguments.submissions, mark)
    figures = {name: _figures(times) for name, times in taken.items()}
    if arguments.json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    table = Table("way of asking", "p50 ms", "p90 ms", "p99 ms", "submissions")
    for name, one in figures.items():
        table.add_row(name, *(f"{one[part]:.2f}" for part in ("p50", "p90", "p99")), f"{one['count']:.0f}")
    Console(width=100).print(table)


def _score(url: str, count: int, mark: str) -> Milliseconds:
    """Milliseconds of each request, from its first byte to the last of its answer."""
    parts = urllib.parse.urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    times = []
    for item in items(count, mark):
        body = orjson.dumps({"rubric": rubric(), "prompt": item.prompt, "response": item.response})
        began = time.perf_counter()
        connection.request("POST", "/v1/score", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        times.append(1_000 * (time.perf_counter() - began))
        if answer.status != 200:
            raise SystemExit(content.decode()[:2_000])
    connection.close()
    return times


def _figures(times: Milliseconds) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100)
    return {"p50": cuts[49], "p90": cuts[89], "p99": cuts[98], "count": float(len(times))}


if __name__ == "__main__":
    main()
