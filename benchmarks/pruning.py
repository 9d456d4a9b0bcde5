"""Latency of scoring while old judgments are pruned.

python -m benchmarks.pruning [--judgments N] [--postgres | --database URL]

A database is filled with old judgments of a training: texts of about 600 characters, ten verdicts, eight responses to a
prompt, steps of 512. Submissions then arrive independently of each other, whether the ones before are answered or not,
are judged by the embedded baseline and stored. In each round one window without the pruner and two with it follow in
random order, so that what else the machine does meets both, until everything old is gone or ``--most-seconds`` are
over. Whatever is left is then pruned while nothing is scored. The ratio of the 99th percentiles has an interval of 95 %
from rounds drawn again. Exit status 1 if a judgment failed, the ratio is above 1.3, or the pruner was slower than
``--least`` a second. Run nothing beside it, because the percentiles are those of the machine too. ``--fill`` only fills
the database, and ``--filled`` measures on one that was filled before. ``--postgres`` starts a server of its own from
the installed programs, with fsync, and throws it away at the end.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.store_size import VERDICTS, drawn, judged, sentences
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.server.lock_turns import SHORT_SECONDS
from judge_server.settings.settings import Settings
from judge_server.store import Store
from judge_server.util.memory import settle
from judge_server.wiring.service import Service, open_service
from judge_server.workers.pruner import Pruner
from tests.postgres import DURABLE, cluster

MOST_RATIO = 1.3
_AGE = timedelta(days=40)
_DAYS = 30.0
_AT_ONCE = 500
_IN_GROUP, _IN_STEP = 8, 512
_ROUND = (False, True, True)  # whether the pruner runs
_FEWEST, _TOLD = 2, 6  # rounds: at least, between two lines of progress


@dataclass
class Round:
    """Seconds of each judgment, by whether the pruner ran when it was asked for."""

    quiet: list[float] = field(default_factory=list)
    pruning: list[float] = field(default_factory=list)


@dataclass
class Latencies:
    """``failed``: judgments without a reward. ``removed``: judgments in ``pruned_seconds`` beside scoring;
    ``removed_idle``: afterwards, in ``idle_seconds`` beside nothing."""

    rounds: list[Round] = field(default_factory=list)
    failed: int = 0
    removed: int = 0
    pruned_seconds: float = 0.0
    removed_idle: int = 0
    idle_seconds: float = 0.0

    @property
    def speed(self) -> float:
        """Judgments removed a second beside scoring."""
        return self.removed / self.pruned_seconds

    @property
    def quiet(self) -> list[float]:
        return [one for each in self.rounds for one in each.quiet]

    @property
    def pruning(self) -> list[float]:
        return [one for each in self.rounds for one in each.pruning]

    @property
    def ratio(self) -> float:
        return percentile(self.pruning, 0.99) / percentile(self.quiet, 0.99)

    def interval(self, draws: int = 1_000) -> tuple[float, float]:
        """Of the ratio, 95 %: percentile bootstrap over rounds (Efron 1979)."""
        chance = random.Random(1)
        drawn_again = [Latencies(chance.choices(self.rounds, k=len(self.rounds))).ratio for _ in range(draws)]
        return percentile(drawn_again, 0.025), percentile(drawn_again, 0.975)

    @property
    def table(self) -> str:
        rows = [f"{'':10}{'judgments':>10}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}"]
        for name, seconds in (("quiet", self.quiet), ("pruning", self.pruning)):
            shown = "".join(f"{1e3 * percentile(seconds, share):9.1f}" for share in (0.5, 0.95, 0.99))
            rows.append(f"{name:10}{len(seconds):10}{shown}")
        low, high = self.interval()
        rows.append(f"p99 with pruning / without: {self.ratio:.2f} ({low:.2f} to {high:.2f}), failed: {self.failed}")
        rows.append(f"{self.removed} pruned, {self.speed:.0f} a second while the pruner ran")
        if self.removed_idle:
            speed = self.removed_idle / self.idle_seconds
            rows.append(f"then {self.removed_idle} pruned while nothing was scored, {speed:.0f} a second")
        return "\n".join(rows)


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else float("nan")


def rubric() -> Rubric:
    criteria = [{"id": f"names_sign_{n}", "statement": f"Says thing {n}.", "points": 1} for n in range(VERDICTS)]
    return Rubric.model_validate({"id": "bench/prune", "version": "1.0.0", "title": "Bench", "criteria": criteria})


async def fill(store: Store, count: int) -> None:
    """Judgments of a run that are older than the retention."""
    chance, known, of = random.Random(2), sentences(), rubric()
    begin, prompt = datetime.now(UTC) - _AGE, ""
    for start in range(0, count, _AT_ONCE):
        saved = []
        for number in range(start, min(start + _AT_ONCE, count)):
            if number % _IN_GROUP == 0:
                prompt = drawn(chance, known, 200)
            place = {"run": "old", "step": number // _IN_STEP, "group": f"g{number // _IN_GROUP}"}
            given = Submission(prompt=prompt, response=drawn(chance, known, 400), **place)
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


class Arrivals:
    """Submissions that arrive independently of each other (Poisson), ``rate`` a second on average, and how long their
    judgments took."""

    def __init__(self, service: Service, rate: float) -> None:
        self._service = service
        self._rate = rate
        self._chance = random.Random(4)
        self._rubric = rubric()
        self._number = 0
        self.failed = 0

    async def window(self, seconds: float, into: list[float]) -> None:
        """Return when those that arrived within ``seconds`` are judged."""
        due, end = time.monotonic(), time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            while due < end:
                await asyncio.sleep(max(due - time.monotonic(), 0))
                self._number, due = self._number + 1, due + self._chance.expovariate(self._rate)
                text = f"Rain number {self._number} falls because warm air rises and cools."
                group.create_task(self._one(text, into))

    async def _one(self, text: str, into: list[float]) -> None:
        asked = time.monotonic()
        given = Submission(rubric=self._rubric, prompt="Why does it rain?", response=text, run="new")
        judgment = await self._service.scorer.score(given)
        into.append(time.monotonic() - asked)
        self.failed += judgment.reward is None


async def measured(service: Service, rate: float, window_seconds: float, most_seconds: float) -> Latencies:
    """Score at ``rate`` a second in windows until nothing old is left or the time is over."""
    found, arrivals, chance = Latencies(), Arrivals(service, rate), random.Random(3)
    pruner = Pruner(service.store, {"training": _DAYS}, _DAYS, seconds=0.01)
    began, at_first = time.monotonic(), await left(service.store)
    still = at_first
    while len(found.rounds) < _FEWEST or (still and time.monotonic() - began < most_seconds):
        each = Round()
        for prunes in chance.sample(_ROUND, len(_ROUND)):
            if prunes:
                pruner.start()
            await arrivals.window(window_seconds, each.pruning if prunes else each.quiet)
            await pruner.close()
        found.rounds.append(each)
        found.pruned_seconds += sum(_ROUND) * window_seconds if still else 0.0
        still = await left(service.store)
        if len(found.rounds) % _TOLD == 0:
            print(f"{still} old judgments left after {time.monotonic() - began:.0f} s", file=sys.stderr)
    found.failed, found.removed = arrivals.failed, at_first - still
    if still:
        began = time.monotonic()
        await pruner.step()
        found.removed_idle, found.idle_seconds = still - await left(service.store), time.monotonic() - began
    return found


async def left(store: Store) -> int:
    return (await store.erasures.prunable("training", datetime.now(UTC) - timedelta(days=_DAYS))).judgments


async def bench(url: str, count: int, rate: float, window_seconds: float, most_seconds: float = 3_600) -> Latencies:
    """``count``: judgments to fill the database with; 0 if it is filled."""
    settings = Settings(database_url=url, canary="off", reask=0.0)
    async with open_service(settings) as service:
        if count:
            await filled(service.store, count)
        print(f"{await left(service.store)} old judgments", file=sys.stderr)
        # as a server does: a collection of all garbage and a thread that keeps the loop waiting would halt both kinds
        # of windows
        sys.setswitchinterval(SHORT_SECONDS)
        settle()
        return await measured(service, rate, window_seconds, most_seconds)


@contextmanager
def database(postgres: bool) -> Iterator[str]:
    """The URL of an empty database, which is removed afterwards."""
    if postgres:
        with cluster(DURABLE) as server:
            yield server.new_database()
        return
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{Path(folder) / 'judge.db'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judgments", type=int, default=200_000)
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--database", help="an empty one, such as postgresql://…; a SQLite file by default")
    where.add_argument("--postgres", action="store_true", help="a PostgreSQL server that is started for this")
    parser.add_argument("--rate", type=float, default=50.0, help="submissions a second")
    parser.add_argument("--window", type=float, default=5.0, help="seconds with and without pruning")
    parser.add_argument("--most-seconds", type=float, default=3_600.0, help="end earlier than when nothing old is left")
    parser.add_argument("--least", type=float, default=0.0, help="judgments pruned a second beside scoring")
    parser.add_argument("--fill", action="store_true", help="only fill --database")
    parser.add_argument("--filled", action="store_true", help="--database was filled before")
    given = parser.parse_args()
    if (given.fill or given.filled) and not given.database:
        parser.error("name the --database")
    if given.fill:
        asyncio.run(fill_only(given.database, given.judgments))
        return
    with nullcontext(given.database) if given.database else database(given.postgres) as url:
        count = 0 if given.filled else given.judgments
        found = asyncio.run(bench(url, count, given.rate, given.window, given.most_seconds))
    print(found.table)
    sys.exit(found.failed > 0 or found.ratio > MOST_RATIO or found.speed < given.least)


if __name__ == "__main__":
    main()
