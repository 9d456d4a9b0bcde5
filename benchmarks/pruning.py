"""Latency of scoring while old judgments are pruned: python -m benchmarks.pruning [--judgments N] [--database URL].

A database is filled with old judgments (texts of about 600 characters, ten verdicts). Submissions then arrive at a
fixed rate, whether the ones before are answered or not, are judged by the embedded baseline and stored. Two windows
with the pruner follow one without, so that what else the machine does meets both, until everything old is gone. Exit
status 1 if a judgment failed, or the 99th percentile with pruning is above 1.3 times that without. Run nothing beside
it, because the percentiles are those of the machine too. ``--fill`` only fills the database, and ``--filled`` measures
on one that was filled before.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from benchmarks.store_size import VERDICTS, drawn, judged, sentences
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.settings.settings import Settings
from judge_server.store import Store
from judge_server.wiring.service import Service, open_service
from judge_server.workers.pruner import Pruner

MOST_RATIO = 1.3
_AGE = timedelta(days=40)
_DAYS = 30.0
_AT_ONCE = 500
_OF, _FEWEST, _TOLD = 3, 6, 12  # windows: one quiet of so many, at least, between two lines of progress


@dataclass
class Latencies:
    """Seconds of each judgment, by whether the pruner ran when it was asked for. ``failed``: without a reward."""

    quiet: list[float] = field(default_factory=list)
    pruning: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def ratio(self) -> float:
        return percentile(self.pruning, 0.99) / percentile(self.quiet, 0.99)

    @property
    def table(self) -> str:
        rows = [f"{'':10}{'judgments':>10}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}"]
        for name, seconds in (("quiet", self.quiet), ("pruning", self.pruning)):
            shown = "".join(f"{1e3 * percentile(seconds, share):9.1f}" for share in (0.5, 0.95, 0.99))
            rows.append(f"{name:10}{len(seconds):10}{shown}")
        return "\n".join([*rows, f"p99 with pruning / without: {self.ratio:.2f}, failed: {self.failed}"])


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else float("nan")


def rubric() -> Rubric:
    criteria = [{"id": f"names_sign_{n}", "statement": f"Says thing {n}.", "points": 1} for n in range(VERDICTS)]
    return Rubric.model_validate({"id": "bench/prune", "version": "1.0.0", "title": "Bench", "criteria": criteria})


async def fill(store: Store, count: int) -> None:
    """Judgments of a run that are older than the retention."""
    chance, known, of = random.Random(2), sentences(), rubric()
    begin = datetime.now(UTC) - _AGE
    for start in range(0, count, _AT_ONCE):
        saved = []
        for number in range(start, min(start + _AT_ONCE, count)):
            given = Submission(prompt=drawn(chance, known, 200), response=drawn(chance, known, 400), run="old")
            made = judged(chance, of, given, number)
            saved.append((made.model_copy(update={"created_at": begin + timedelta(milliseconds=number)}), given, of))
        await store.save_many(saved)


async def filled(store: Store, count: int) -> None:
    began = time.monotonic()
    await fill(store, count)
    print(f"{count} old judgments in {time.monotonic() - began:.0f} s", file=sys.stderr)


async def fill_only(url: str, count: int) -> None:
    store = await Store.open(url)
    await filled(store, count)
    await store.close()


async def measured(service: Service, rate: float, window_seconds: float) -> Latencies:
    """Score at ``rate`` a second in windows until nothing old is left."""
    found, running, of, number, windows = Latencies(), set[asyncio.Task[None]](), rubric(), 0, 0

    pruner = Pruner(service.store, {"training": _DAYS}, _DAYS, seconds=0.01)

    async def one(into: list[float], text: str) -> None:
        asked = time.monotonic()
        judgment = await service.scorer.score(
            Submission(rubric=of, prompt="Why does it rain?", response=text, run="new")
        )
        into.append(time.monotonic() - asked)
        found.failed += judgment.reward is None

    while windows < _FEWEST or (still := await left(service.store)):
        if windows >= _FEWEST and windows % _TOLD == 0:
            print(f"{still} old judgments left after {windows * window_seconds:.0f} s", file=sys.stderr)
        into = found.pruning if windows % _OF else found.quiet
        if windows % _OF:
            pruner.start()
        due, end = time.monotonic(), time.monotonic() + window_seconds
        while due < end:
            await asyncio.sleep(max(due - time.monotonic(), 0))
            number, due = number + 1, due + 1 / rate
            task = asyncio.create_task(one(into, f"Rain number {number} falls because warm air rises and cools."))
            running.add(task)
            task.add_done_callback(running.discard)
        await pruner.close()
        await asyncio.gather(*running)
        windows += 1
    return found


async def left(store: Store) -> int:
    return (await store.erasures.prunable("training", datetime.now(UTC) - timedelta(days=_DAYS))).judgments


async def bench(url: str, count: int, rate: float, window_seconds: float) -> Latencies:
    """``count``: judgments to fill the database with; 0 if it is filled."""
    settings = Settings(database_url=url, canary="off", reask=0.0)
    async with open_service(settings) as service:
        if count:
            await filled(service.store, count)
        print(f"{await left(service.store)} old judgments", file=sys.stderr)
        found = await measured(service, rate, window_seconds)
        assert not await left(service.store)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judgments", type=int, default=200_000)
    parser.add_argument("--database", help="an empty one, such as postgresql://…; a SQLite file by default")
    parser.add_argument("--rate", type=float, default=50.0, help="submissions a second")
    parser.add_argument("--window", type=float, default=5.0, help="seconds with and without pruning")
    parser.add_argument("--fill", action="store_true", help="only fill --database")
    parser.add_argument("--filled", action="store_true", help="--database was filled before")
    given = parser.parse_args()
    if (given.fill or given.filled) and not given.database:
        parser.error("name the --database")
    if given.fill:
        asyncio.run(fill_only(given.database, given.judgments))
        return
    with tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite:///{folder}/judge.db"
        found = asyncio.run(bench(url, 0 if given.filled else given.judgments, given.rate, given.window))
    print(found.table)
    sys.exit(found.failed > 0 or found.ratio > MOST_RATIO)


if __name__ == "__main__":
    main()
