"""judge-server monitor: one look at the stored judgments from the command line."""

import asyncio
import json
from datetime import timedelta

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
