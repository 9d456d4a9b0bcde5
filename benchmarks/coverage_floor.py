"""How much of each room its own tests run, and whether that fell: ``make coverage`` (ROOMS="core util" picks).

    python -m benchmarks.coverage_floor [ROOM ...] [--workers N]

A room's tests are the folder (or file) of its name in ``tests/``, but engines, long runs and PostgreSQL, whose tests
run the same code as SQLite's. Only they count for it, so that code is tested in its place and not by chance on the way
to something else. Lines and branches count; what another process runs does not.
The exit status is 1 if a room is below its floor (``benchmarks/coverage_floors.toml``) or a test fails.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
FLOORS = Path(__file__).with_name("coverage_floors.toml")
SKIPPED = "not engine and not trainers and not long and not longest and not real_model and not postgres"


class Room(NamedTuple):
    """``covered``: per cent of lines and branches; ``passed``: whether the tests did."""

    name: str
    covered: float
    missing: int
    passed: bool


def floors() -> Mapping[str, float]:
    read: dict[str, float] = tomllib.loads(FLOORS.read_text("utf-8"))["floors"]
    return read


def faults(rooms: list[Room], floor: Mapping[str, float]) -> Iterator[str]:
    """What is wrong; nothing if every room stands at its floor or above."""
    for room in rooms:
        if not room.passed:
            yield f"{room.name}: its tests fail"
        elif room.name not in floor:
            yield f"{room.name}: it has no floor"
        elif room.covered < floor[room.name]:
            yield f"{room.name}: {room.covered:.1f} % is below its floor of {floor[room.name]:.1f} %"


def place_of(name: str) -> Path:
    folder = ROOT / "tests" / name
    return folder if folder.is_dir() else ROOT / "tests" / f"test_{name}.py"


def measured(name: str, workers: str) -> Room:
    with tempfile.TemporaryDirectory(prefix="judge-coverage-") as folder:
        report = Path(folder) / "report.json"
        words = ["-q", "-p", "no:cacheprovider", "-m", SKIPPED, "-n", workers, "--dist", "loadfile"]
        sources = [f"--cov=judge_server/{name}", "--cov-branch", f"--cov-report=json:{report}"]
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *words, *sources, str(place_of(name))],
            cwd=ROOT,
            env=_environment(folder),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            print(done.stdout[-3_000:] + done.stderr[-1_000:], file=sys.stderr)
        totals = json.loads(report.read_text("utf-8"))["totals"] if report.is_file() else {}
    return Room(name, totals.get("percent_covered", 0.0), totals.get("missing_lines", 0), done.returncode == 0)


def _environment(folder: str) -> dict[str, str]:
    return os.environ | {"COVERAGE_FILE": str(Path(folder) / "data")}


def main() -> None:
    parser = argparse.ArgumentParser(description="How much of each room its own tests run.")
    parser.add_argument("rooms", nargs="*", default=list(floors()))
    parser.add_argument("--workers", default="auto")
    given = parser.parse_args()
    rooms: list[Room] = []
    for name in given.rooms:
        rooms.append(measured(name, given.workers))
        last = rooms[-1]
        print(f"{name:12} {last.covered:5.1f} %  {last.missing:4} lines missed", flush=True)
    wrong = list(faults(rooms, floors()))
    print("\n".join(wrong) or f"{len(rooms)} rooms are at their floor or above it")
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    main()
