"""kill -9 at random moments of a job, and what is true afterwards.

    python -m tests.end_to_end.killing --kills 50 --items 5000 [--postgresql]

A real server process, a real judge server on the loopback and a real database. After every kill the verdicts that are
in the database are read; a call that asks for one of them later is a repeated call. At the end every item must have
exactly one judgment.
"""

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import create_engine, text

from judge_server.core.submission import Submission
from judge_server.scoring.cached_judge import cache_key
from judge_server.scoring.plan import plan
from judge_server.store.location import Location
from judge_server.store.writing import verdict_key
from tests.command import PROGRAM, Server
from tests.postgres import cluster
from tests.stub_judge import Reply, StubJudge, faithful, labels
from tests.submissions import rubric, submission
from tests.yardstick import PATIENCE_SECONDS

_ITEM = re.compile(r"Answer number (\d+):")
_AT_ONCE = 64
_ENVIRONMENT = {
    "JUDGE_SERVER_JOB_LEASE_SECONDS": "0.3",
    "JUDGE_SERVER_DRAIN_SECONDS": "0",
    "JUDGE_SERVER_JOB_ITEMS_AT_ONCE": str(_AT_ONCE),
}
_LONGEST_LIFE_SECONDS = 0.6


@dataclass
class Watch:
    """Counts the judge's calls by item, and those for a verdict that was in the database already."""

    delay_seconds: float = 0.0
    stored: frozenset[int] = frozenset()
    calls: Counter[int] = field(default_factory=Counter)
    repeated: list[int] = field(default_factory=list)

    def answer(self, body: dict[str, Any]) -> Reply:
        found = _ITEM.search(json.dumps(body["messages"]))
        if found is None:
            return faithful()(body)
        item = int(found[1])
        self.calls[item] += 1
        if item in self.stored:
            self.repeated.append(item)
        probability = 0.5 + (item % 40) / 100
        return Reply(body=labels(Yes=probability, No=1 - probability).body, delay_seconds=self.delay_seconds)


@dataclass(frozen=True)
class Outcome:
    """``lost``: items without a result or a judgment; ``doubled``: judgments beyond one for each item; ``repeated``:
    calls for a verdict that was stored; ``wrong``: rewards other than the judge's own; ``calls``: in all."""

    kills: int
    lost: int
    doubled: int
    repeated: int
    wrong: int
    calls: int
    seconds: float


def kill_again_and_again(database: str, folder: Path, *, kills: int, count: int, seed: int = 7) -> Outcome:
    """A job of ``count`` items with one criterion each, seen through although its server is killed ``kills`` times.

    The judge is so slow that the job lasts until the last kill, with every place taken when one comes.
    """
    chance = random.Random(seed)
    watch = Watch(delay_seconds=kills * _LONGEST_LIFE_SECONDS * _AT_ONCE / count)
    sent = [submission(response=f"Answer number {n}: call for help.", id=n, rubric=rubric(1)) for n in range(count)]
    started = time.monotonic()
    with StubJudge(watch.answer) as judge:
        server = _start(judge.specification, database, folder)
        job = _begin(server.address, sent)
        keys = _keys(server.address, sent)
        done = 0
        while done < kills and not _ended(server.address, job):
            time.sleep(chance.uniform(0.0, _LONGEST_LIFE_SECONDS))
            os.kill(server.process.pid, signal.SIGKILL)
            server.process.wait()
            done += 1
            watch.stored = frozenset(keys[key] for key in _stored(database) if key in keys)
            server = _start(judge.specification, database, folder)
        try:
            lost, doubled, wrong = _aftermath(server.address, job, count)
        finally:
            server.stop()
    return Outcome(done, lost, doubled, len(watch.repeated), wrong, watch.calls.total(), time.monotonic() - started)


def _start(model: str, database: str, folder: Path) -> Server:
    command = [PROGRAM, "serve", "--port", "0", "--model", model, "--database", database]
    process = subprocess.Popen(
        command, cwd=folder, env=os.environ | _ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    server = Server(process)
    server.wait_until_it_listens(60)
    return server


def _begin(address: str, sent: list[dict[str, Any]]) -> str:
    lines = "\n".join(map(json.dumps, sent))
    answer = httpx.post(f"{address}/v1/jobs", content=lines, headers={"content-type": "application/jsonl"}, timeout=120)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def _keys(address: str, sent: list[dict[str, Any]]) -> dict[bytes, int]:
    """The item of each row of verdicts in the database, by what its judge was shown."""
    judge = httpx.get(f"{address}/v1/judges", timeout=PATIENCE_SECONDS).json()["judges"][0]
    keys = {}
    for number, one in enumerate(sent):
        whole = Submission.model_validate(one)
        (question,) = plan(whole, whole.rubric).questions
        key = cache_key(judge["fingerprint"], question.criterion, question.material)
        keys[verdict_key(key).shown] = number
    return keys


def _stored(database: str) -> set[bytes]:
    engine = create_engine(Location.of(database).url)
    try:
        with engine.connect() as connection:
            return {bytes(key) for key in connection.execute(text("SELECT key FROM verdict")).scalars()}
    finally:
        engine.dispose()


def _ended(address: str, job: str) -> bool:
    return bool(httpx.get(f"{address}/v1/jobs/{job}", timeout=PATIENCE_SECONDS).json()["status"] == "done")


def _aftermath(address: str, job: str, count: int) -> tuple[int, int, int]:
    give_up = time.monotonic() + 300
    while not _ended(address, job):
        assert time.monotonic() < give_up, httpx.get(f"{address}/v1/jobs/{job}", timeout=PATIENCE_SECONDS).text
        time.sleep(0.2)
    text_of_results = httpx.get(f"{address}/v1/jobs/{job}/results", timeout=120).text
    results = [json.loads(line) for line in text_of_results.splitlines()]
    counted = httpx.get(f"{address}/v1/jobs/{job}", timeout=PATIENCE_SECONDS).json()
    assert counted["ok"] + counted["partial"] + counted["failed"] == count, counted
    judged = _judgments(address)
    by_item = Counter(one["submission"]["id"] for one in judged)
    complete = {one["submission"]["id"] for one in results if one["reward"] is not None} & by_item.keys()
    wrong = sum(abs(one["reward"] - (0.5 + (int(one["submission"]["id"]) % 40) / 100)) > 1e-6 for one in results)
    return count - len(complete), sum(by_item.values()) - len(by_item), wrong


def _judgments(address: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: str | None = None
    while True:
        params = {"limit": "1000"} | ({"cursor": cursor} if cursor else {})
        page = httpx.get(f"{address}/v1/judgments", params=params, timeout=60).json()
        found += page["judgments"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--items", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--postgresql", action="store_true")
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = f"sqlite:///{folder / 'judge.db'}"
        if asked.postgresql:
            database = stack.enter_context(cluster()).empty_database()
        outcome = kill_again_and_again(database, folder, kills=asked.kills, count=asked.items, seed=asked.seed)
        sys.stdout.write(f"{outcome}\n")


if __name__ == "__main__":
    main()
