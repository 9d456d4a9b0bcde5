"""Memory and speed of one long job: a server with an instant judge, and a job of many items.

    python -m benchmarks.job_growth --items 100000 [--json]

prints the growth of the server's resident memory after the first twentieth, and how long the last tenth of the items
took beside the first one after that twentieth (threads, caches and the database are warm by then).
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import httpx

LOOK_SECONDS = 0.5
_RUBRIC = """id: t/growth
version: 1.0.0
title: Growth
criteria:
  - {id: kind, statement: Is kind., points: 1}
  - {id: short, statement: Is short., points: 1}
"""


@dataclass(frozen=True)
class JobGrowth:
    """``growth_mb``: the greatest resident memory less that after the first twentieth. ``tenths``: items a second of
    each tenth; ``last_to_first``: seconds of the last tenth by those of the first, of what follows the twentieth."""

    items: int
    seconds: float
    first_mb: float
    growth_mb: float
    tenths: tuple[float, ...]
    last_to_first: float


def measure(items: int) -> JobGrowth:
    """Run one job to its end."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "rubrics").mkdir()
        (folder / "rubrics" / "growth.yaml").write_text(_RUBRIC)
        judge = stack.enter_context(_program([sys.executable, "-m", "benchmarks.stub_judge", "--port", "0"], folder))
        address = _said(judge.log, r"http://127\.0\.0\.1:\d+")
        given = ["--model", f"openai:stub@{address}/v1", "--rubrics", str(folder / "rubrics"), "--port", "0"]
        server = [
            str(Path(sys.executable).with_name("judge-server")),
            "serve",
            *given,
            "--database",
            f"sqlite:///{folder}/judge.db",
        ]
        serving = stack.enter_context(_program(server, folder))
        url = _said(serving.log, r"Uvicorn running on (http://127\.0\.0\.1:\d+)")
        lines = folder / "items.jsonl"
        with lines.open("w") as stream:
            for number in range(items):
                item = {"prompt": f"Question {number}?", "response": f"This is the kind and short answer {number}."}
                stream.write(json.dumps(item) + "\n")
        with httpx.Client(base_url=url, timeout=300) as client:
            headers = {"Content-Type": "application/jsonl"}
            asked = {"rubric": "t/growth"}
            job = client.post("/v1/jobs", params=asked, content=lines.read_bytes(), headers=headers).raise_for_status()
            return _followed(client, job.json()["id"], items, serving.process.pid)


def _followed(client: httpx.Client, job: str, items: int, pid: int) -> JobGrowth:
    begun = time.monotonic()
    seen = [(0.0, 0, _resident_mb(pid))]
    while seen[-1][1] < items:
        time.sleep(LOOK_SECONDS)
        state = client.get(f"/v1/jobs/{job}").raise_for_status().json()
        seen.append((time.monotonic() - begun, state["ok"] + state["partial"] + state["failed"], _resident_mb(pid)))
    warm = items // 20
    first_mb = next(mb for _, done, mb in seen if done >= warm)
    growth = max(mb for _, done, mb in seen if done >= warm) - first_mb
    marks = [_reached(seen, warm + (items - warm) * tenth / 10) for tenth in range(11)]
    spans = [after - before for before, after in pairwise(marks)]
    rates = tuple(round((items - warm) / 10 / span, 1) for span in spans)
    return JobGrowth(items, round(marks[-1], 1), first_mb, round(growth, 1), rates, round(spans[-1] / spans[0], 3))


def _reached(seen: Sequence[tuple[float, int, float]], items: float) -> float:
    """When so many items were done, between two looks."""
    for (before, less, _), (after, more, _) in pairwise(seen):
        if more >= items:
            return before + (after - before) * (items - less) / max(more - less, 1)
    return seen[-1][0]


def _resident_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1_024  # type: ignore[index]  # every process has the line


@dataclass(frozen=True)
class _Program:
    process: "subprocess.Popen[bytes]"
    log: Path


@contextmanager
def _program(command: Sequence[str], folder: Path) -> Iterator[_Program]:
    log = folder / f"{len(list(folder.iterdir()))}.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream)
    try:
        yield _Program(process, log)
    finally:
        process.terminate()
        process.wait()


def _said(log: Path, pattern: str) -> str:
    give_up = time.monotonic() + 120
    while not (found := re.search(pattern, log.read_text())):
        if time.monotonic() > give_up:
            raise SystemExit(log.read_text())
        time.sleep(0.05)
    return found[found.re.groups]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measure(given.items)
    print(json.dumps(asdict(found)) if given.json else found)


if __name__ == "__main__":
    main()
