"""Commands that ask models for long, killed with SIGKILL at several points: what was kept is not asked for again.

``calibrate improve`` has a file of its own.
"""

import json
import re
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from urllib.request import urlopen

import pytest

from tests.cli.judged_labels import run
from tests.cli.test_evaluate import WATER, healthbench_row
from tests.cli.test_rubric_audit import RUBRIC as ADVICE
from tests.cli.test_rubric_draft import proposes
from tests.command import PROGRAM
from tests.stub_judge import Reply, StubJudge, labels, text
from tests.yardstick import PATIENCE_SECONDS

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
CASE = re.compile(r"case (\d+)\.")
DATABASE = "judge-server.db"


class HoldsBack:
    """``answer``: of a request about a case; ``named``: what a request is about, None if it recognises a model. Every
    answer after the first ``after`` is held back, so that none is given between the last look and the kill. Counts
    answers."""

    def __init__(self, answer, named):
        self.answer, self.named = answer, named
        self.answered, self.after = Counter(), None
        self.held, self.never = threading.Event(), threading.Event()
        self._lock = threading.Lock()

    def __call__(self, body):
        about = self.named(body)
        if about is None:
            return self.answer(body)
        with self._lock:
            if self.after is not None and self.answered.total() >= self.after:
                self.held.set()
                return Reply(until=self.never)
            self.answered[about] += 1
        return self.answer(body)


def killed(stub, folder, words, holding, kept, points):
    """Run the command, kill it at each point once what was answered is kept, and then to its end."""
    for point in points:
        holding.after, holding.held, holding.never = point, threading.Event(), threading.Event()
        process = subprocess.Popen(
            [PROGRAM, *map(str, words)], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            assert holding.held.wait(3 * PATIENCE_SECONDS), process.poll()
            give_up = time.monotonic() + PATIENCE_SECONDS
            while kept() < holding.answered.total() and time.monotonic() < give_up:
                time.sleep(0.1)
        finally:
            process.kill()
            process.communicate()
            urlopen(f"http://127.0.0.1:{stub.port}/v1/models").close()  # what was sent before the kill is read by now
            holding.never.set()
    holding.after = None
    return run(folder, *words)


def lines(path):
    return sum(bool(line.strip()) for line in path.read_text().splitlines()) if path.exists() else 0


def verdicts(folder):
    """Remembered ones. The database may be locked by its writer."""
    try:
        with sqlite3.connect(folder / DATABASE) as database:
            return database.execute("select coalesce(sum(many), 0) from verdict").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


def case_of(body):
    found = CASE.search(json.dumps(body["messages"]))
    return found and found[1]


@pytest.mark.parametrize("form", ["healthbench", "any rows"])
def test_an_evaluation_asks_neither_model_twice(tmp_path, form):
    rows = [healthbench_row(number) for number in range(24)]
    for number, row in enumerate(rows):
        row["prompt"][0]["content"] = f"My head aches, case {number}."
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "water.yaml").write_text(
        f"id: medical/water\nversion: 1.0.0\ntitle: Water\ncriteria:\n  - {{id: water, statement: {WATER}}}\n"
    )
    writing = HoldsBack(lambda body: text(f"Drink, {json.dumps(body['messages'])}"), case_of)
    judging = HoldsBack(lambda _: labels(Yes=0.9, No=0.1), case_of)
    with StubJudge(writing) as policy, StubJudge(judging) as judge:
        words = ["eval", *(["healthbench"] if form == "healthbench" else []), "rows.jsonl"]
        words += [] if form == "healthbench" else ["--rubric", "water.yaml"]
        words += ["--responses", policy.specification, "--model", judge.specification, "--concurrency", 4]
        written = tmp_path / "rows.jsonl.responses.jsonl"
        killed(policy, tmp_path, words, writing, lambda: lines(written), (1, 9))
        (tmp_path / DATABASE).unlink()
        judging.answered.clear()
        done = killed(judge, tmp_path, words, judging, lambda: verdicts(tmp_path), (2, 13))
    assert "24 responses" in done.stdout
    assert writing.answered == {str(number): 1 for number in range(24)}
    assert judging.answered == {str(number): 1 for number in range(24)}


def test_a_draft_and_proposals_are_asked_for_once(tmp_path):
    rows = [{"prompt": f"I cough, case {number}.", "good": "Rest.", "bad": "Run."} for number in range(20)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "advice.yaml").write_text(ADVICE)
    draft = ("rubric", "draft", "clinic/drafted", "--from", "pairs.jsonl", "-o", "drafted.yaml")
    propose = ("rubric", "propose", "advice.yaml", "--from", "pairs.jsonl", "--out", "out")
    for words, kept in ((draft, "drafted.yaml.answers.jsonl"), (propose, "out/answers.jsonl")):
        holding = HoldsBack(proposes, case_of)
        with StubJudge(holding) as judge:
            flags = (*words, "--model", judge.specification)
            killed(judge, tmp_path, flags, holding, lambda kept=kept: lines(tmp_path / kept), (1, 11))
        assert holding.answered == {str(number): 1 for number in range(20)}
    assert "Names a sign that needs a doctor." in (tmp_path / "drafted.yaml").read_text()
    assert not (tmp_path / "drafted.yaml.answers.jsonl").exists()
