"""``judge-server run`` and ``data difficulty --run``: a run seen from its database."""

import json

import pytest
from typer.testing import CliRunner

from judge_server.cli import app
from tests.submissions import checking, submission


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """A run of two steps: one prompt whose rewards are equal, one of middling difficulty, one that the judge fails on
    once."""
    folder = tmp_path_factory.mktemp("runs")
    answers = {"Too easy?": "1111", "In between?": "1010", "\x1b[2JToo hard?": "0000"}
    rows = [
        submission(
            rubric=checking(),
            prompt=prompt,
            response=f"{'emergency number' if digit == '1' else 'Rest'} {number}",
            reference="Call.",
            run="grpo-7",
            step=number // 2,
        )
        for prompt, digits in answers.items()
        for number, digit in enumerate(digits)
    ]
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    url = f"sqlite:///{folder / 'judge.db'}"
    ended = invoke("score", folder / "in.jsonl", "--database", url, "--output", folder / "out.jsonl")
    assert ended.exit_code == 0, ended.output
    return url


def test_a_run_is_listed_and_shown_with_what_rewarded_its_steps(database):
    assert invoke("run", "list", "--database", database).stdout == "grpo-7\n"
    ended = invoke("run", "show", "grpo-7", "--database", database)
    assert ended.exit_code == 0, ended.output
    for part in ("grpo-7", "pinned: guard", "pinned: server"):
        assert part in ended.stdout
    (source,) = json.loads(invoke("run", "show", "grpo-7", "--json", "--database", database).stdout)["sources"]
    assert (source["judgments"], source["ok"], source["steps"], source["mean_reward"]) == (12, 12, 2, 0.5)


def test_prompts_with_equal_rewards_come_first(database):
    found = json.loads(invoke("run", "prompts", "grpo-7", "--json", "--database", database).stdout)
    assert (found["groups"], found["equal_groups"]) == (6, 4)
    assert found["listed"][-1]["excerpt"] == "In between?"
    shown = invoke("run", "prompts", "grpo-7", "--database", database).stdout
    assert "4 of 6 groups have equal rewards" in shown
    assert "0:1.00=" in shown
    assert "\x1b[2J" not in shown


def test_a_repin_needs_a_reason_and_a_pinned_run(database):
    assert invoke("run", "repin", "grpo-7", "--database", database).exit_code == 2
    assert invoke("run", "repin", "grpo-7", "--reason", " ", "--database", database).exit_code == 2
    assert invoke("run", "repin", "grpo-9", "--reason", "x", "--database", database).exit_code == 2


def test_the_history_of_a_run_selects_prompts_and_keeps_their_fields(database, tmp_path):
    out = tmp_path / "kept.jsonl"
    command = ("data", "difficulty", "--run", "grpo-7", "--database", database, "--output", out, "--json")
    report = json.loads(invoke(*command).stdout)
    assert report["counts"]["kept"] == 1
    assert (report["prompts"], report["rollouts"], report["failed_rollouts"]) == (3, 12, 0)
    (kept,) = map(json.loads, out.read_text().splitlines())
    assert (kept["prompt"], kept["reference"]) == ("In between?", "Call.")
    assert "response" not in kept
    assert "rewards" not in kept


def test_a_run_and_a_file_exclude_each_other(database, tmp_path):
    assert invoke("data", "difficulty", tmp_path / "x", "--run", "r").exit_code == 2
    assert invoke("data", "difficulty").exit_code == 2
    unknown = invoke("data", "difficulty", "--run", "grpo-9", "--database", database)
    assert unknown.exit_code == 2
    assert "grpo-9" in unknown.output


def test_a_repin_is_recorded(database):
    ended = invoke("run", "repin", "grpo-7", "--reason", "criterion 3 had a typo", "--database", database)
    assert ended.exit_code == 0, ended.output
    shown = invoke("run", "show", "grpo-7", "--database", database).stdout
    assert "Reason: criterion 3 had a typo" in shown
    assert "pinned: " not in shown
