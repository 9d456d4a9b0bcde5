"""How long one submission takes that is alone on the server, with a judge that answers at once.

    python -m benchmarks.waiting_time [--submissions 400] [--rounds 3] [--base COMMIT] [--json]

One connection sends a submission of 12 criteria after the other to `/v1/score`, judgments stored. Every way of asking
the judge has a server of its own, and they take turns. What the server adds is that time less the median of what the
judge itself takes for the same questions, asked directly over one connection in the same rounds. With ``--base`` that
commit serves and takes turns too. Run it on a machine that does nothing else.
"""

import argparse
import json
import socket
import statistics
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack
from http.client import HTTPConnection

import orjson
from rich.console import Console
from rich.table import Table

from benchmarks.contenders.served import rubric
from benchmarks.release_gate import checkout
from benchmarks.throughput import server, stub
from benchmarks.workload import CRITERIA, Item, items, statements

_WARM = 40
Milliseconds = list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description="The time that one submission takes alone.")
    parser.add_argument("--submissions", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--base", help="a commit to compare with")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        judge, listing = stack.enter_context(stub()), stack.enter_context(stub("--lists"))
        ways = {
            "chat completions": (judge, f"openai:stub@{judge}"),
            "lists of prompts": (listing, f"openai:stub@{listing}"),
            "decision model": (judge, f"decide:stub@{judge}"),
        }
        served = {name: stack.enter_context(server(model))[0] for name, (_, model) in ways.items()}
        if arguments.base:
            code = stack.enter_context(checkout(arguments.base))
            based = {f"{name}, {arguments.base}": model for name, (_, model) in ways.items()}
            served |= {name: stack.enter_context(server(model, code))[0] for name, model in based.items()}
        taken: dict[str, Milliseconds] = {name: [] for name in served}
        direct: dict[str, Milliseconds] = {name: [] for name in ways}
        for number in range(arguments.rounds):
            for name, url in served.items():
                mark = f"{time.time_ns()}-{number}"
                _score(url, _WARM, f"warm{mark}")
                taken[name] += _score(url, arguments.submissions, mark)
            for name, (url, _) in ways.items():
                direct[name] += _asked_directly(url, name, arguments.submissions)
    itself = {name: statistics.median(direct[name.partition(",")[0]]) for name in taken}
    figures = {name: _figures(times, itself[name]) for name, times in taken.items()}
    if arguments.json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return
    table = Table("way of asking", "p50 ms", "p90 ms", "p99 ms", "the judge", "p50 added", "p99 added", "submissions")
    for name, one in figures.items():
        parts = ("p50", "p90", "p99", "judge", "p50_added", "p99_added")
        table.add_row(name, *(f"{one[part]:.2f}" for part in parts), f"{one['count']:.0f}")
    Console(width=110).print(table)


def _asked_directly(url: str, way: str, count: int) -> Milliseconds:
    """Milliseconds until the judge has answered the questions of one submission; several requests go at once."""
    parts = urllib.parse.urlsplit(url)
    requests = {"chat completions": _chat, "lists of prompts": _lists, "decision model": _typed}[way]
    times = []
    with socket.create_connection((parts.hostname or "", parts.port or 80)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for item in items(count, f"{time.time_ns()}"):
            whole = b"".join(_request(path, body) for path, body in requests(item))
            began = time.perf_counter()
            connection.sendall(whole)
            _read_answers(connection, CRITERIA if way == "chat completions" else 1)
            times.append(1_000 * (time.perf_counter() - began))
    return times


def _chat(item: Item) -> Iterator[tuple[str, object]]:
    for asked in statements():
        yield (
            "/v1/chat/completions",
            {"messages": [{"role": "user", "content": f"{item.prompt}{item.response}{asked}"}]},
        )


def _lists(item: Item) -> Iterator[tuple[str, object]]:
    words = len(f"{item.prompt}{item.response}".split())
    yield "/v1/completions", {"prompt": [list(range(words)) for _ in range(CRITERIA)]}


def _typed(item: Item) -> Iterator[tuple[str, object]]:
    asked = {f"q{place}": {"type": "noul", "instructions": text} for place, text in enumerate(statements())}
    yield "/v1/systemone", {"state": {"conversation": item.prompt, "response": item.response}, "questions": asked}


def _request(path: str, body: object) -> bytes:
    content = orjson.dumps(body)
    return f"POST {path} HTTP/1.1\r\nHost: judge\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content


def _read_answers(connection: socket.socket, count: int) -> None:
    """Read so many whole answers."""
    got = b""
    while count:
        head, found, rest = got.partition(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]) if found else 0
        if found and len(rest) >= size:
            got, count = rest[size:], count - 1
            continue
        more = connection.recv(65_536)
        if not more:
            raise SystemExit("the judge closed the connection")
        got += more


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


def _figures(times: Milliseconds, judge: float) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=100)
    added = {"judge": judge, "p50_added": cuts[49] - judge, "p99_added": cuts[98] - judge}
    return {"p50": cuts[49], "p90": cuts[89], "p99": cuts[98], **added, "count": float(len(times))}


if __name__ == "__main__":
    main()
