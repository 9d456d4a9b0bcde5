"""judge-server monitor: one look at the stored judgments from the command line."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from judge_server.cli import app
from judge_server.store import Store
from tests.monitoring.simulated import RUBRIC, Run

WINDOW = ["--window", "400"]


def kept(path, run):
    """A database of this run, and when it ended."""

    async def keep():
        store = await Store.open(f"sqlite:///{path}")
        await store.save_many([(one.judgment, one.submission, RUBRIC) for one in run.rollouts()])
        await store.close()

    asyncio.run(keep())
    return (run.begin + timedelta(seconds=run.groups * 8 + 1)).isoformat()[:19]


def command(*words):
    return CliRunner().invoke(app, ["monitor", *map(str, words)])


@pytest.fixture(scope="module")
def flagged(tmp_path_factory):
    path = tmp_path_factory.mktemp("monitor") / "judge.db"
    return ["--database", f"sqlite:///{path}", "--until", kept(path, Run(21, "repetition", groups=120)), *WINDOW]


def test_an_alarm_is_shown_with_what_to_do(flagged):
    shown = command(*flagged)
    assert shown.exit_code == 0, shown.output
    assert "repetition" in shown.output
    assert "1 alarms" in shown.output
    assert "…" not in shown.output, "names are folded, never cut"


def test_with_exit_code_an_alarm_is_an_exit_status(flagged):
    assert command(*flagged, "--exit-code").exit_code == 1
    assert command(*flagged, "--exit-code", "--judge", "nobody").exit_code == 0


def test_a_program_can_read_every_finding(flagged):
    lines = [json.loads(line) for line in command(*flagged, "--json").output.splitlines()]
    assert {line["monitor"] for line in lines if line["state"] == "alarm"} == {"flags"}
    assert {line["series"]["rubric"] for line in lines} == {RUBRIC.id}
    assert {"not_enough_evidence", "ok"} <= {line["state"] for line in lines}


def test_what_is_well_is_shown_on_demand(flagged):
    assert "zero_variance" not in command(*flagged).output
    assert "zero_variance" in command(*flagged, "--all").output


def test_where_little_was_judged_it_says_that_there_is_nothing_to_look_at(flagged):
    shown = command(*flagged, "--judge", "nobody", "--exit-code")
    assert shown.exit_code == 0
    assert "Too few judgments" in shown.output


def test_a_database_that_is_not_there_is_no_good_news(tmp_path):
    file = tmp_path / "typo.db"
    shown = command("--database", f"sqlite:///{file}", "--exit-code")
    assert shown.exit_code == 2
    assert f"There is no database {file}." in shown.output
    assert not file.exists()


def test_a_moment_that_is_none_is_refused(flagged):
    assert command("--until", "yesterday").exit_code == 2


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
