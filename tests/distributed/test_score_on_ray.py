"""``judge-server score --on ray`` on a real cluster: the rewards of a server, and a killed run that is gone on with."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.distributed.cluster import descendants
from tests.served import served, settings_of
from tests.stub_judge import StubJudge, labels

pytestmark = [pytest.mark.ray, pytest.mark.longest, pytest.mark.timeout(3_600)]
_ROWS = int(os.environ.get("RAY_ROWS", "2000"))  # 50000 for the figures of docs/ray.md
_PROGRAM = Path(sys.executable).with_name("judge-server")
_WORDS = (
    "thank",
    "you",
    "kindly",
    "for",
    "asking",
    "about",
    "Paris",
    "the",
    "capital",
    "of",
    "France",
    "Seine",
    "today",
)
_RUBRIC = {
    "id": "test/two",
    "version": "1.0.0",
    "title": "Two questions",
    "criteria": [
        {"id": "polite", "statement": "Thanks the reader politely.", "points": 2},
        {"id": "paris", "statement": "Names Paris as the capital.", "points": 3},
    ],
}
_CONFIGURATION = f"""
canary = "off"
[ray.bulk]
replicas = 2
cpus = 0.1
rows = {max(100, _ROWS // 50)}
"""


def _row(number):
    chosen = (_WORDS[(number * 7 + place * place) % len(_WORDS)] for place in range(5 + number % 20))
    return {
        "id": f"r{number}",
        "prompt": f"Question {number // 8}: what is the capital of France?",
        "response": f"{' '.join(chosen)} number {number}.",
    }


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "judge-server.toml").write_text(_CONFIGURATION)
    (tmp_path / "two.yaml").write_text(json.dumps(_RUBRIC))
    return tmp_path


def _command(folder, *more):
    given = ["--config", "judge-server.toml", "--rubric", "two.yaml", "in.jsonl", "-o", "out", *more]
    with (folder / "score.log").open("ab") as log:
        return subprocess.Popen(
            [_PROGRAM, "score", "--on", "ray", *given],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )


def _score(folder, *more):
    status = _command(folder, *more).wait(1_700)
    log = (folder / "score.log").read_text()
    assert status == 0, log[-3000:]
    return log


def _rows(folder):
    return pq.read_table(folder / "out").to_pylist()


def _over_http(settings, rows):
    rewards = {}
    with served(settings) as client:
        for first in range(0, len(rows), 500):
            items = [{**row, "rubric": _RUBRIC} for row in rows[first : first + 500]]
            answer = client.post("/v1/score/batch", json={"items": items}, timeout=300)
            assert answer.status_code == 200, answer.text[:500]
            rewards |= {one["submission"]["id"]: one["reward"] for one in answer.json()["results"]}
    return rewards


def test_rewards_are_those_of_the_server_and_what_cannot_be_read_is_told_row_by_row(folder):
    rows = [_row(number) for number in range(_ROWS)]
    lines = [json.dumps(row) for row in rows]
    (folder / "in.jsonl").write_text("\n".join([*lines[:300], "not JSON", '{"prompt": 5}', *lines[300:]]) + "\n")
    log = _score(folder)
    assert f"{_ROWS + 2} submissions" in log
    assert "2 x bad_submission" in log
    written = _rows(folder)
    rewards = _over_http(settings_of(), rows)
    assert len(rewards) == _ROWS
    ours = {row["id"]: row["reward"] for row in written if row["error"] is None}
    assert ours.keys() == rewards.keys()
    assert max(abs(ours[name] - rewards[name]) for name in rewards) <= 1e-9
    assert len({row["reward"] for row in written}) > 5
    assert [row["error"] for row in written if row["error"]] == ["bad_submission"] * 2
    assert json.loads((folder / "out" / "_SUCCESS").read_text())["rows"] == _ROWS + 2


def test_a_killed_run_is_gone_on_with_and_no_row_is_judged_twice_or_lost(folder):
    """The same row stands twice in the input, and each of the two is written."""
    rows = [_row(number % (_ROWS - 10)) for number in range(_ROWS)]
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with StubJudge(lambda _: labels(Yes=0.8, No=0.2)) as judge:
        model = ["--model", judge.specification]
        killed = _command(folder, *model)
        _until(lambda: len(list((folder / "out").glob("part-*.parquet"))) >= 5, killed)
        for pid in [pid for pid, _ in descendants(killed.pid)]:
            os.kill(pid, signal.SIGKILL)
        killed.kill()
        killed.wait()
        left = _rows(folder)
        assert 0 < len(left) < _ROWS
        before = len(judge.bodies)
        log = _score(folder, "--resume", *model)
        asked = len(judge.bodies) - before
    assert f"{len(left)} judgments kept" in log
    written = _rows(folder)
    assert len(written) == _ROWS
    assert sorted(row["id"] for row in written) == sorted(row["id"] for row in rows)
    assert asked <= 2 * (_ROWS - len(left)) + 40  # and what the judge is asked at each start
    assert all(row["reward"] == pytest.approx(0.8) for row in written)


def _until(condition, process):
    give_up = time.monotonic() + 600
    while not condition():
        assert process.poll() is None, "it ended"
        assert time.monotonic() < give_up
        time.sleep(0.05)
