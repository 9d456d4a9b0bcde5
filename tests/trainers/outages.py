"""A real trainer, a real server process and a judge on the loopback, and what is done to them between two steps."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.command import Server, judge_server
from tests.stub_judge import Reply, StubJudge, faithful, labels
from tests.trainers.environment import PROGRAMS, ROOT, Environment

RUN = "night-7"
RUBRIC = {
    "id": "test/outage",
    "version": "1.0.0",
    "title": "Kindness",
    "criteria": [{"id": "kind", "statement": "Is kind.", "points": 1}],
}
_GOLDEN = 0.6180339887498949
_OF_A_RANDOM_POLICY = {"JUDGE_SERVER_THIN_RESPONSES": "judge"}
"""Weights that nobody trained write anything, and other things on another processor: what may say nothing is judged."""
_PATIENT = 900
_START_SECONDS = 240
_MAIN = "import sys; from judge_server.cli import main; sys.exit(main())"


@dataclass
class Values:
    """A judge whose every answer is another number between 0.1 and 0.8, so that no default can pass for one of them.
    ``half_dead``: it answers 503 to every question about half of the responses. ``stumbling``: 503 to every second
    call. ``slow_seconds``: before an answer. ``steady``: one text always gets the same number, which depends on this
    word."""

    half_dead: bool = False
    stumbling: bool = False
    steady: str = ""
    slow_seconds: float = 0.0
    given: list[float] = field(default_factory=list)
    refused: int = 0
    calls: int = 0

    def behave(self, body: dict[str, Any]) -> Reply:
        asked = str(body)
        if "[BEGIN RESPONSE" not in asked:
            return faithful()(body)
        self.calls += 1
        if (self.half_dead and zlib.crc32(asked.encode()) % 2) or (self.stumbling and self.calls % 2):
            self.refused += 1
            return Reply(503)
        turn = zlib.crc32(f"{self.steady}{asked}".encode()) if self.steady else len(self.given) + 1
        self.given.append(0.1 + 0.7 * (turn * _GOLDEN % 1))
        answer = labels(Yes=self.given[-1], No=1 - self.given[-1])
        return Reply(body=answer.body, delay_seconds=self.slow_seconds)

    def gave(self, reward: float) -> bool:
        return any(abs(reward - value) < 1e-5 for value in self.given)


class Place:
    """A folder with rubric, database, and a server that can be killed and started again at the same address.
    ``judges``: all that ever answered for it."""

    def __init__(self, folder: Path, judge: StubJudge, values: Values) -> None:
        self.folder, self.judge, self.judges = folder, judge, [values]
        self.timers: list[threading.Timer] = []
        self.servers: list[Server] = []
        self.package = ROOT
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.port = listener.getsockname()[1]
        (folder / "rubrics").mkdir()
        self.write(RUBRIC)
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def database(self) -> str:
        return f"sqlite:///{self.folder}/judge.db"

    @property
    def rubric_file(self) -> Path:
        return self.folder / "rubrics" / "outage.yaml"

    @property
    def values(self) -> Values:
        """Of the judge that answers now."""
        return self.judges[-1]

    @property
    def server(self) -> Server:
        return self.servers[-1]

    def logged(self, words: str) -> bool:
        """Whether a line of any of the servers so far has these words."""
        return any(words in line for server in self.servers for line in server.log)

    def write(self, rubric: Mapping[str, Any], name: str = "outage.yaml") -> None:
        (self.folder / "rubrics" / name).write_text(yaml.safe_dump(dict(rubric), sort_keys=False))

    def start(self) -> None:
        given = ["--model", self.judge.specification, "--rubrics", self.folder / "rubrics", "--database", self.database]
        process = subprocess.Popen(
            [sys.executable, "-c", _MAIN, "serve", "--port", str(self.port), *map(str, given)],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": str(self.package), **_OF_A_RANDOM_POLICY},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        self.servers.append(Server(process))
        self.server.wait_until_it_listens(_START_SECONDS)

    def kill(self) -> None:
        os.kill(self.server.process.pid, signal.SIGKILL)
        self.server.process.wait()

    def restart(self) -> None:
        self.kill()
        self.start()

    def down(self, seconds: float) -> None:
        """Killed now, and started again after so long; the trainer goes on meanwhile."""
        self.kill()
        self._later(seconds, self.start)

    def down_while_judging(self, seconds: float) -> None:
        """Killed a second from now, when the trainer has asked for the next rewards."""
        self._later(1.0, lambda: self.down(seconds))

    def upgrade(self, version: str, *, other_guard: bool = False) -> None:
        """The server is replaced by a copy of this one that says another version, and with another rule of the guard
        if that is asked for: both read the same database."""
        self.package = self.folder / f"server-{version}"
        shutil.copytree(
            ROOT / "judge_server", self.package / "judge_server", ignore=shutil.ignore_patterns("__pycache__")
        )
        (self.package / "judge_server" / "__init__.py").write_text(f'__version__ = "{version}"\n')
        if other_guard:
            with (self.package / "judge_server" / "guard" / "guard_version.py").open("a") as file:
                file.write("\n# another rule\n")
        self.restart()

    def repin(self, reason: str) -> None:
        done = judge_server("run", "repin", RUN, "--reason", reason, "--database", self.database)
        assert done.returncode == 0, done.stderr

    def _later(self, seconds: float, happens: Callable[[], None]) -> None:
        self.timers.append(threading.Timer(seconds, happens))
        self.timers[-1].start()

    def settle(self) -> None:
        """Waits until everything that was to happen has happened."""
        for timer in self.timers:  # grows while it is read
            timer.join()

    def replace_judge(self, steady: str) -> None:
        """Another model is started at the address of the judge; its server says nothing else of it."""
        self.judge.stop()
        self.judges.append(Values(steady=steady))
        self.judge = StubJudge(self.values.behave, port=self.judge.port)
        self.judge.__enter__()

    def name_another_judge(self) -> None:
        """Another model answers at the address of the judge, and its server says so."""
        self.judges.append(Values())
        self.judge.behave = self.values.behave
        self.judge.listing = {"object": "list", "data": [{"id": "stub", "object": "model", "root": "/models/other"}]}

    def stored(self, done: int) -> list[dict[str, Any]]:
        """What rewarded the step after so many steps were done, under the number that the trainer logs it with."""
        query = {"run": RUN, "step": done + 1, "limit": 1000}
        answer = httpx.get(f"{self.url}/v1/judgments", params=query, timeout=60)
        found: list[dict[str, Any]] = answer.json()["judgments"]
        return found

    def shown(self) -> dict[str, Any]:
        """``judge-server run show``."""
        done = judge_server("run", "show", RUN, "--json", "--database", self.database)
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found


@contextmanager
def place(folder: Path, steady: str = "") -> Iterator[Place]:
    """``steady``: of the judge's values."""
    values = Values(steady=steady)
    with StubJudge(values.behave) as judge:
        found = Place(folder, judge, values)
        try:
            yield found
        finally:
            found.server.stop()
            found.judge.stop()


@dataclass(frozen=True)
class Outcome:
    """``steps``: what the trainer was given, step by step. ``error``: what ended the training; None if nothing did."""

    steps: list[dict[str, Any]]
    error: dict[str, str] | None
    log: str
    result: dict[str, Any]

    @property
    def rewards(self) -> list[float]:
        return [reward for step in self.steps for reward in step["rewards"] if reward is not None]


def train(
    environment: Environment,
    program: str,
    here: Place,
    checkpoint: Path,
    *,
    steps: int,
    events: Mapping[int, Callable[[], object]],
    **variables: str,
) -> Outcome:
    """``events``: what happens after so many steps, while the trainer waits to ask for the next reward."""
    environment.install()
    folder = here.folder
    (folder / "plan.json").write_text(json.dumps({"pauses": sorted(events)}))
    given = {"JUDGE_URL": here.url, "JUDGE_RUN": RUN, "JUDGE_RUBRIC": str(RUBRIC["id"])} | variables
    process = _started(environment, program, folder, checkpoint, steps, given)
    try:
        for step, happens in sorted(events.items()):
            if not _reached(folder / f"at-{step}", process):
                break
            happens()
            (folder / f"go-{step}").touch()
        process.wait(_PATIENT)
    finally:
        process.kill()
        process.wait()
    here.settle()
    log = (folder / "trainer.log").read_text()
    assert (folder / "result.json").exists(), log[-6000:]
    result = json.loads((folder / "result.json").read_text())
    lines = (folder / "rewards.jsonl").read_text().splitlines() if (folder / "rewards.jsonl").exists() else []
    return Outcome([json.loads(line) for line in lines], result["error"], log, result)


def _started(
    environment: Environment, program: str, folder: Path, checkpoint: Path, steps: int, given: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    command = [environment.python, PROGRAMS / program, folder, checkpoint, steps]
    with (folder / "trainer.log").open("wb") as log:
        return subprocess.Popen(
            [str(part) for part in command], cwd=folder, env=environment.around(given), stdout=log, stderr=log
        )


def _reached(mark: Path, process: "subprocess.Popen[bytes]") -> bool:
    give_up = time.monotonic() + _PATIENT
    while not mark.exists():
        if process.poll() is not None:
            return False
        assert time.monotonic() < give_up, mark
        time.sleep(0.05)
    return True


def false_rewards(outcome: Outcome, here: Place) -> list[tuple[int, float]]:
    """Step and number of what the trainer was given and neither a judge gave nor the guard about an empty response."""
    found = []
    for step in outcome.steps:
        guarded = [one["reward"] for one in here.stored(step["step"]) if _by_the_guard(one)]
        for reward in step["rewards"]:
            judged = reward is None or any(judge.gave(reward) for judge in here.judges)
            if not judged and reward not in guarded:
                found.append((step["step"], reward))
    return found


def _by_the_guard(judgment: dict[str, Any]) -> bool:
    return {verdict["source"] for verdict in judgment["verdicts"]} == {"guard"}


Source = tuple[str, str, str]
"""The digest of a rubric, the fingerprint of a judge, and the guard's version."""


def what_rewarded(outcome: Outcome, here: Place) -> dict[int, set[Source]]:
    """For every step with a reward, as the trainer logs it, what the store says rewarded it. Fails if a reward is not
    in the store under its step."""
    found = {}
    for step in outcome.steps:
        rewards = [reward for reward in step["rewards"] if reward is not None]
        stored = [one for one in here.stored(step["step"]) if one["reward"] is not None]
        for reward in rewards:
            assert any(abs(one["reward"] - reward) < 1e-6 for one in stored), (step, stored)
        asked = [one for one in stored if not _by_the_guard(one)]
        if rewards and asked:
            found[step["step"] + 1] = {
                (one["rubric"]["digest"], one["judge"]["fingerprint"], one["guard"]) for one in asked
            }
    return found


def what_run_show_says(here: Place, steps: Iterable[int]) -> dict[int, set[Source]]:
    """For every one of these steps, what ``judge-server run show`` says rewarded it: more than one if their spans
    overlap, so that it cannot be told."""
    found: dict[int, set[Source]] = {step: set() for step in steps}
    for one in here.shown()["sources"]:
        if one["judge"] in (None, "none") or not one["rewards"]:
            continue
        for step in range(one["first_step"], one["last_step"] + 1):
            if step in found:
                found[step].add((one["rubric"]["digest"], one["fingerprint"], one["guard"]))
    return found
