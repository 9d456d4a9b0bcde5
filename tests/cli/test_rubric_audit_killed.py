"""``rubric audit --ask`` killed with SIGKILL at several points: what was answered is not asked again.

Nothing is read from the command while it runs: it is followed by what the judge was asked and by the file of answers.
"""

import json
import re
import subprocess
import threading
import time
from collections import Counter

import pytest

from judge_server.settings.settings import DEFAULT_JUDGE
from tests.cli.judged_labels import run
from tests.command import PROGRAM
from tests.stub_judge import Reply, StubJudge, labels, text, wants_schema
from tests.yardstick import PATIENCE_SECONDS

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
RUBRIC = """\
id: medical/water
version: 1.0.0
title: Advice
criteria:
  - {id: water, statement: Recommends drinking plenty of water., points: 1}
"""
RESPONSES, WORDINGS = 24, 2
STORED = ("--database", "sqlite:///judge.db")
KEPT = "medical-water.asked.jsonl"


class AnswersSoMany:
    """Answers no more than ``most`` questions of the audit and holds back all others. ``full``: one was held back.
    ``answered``: by question."""

    def __init__(self):
        self.answered = Counter()
        self.counting, self.most = False, None
        self.full, self.never = threading.Event(), threading.Event()

    def __call__(self, body):
        asked = json.dumps(body["messages"])
        writes = "paraphrases" in (wants_schema(body) or {}).get("properties", {})
        if self.counting and (writes or re.search(r"case \d+\.", asked)):
            if self.most is not None and self.answered.total() >= self.most:
                self.full.set()
                return Reply(until=self.never)
            self.answered[asked] += 1
        if writes:
            told = [f"Tells the patient to drink a lot, way {number}." for number in range(WORDINGS)]
            return text(json.dumps({"paraphrases": told}))
        return labels(Yes=0.9, No=0.1)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "water.yaml").write_text(RUBRIC, encoding="utf-8")
    rows = [{"prompt": f"My head aches ({n}).", "response": f"Drink, case {n}."} for n in range(RESPONSES)]
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return tmp_path


def kept(folder):
    path = folder / KEPT
    return sum(bool(line) for line in path.read_text("utf-8").splitlines()) if path.exists() else 0


def killed(command, folder, judge):
    """The command killed once the judge answers no more and all that it answered is kept."""
    with (folder / "told.txt").open("wb") as told:
        process = subprocess.Popen(command, cwd=folder, stdout=told, stderr=subprocess.STDOUT)
    give_up = time.monotonic() + 3 * PATIENCE_SECONDS
    try:
        while not judge.full.is_set() or kept(folder) < judge.answered.total():
            assert process.poll() is None, (folder / "told.txt").read_text()
            assert time.monotonic() < give_up, f"{kept(folder)} of {judge.answered.total()} answers are kept"
            time.sleep(0.05)
    finally:
        process.kill()
        process.wait()


def test_an_audit_killed_at_any_point_asks_nothing_twice(folder):
    """While other wordings are written, and in the middle of asking again, in the other order and in other words."""
    answering = AnswersSoMany()
    with StubJudge(answering) as judge:
        flags = ("--model", judge.specification, *STORED)
        run(folder, "score", "answers.jsonl", "--rubric", "water.yaml", *flags, "-o", "judged.jsonl")
        audit = ("rubric", "audit", "water.yaml", *flags, "--ask", RESPONSES, "--json")
        audit = (*audit, "--proposer", DEFAULT_JUDGE, "--wordings", WORDINGS)
        answering.counting = True
        for point in (0, 1, 7, RESPONSES + 9, 2 * RESPONSES + 9, 4 * RESPONSES):
            answering.most, answering.full = point, threading.Event()
            killed([PROGRAM, *map(str, audit)], folder, answering)
        answering.most = None
        found = json.loads(run(folder, *audit).stdout)
    assert set(answering.answered.values()) == {1}
    assert answering.answered.total() == 1 + (2 + WORDINGS) * RESPONSES
    (water,) = found["criteria"]
    assert [water[name]["n"] for name in ("repeated", "reordered")] == [RESPONSES, RESPONSES]
    assert water["reworded"]["n"] == WORDINGS * RESPONSES
    assert len(found["wordings"]) == WORDINGS
    assert not (folder / KEPT).exists()
