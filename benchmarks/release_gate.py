"""Whether scoring costs more than at an earlier commit: ``make bench-gate`` (BASE=commit, else the last tag).

    python -m benchmarks.release_gate [--base COMMIT] [--bound 0.9] [--rounds 5] [--items 480]

Both versions serve at the same time, with the packages of this environment, ask the same instant judge the same
questions, and take turns: base, this, this, base. The exit status is 1 if the processor time of a verdict at the base,
divided by that of this version, is below the bound (median of the rounds), and 2 if nothing could be compared.
Processor time, because the verdicts per second, which are printed too, depend on what else the machine does.
"""

import argparse
import io
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.throughput import Figures, measure, server, stub

ROOT = Path(__file__).resolve().parents[1]
ENOUGH, DEARER, NOT_COMPARED = 0, 1, 2


class Ratio(NamedTuple):
    """The median of the rounds, and their lowest and highest: an interval of the median that holds for any
    distribution, at 1 - 2 ** (1 - rounds)."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, rounds: Sequence[float]) -> "Ratio":
        return cls(statistics.median(rounds), min(rounds), max(rounds))

    def __str__(self) -> str:
        return f"{self.median:.3f} ({self.low:.3f} to {self.high:.3f})"


class Comparison(NamedTuple):
    """base / this for processor time, and this / base for verdicts per second: above 1, this version is better."""

    processor_time: Ratio
    throughput: Ratio


def compared(base: Sequence[Figures], this: Sequence[Figures]) -> Comparison:
    """Round by round, so that what disturbs the machine for a while disturbs both sides of a ratio. Raises ValueError
    if there is no round."""
    if not base or len(base) != len(this):
        raise ValueError("both versions need the same rounds, and one at least")
    pairs = list(zip(base, this, strict=True))
    return Comparison(
        Ratio.of([old["cpu_milliseconds"] / new["cpu_milliseconds"] for old, new in pairs]),
        Ratio.of([new["verdicts_per_second"] / old["verdicts_per_second"] for old, new in pairs]),
    )


def status(found: Comparison, bound: float) -> int:
    return ENOUGH if found.processor_time.median >= bound else DEARER


def last_tag() -> str | None:
    told = subprocess.run(
        ["git", "describe", "--tags", "--abbrev=0"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or None


@contextmanager
def checkout(commit: str) -> Iterator[Path]:
    """The files of a commit in a temporary folder. Raises SystemExit for a commit that does not exist."""
    packed = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=False)
    if packed.returncode:
        print(f"{commit} is no commit here: {packed.stderr.decode().strip()}", file=sys.stderr)
        raise SystemExit(NOT_COMPARED)
    with tempfile.TemporaryDirectory(prefix="judge-server-base-") as folder:
        with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def measured(commit: str, rounds: int, items: int) -> tuple[list[Figures], list[Figures]]:
    """The figures of each round at the base and here."""
    taken: dict[Path, list[Figures]] = {}
    with ExitStack() as stack:
        folder = stack.enter_context(checkout(commit))
        judge = stack.enter_context(stub())
        servers = {code: stack.enter_context(server(f"openai:stub@{judge}", code)) for code in (folder, ROOT)}
        for number in range(-1, rounds):  # the first round warms up
            order = (folder, ROOT) if number % 2 else (ROOT, folder)
            for code in order:
                url, process = servers[code]
                words = ["-m", "benchmarks.contenders.served", url, str(process), str(items)]
                figures = measure([sys.executable, *words, f"{time.time_ns()}-{number}"])
                if number >= 0:
                    taken.setdefault(code, []).append(figures)
    return taken[folder], taken[ROOT]


def main() -> None:
    parser = argparse.ArgumentParser(description="Whether scoring costs more than at an earlier commit.")
    parser.add_argument("--base", help="a commit; the last tag if it is not given")
    parser.add_argument("--bound", type=float, default=0.9)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--items", type=int, default=480)
    given = parser.parse_args()
    commit = given.base or last_tag()
    if commit is None:
        print("No release is tagged: name the commit to compare with (make bench-gate BASE=...).", file=sys.stderr)
        raise SystemExit(NOT_COMPARED)
    base, this = measured(commit, given.rounds, given.items)
    found = compared(base, this)
    for name, figures in ((commit, base), ("this", this)):
        cost = statistics.median(one["cpu_milliseconds"] for one in figures)
        rate = statistics.median(one["verdicts_per_second"] for one in figures)
        print(f"{name:>12}  {cost:.3f} ms of processor time a verdict, {rate:,.0f} verdicts/s")
    print(f"processor time {found.processor_time}, the bound {given.bound}; throughput {found.throughput}")
    print(f"{given.rounds} rounds: in parentheses the {1 - 2 ** (1 - given.rounds):.1%} interval of the median")
    raise SystemExit(status(found, given.bound))


if __name__ == "__main__":
    main()
