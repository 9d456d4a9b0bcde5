"""judge-server monitor queue: draw, export, import, estimate."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from judge_server.cli import app
from judge_server.store import Store
from tests.monitoring.simulated import RUBRIC, Run


@pytest.fixture
def queue(tmp_path):
    """Runs a command of the queue on a database of a run that has just ended."""
    url = f"sqlite:///{tmp_path / 'judge.db'}"

    async def keep():
        run = Run(31, "repetition", groups=20, begin=datetime.now(UTC) - timedelta(seconds=300))
        store = await Store.open(url)
        await store.save_many([(one.judgment, one.submission, RUBRIC) for one in run.rollouts()])
        await store.close()

    asyncio.run(keep())

    def command(*words, status=0):
        given = ["monitor", "queue", *map(str, words), "--label-set", "june", "--database", url]
        done = CliRunner().invoke(app, given)
        assert done.exit_code == status, done.output
        return done.output

    return command


def test_from_a_draw_to_an_estimate(queue, tmp_path):
    counts = json.loads(queue("draw", "--judge", "trainer", "--random", 3, "--high-reward", 2, "--json"))
    assert counts["random"]["drawn"] == 3
    assert counts["high_reward"]["drawn"] == 2
    file = tmp_path / "items.jsonl"
    queue("export", file)
    items = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert len(items) == sum(one["drawn"] for one in counts.values())
    assert set(items[0]["labels"].values()) == {None}
    for item in items:
        item["labels"]["good_0"] = True
        item["rationales"] = {"good_0": "It says so."}
    file.write_text("".join(json.dumps(item) + "\n" for item in items), "utf-8")
    assert "new" in queue("import", file, "--annotator", "ann")
    assert queue("export", "-", "--annotator", "ann").strip() == "0 items: nothing is open in june"
    (found,) = [json.loads(line) for line in queue("estimate", "--json").splitlines()]
    assert found["judge"] == "trainer"
    assert 0 < found["value"] <= 1
    assert "trainer" in queue("estimate")


@pytest.mark.parametrize("content", ["nonsense\n", "{}\n", '{"judgment": "x", "labels": []}\n', "", '"text"\n'])
def test_a_file_that_is_no_labelled_export_is_refused(queue, tmp_path, content):
    file = tmp_path / "labels.jsonl"
    file.write_text(content, "utf-8")
    assert "export" in queue("import", file, "--annotator", "ann", status=2)


def test_a_file_that_is_not_there_is_refused(queue, tmp_path):
    assert "No such file" in queue("import", tmp_path / "none.jsonl", "--annotator", "ann", status=2)


def test_a_draw_says_of_how_many(queue):
    assert "random: 20 of " in queue("draw", "--judge", "trainer")
