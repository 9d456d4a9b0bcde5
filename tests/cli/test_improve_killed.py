"""``calibrate improve`` killed with SIGKILL at several points: what was answered is not asked again."""

import json
import re
import subprocess
import threading
import time
from collections import Counter

import pytest

from judge_server.settings.settings import DEFAULT_JUDGE
from tests.cli.judged_labels import run, write
from tests.cli.test_calibrate_improve import behave, proposes
from tests.command import PROGRAM
from tests.stub_judge import Reply, StubJudge
from tests.yardstick import PATIENCE_SECONDS

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


class HoldsBack:
    """Answers, but holds back the answer to a rating once so many were answered. Counts answers by question."""

    def __init__(self):
        self.answered = Counter()
        self.after = None
        self.held = threading.Event()
        self.never = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, body):
        question = asked(body)
        if question is None:
            return behave(body)
        with self._lock:
            if self.after is not None and self.answered.total() >= self.after and not self.held.is_set():
                self.held.set()
                return Reply(until=self.never)
            self.answered[question] += 1
        return behave(body)


def asked(body):
    """The rating or the proposal that a request is about; None for questions that recognise a model."""
    text = json.dumps(body["messages"])
    case = re.search(r"case (\d+)\.", text)
    return text if case or proposes(body) else None


def kept(folder):
    """Answers in the journals, and proposals."""
    rows = sum(len(path.read_text().splitlines()) - 1 for path in folder.glob("better/asked-*.partial.jsonl"))
    proposals = folder / "better" / "proposals.jsonl"
    return rows + (sum(bool(line) for line in proposals.read_text().splitlines()) if proposals.exists() else 0)


def test_a_run_killed_at_any_point_asks_nothing_twice(tmp_path):
    write(tmp_path, 120, right=1.0)
    run(tmp_path, "calibrate", "import", "labels.csv", "--test-share", 0.4, "--out", "split.csv")
    holding = HoldsBack()
    with StubJudge(holding) as judge:
        command = [PROGRAM, "calibrate", "improve", "split.csv", "--rubric", "water.yaml"]
        command += ["--out", "better", "--proposer", DEFAULT_JUDGE, "--model", judge.specification, "--examples", "0"]
        for point in (1, 73, 150):
            holding.after, holding.held = point, threading.Event()
            process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            assert holding.held.wait(3 * PATIENCE_SECONDS), process.poll()
            give_up = time.monotonic() + PATIENCE_SECONDS
            while kept(tmp_path) < holding.answered.total() and time.monotonic() < give_up:
                time.sleep(0.1)
            process.kill()
            process.communicate()
            (tmp_path / "judge-server.db").unlink(missing_ok=True)  # the journals alone have to do
        holding.after = None
        done = run(tmp_path, *command[1:])
    assert "The judge agrees better with wording 1 of water" in done.stdout
    assert set(holding.answered.values()) == {1}
    entries = [json.loads(line) for line in (tmp_path / "split.csv.readings.jsonl").read_text().splitlines()]
    assert [one.get("p") is not None for one in entries] == [False, True]  # one look and its outcome
