"""docs/trainers/log-to-verdict.md: its commands and its program give what the page shows."""

import contextlib
import io
import json
import re
import shlex

import pandas as pd
import pytest

from tests.cli.test_runs import invoke
from tests.project.repository import ROOT
from tests.served import served, settings_of
from tests.trainers.page import blocks

SHOWN = blocks("log-to-verdict")
COMMANDS = [line for block in SHOWN if block.language == "sh" for line in block.text.splitlines()]
ROW, VERDICT, HIGH = (block.text for block in SHOWN if block.language == "text")
(PROGRAM,) = (block.text for block in SHOWN if block.language == "python")
(LOGGED,) = (json.loads(block.text) for block in SHOWN if block.language == "json")
NAME = "examples/short_question"
VARYING = re.compile(r"jdg_\w+|\d+\.\d+ s\b|\d{4}-\d\d-\d\dT[\d:]+\+00:00")


def plain(text):
    """Words alone: a terminal of another width breaks lines elsewhere."""
    return " ".join(VARYING.sub("…", text).replace("─", " ").split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The first command has run."""
    folder = tmp_path_factory.mktemp("walk")
    assert command(COMMANDS[0], folder).exit_code == 0
    return folder


def command(line, folder, judgment=""):
    here = line.replace("examples/", f"{ROOT}/examples/").replace("walk.db", f"{folder}/walk.db")
    program, *arguments = shlex.split(re.sub(r"jdg_\w+", judgment, here))
    assert program == "judge-server"
    return invoke(*arguments)


@pytest.fixture(scope="module")
def judgments(folder):
    listed = command("judge-server show --run smollm2 --json --database sqlite:///walk.db", folder).stdout
    return [json.loads(line) for line in listed.splitlines()][::-1]


def commanded(*words):
    (found,) = [line for line in COMMANDS if all(word in line for word in words)]
    return found


def test_the_rewards_are_those_that_trl_logged(judgments):
    assert len(judgments) == 8
    assert sum(one["reward"] for one in judgments) / 8 == pytest.approx(float(LOGGED["reward"]), abs=5e-5)
    assert sum(bool(one["flags"]) for one in judgments) / 8 == float(LOGGED[f"{NAME}/flagged"])
    assert all(one["status"] == "ok" for one in judgments)


def test_the_program_prints_the_row(judgments, tmp_path):
    table = {
        "completion": [[one["submitted"]["response"][0]] for one in judgments],
        NAME: [one["reward"] for one in judgments],
        f"{NAME}/judgment": [one["id"] for one in judgments],
    }
    pd.DataFrame(table).to_parquet(tmp_path / "completions_00007.parquet")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(PROGRAM.replace("out/completions", str(tmp_path)), "page", "exec"), {})
    lowest = min(judgments, key=lambda one: one["reward"])
    assert plain(printed.getvalue()) == plain(ROW)
    assert lowest["id"] in printed.getvalue()


def test_the_id_leads_to_the_verdict(folder, judgments):
    lowest = min(judgments, key=lambda one: one["reward"])
    told = command(commanded("show jdg_"), folder, lowest["id"])
    head, _, _ = plain(VERDICT).partition("one_question")

    assert lowest["id"] in told.stdout
    assert head in plain(told.stdout)
    assert {verdict["source"] for verdict in lowest["verdicts"]} == {"guard"}
    assert told.stdout.count("guard  ") == 8  # the fact and seven verdicts


def test_run_and_step_lead_there_too(folder, judgments):
    of_the_step = command(commanded("show", "--step 7 --database"), folder)
    low = command(commanded("show", "--reward-below"), folder)

    assert all(one["id"] in of_the_step.stdout for one in judgments)
    lowest = min(judgments, key=lambda one: one["reward"])
    assert [one["id"] for one in judgments if one["id"] in low.stdout] == [lowest["id"]]


def test_words_of_the_response_lead_to_a_high_reward_and_its_reasons(folder):
    told = command(commanded("show", "--text"), folder)

    assert "reward 0.7269" in plain(told.stdout)
    for row in HIGH.splitlines():
        if row.startswith("+"):
            assert plain(row[:22]) in plain(told.stdout)


def test_the_run_and_its_prompts_are_shown(folder):
    assert "7 (1)" in command(commanded("run show"), folder).stdout
    assert "0 of 1 groups have equal rewards" in command(commanded("run prompts"), folder).stdout


def test_a_server_answers_the_same(folder, judgments):
    path = re.search(r"\$JUDGE_URL(\S+)\"", commanded("curl"))[1]
    with served(settings_of(database=f"sqlite:///{folder}/walk.db")) as client:
        (found,) = client.get(path).json()["judgments"]
    assert found["id"] == min(judgments, key=lambda one: one["reward"])["id"]
    assert found["submitted"]["response"][0]["content"] == "What can I help you with?"
