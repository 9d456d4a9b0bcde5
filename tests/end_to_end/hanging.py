"""Each dependency hangs in turn, and each route is called with a deadline of 2 s; then a server with a locked database
stops.

    python -m tests.end_to_end.hanging [--at-once 12]

Less than three minutes on a quiet machine. Prints a line for each dependency: routes, the slowest answer, how many were
late, statuses, processor time; then how long a server takes to stop. Ends with 1 if an answer took more than 3 s or was
a 500, or if a stop was late.
"""

import argparse
import logging
import os
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import psycopg

from judge_server.authoring.lock import LOCK
from tests.end_to_end.test_locked_database import locked, score
from tests.postgres import Cluster, cluster
from tests.served import settings_of
from tests.server.hanging import (
    DEADLINE_SECONDS,
    REQUESTS,
    Answer,
    Hang,
    Hanging,
    threads_of_the_database,
    unread,
)
from tests.yardstick import PATIENCE_SECONDS

MOST_SECONDS = DEADLINE_SECONDS + 1.0


def locked_file(file: Path) -> Hang:
    """Another process writes to the SQLite file for ever."""

    def hang(stack: ExitStack, _: Any) -> None:
        other = stack.enter_context(closing(sqlite3.connect(file, isolation_level=None)))
        other.execute("BEGIN IMMEDIATE")

    return hang


def locked_tables(url: str) -> Hang:
    """Another session holds every table of PostgreSQL for itself."""

    def hang(stack: ExitStack, _: Any) -> None:
        other = stack.enter_context(psycopg.connect(url))
        named = other.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (name,) in named:
            other.execute(f'LOCK TABLE "{name}" IN ACCESS EXCLUSIVE MODE')  # type: ignore[arg-type]

    return hang


def frozen(postgres: Cluster, url: str) -> Hang:
    """PostgreSQL's processes stand still: connections stay open, and nothing is answered."""

    def hang(stack: ExitStack, _: Any) -> None:
        with psycopg.connect(url) as other:
            found = other.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchall()
        assert postgres.process is not None
        for pid in [postgres.process.pid, *(pid for (pid,) in found)]:
            os.kill(pid, signal.SIGSTOP)
            stack.callback(os.kill, pid, signal.SIGCONT)

    return hang


def dependencies(folder: Path, postgres: Cluster) -> Iterator[tuple[str, str, Hang | None]]:
    """Each with the URL of a database and how it hangs; None: the judge does."""
    for number, (name, hang) in enumerate(
        [
            ("threads of the database", threads_of_the_database),
            ("judge", None),
            ("disk of the rubrics", lambda stack, _: stack.enter_context(unread(folder / "rubrics" / LOCK))),
            ("SQLite, locked", locked_file(folder / "3.db")),
        ]
    ):
        yield name, f"sqlite:///{folder}/{number}.db", hang
    url = postgres.new_database()
    yield "PostgreSQL, all tables locked", url, locked_tables(url)
    url = postgres.new_database()
    yield "PostgreSQL, standing still", url, frozen(postgres, url)


def walk(url: str, rubrics: Path, hang: Hang | None, at_once: int) -> dict[str, Answer]:
    """The answers of all routes."""
    return Hanging(lambda judge: settings_of(judge, database=url, rubrics=(rubrics,)), hang).answers(at_once)


def stop_seconds(folder: Path, signals: int, drain_seconds: float) -> float:
    """From the last SIGTERM to the end of a server with a request that waits for its locked database."""
    with locked(folder, drain_seconds) as server:
        answers: list[httpx.Response] = []
        asking = threading.Thread(target=score, args=(server, answers, 60.0), daemon=True)
        asking.start()
        time.sleep(0.5)
        for number in range(signals):
            time.sleep(0.2 if number else 0)
            server.process.send_signal(signal.SIGTERM)
            last = time.monotonic()
        server.process.wait(PATIENCE_SECONDS)
        taken = time.monotonic() - last
        asking.join(PATIENCE_SECONDS)
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--at-once", type=int, default=12)
    at_once = parser.parse_args().at_once
    logging.disable()
    wrong: list[str] = []
    say: Callable[[str], Any] = lambda line: print(line, flush=True)  # noqa: E731, T201
    say("| what hangs | routes | slowest | over 3 s | statuses | processor time |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as made, cluster() as postgres:
        folder = Path(made)
        (folder / "rubrics").mkdir()
        for what, url, hang in dependencies(folder, postgres):
            began = time.process_time()
            answers = walk(url, folder / "rubrics", hang, at_once)
            spent = time.process_time() - began
            late = {name: one for name, one in answers.items() if one.seconds > MOST_SECONDS or one.status == 500}
            wrong += [f"{what}: {name} {one.status} after {one.seconds:.2f} s" for name, one in late.items()]
            statuses = ", ".join(
                f"{status}: {n}" for status, n in sorted(Counter(a.status for a in answers.values()).items())
            )
            slowest = max(one.seconds for one in answers.values())
            say(f"| {what} | {len(REQUESTS)} | {slowest:.2f} s | {len(late)} | {statuses} | {spent:.1f} s |")
        for signals, drain_seconds, most in ((1, 2.0, 3.0), (2, 25.0, 1.0)):
            place = folder / f"stop {signals}"
            place.mkdir()
            taken = stop_seconds(place, signals, drain_seconds)
            say(f"SIGTERM x {signals}, drain_seconds {drain_seconds:g}: {taken:.2f} s, at most {most:g}")
            wrong += [f"the stop after {signals} signals took {taken:.2f} s"] if taken > most else []
    say("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
