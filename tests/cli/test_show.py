"""``judge-server show``: from a step of a run to the verdicts that decided its rewards."""

import json

import pytest
from typer.testing import CliRunner

from judge_server.cli import app
from tests.submissions import checking, submission


def invoke(*arguments):
    return CliRunner().invoke(app, list(map(str, arguments)))


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Six judgments of a run, two a step; every other response lacks the word that the rubric asks for."""
    folder = tmp_path_factory.mktemp("show")
    rows = [
        submission(
            rubric=checking(),
            prompt=f"What helps? ({number})",
            response=f"\x1b[2J{'emergency number' if number % 2 else 'Rest'} {number}",
            run="grpo-7",
            step=number // 2,
            id=f"row-{number}",
        )
        for number in range(6)
    ]
    (folder / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    url = f"sqlite:///{folder / 'judge.db'}"
    ended = invoke("score", folder / "in.jsonl", "--database", url, "--output", folder / "out.jsonl")
    assert ended.exit_code == 0, ended.output
    return url


def test_the_judgments_of_a_step_are_shown_with_texts_verdicts_and_cost(database):
    ended = invoke("show", "--run", "grpo-7", "--step", 1, "--database", database)
    assert ended.exit_code == 0, ended.output
    for part in (
        "What helps? (2)",
        "What helps? (3)",
        "emergency number 3",
        "Rest 2",
        "grpo-7",
        "row-2",
        "calls",
        "2 judgments",
    ):
        assert part in ended.stdout
    assert "What helps? (1)" not in ended.stdout
    assert "\x1b[2J" not in ended.stdout


def test_one_judgment_is_shown_by_its_id(database):
    line = invoke("show", "--run", "grpo-7", "--step", 2, "--limit", 1, "--json", "--database", database).stdout
    one = json.loads(line)
    number = one["submission"]["id"].removeprefix("row-")
    assert one["submission"] == {"id": f"row-{number}", "run": "grpo-7", "step": 2, "group": None, "policy": None}
    assert one["submitted"]["prompt"] == f"What helps? ({number})"
    ended = invoke("show", one["id"], "--database", database)
    assert one["id"] in ended.stdout
    assert "1.0000" in ended.stdout


def test_judgments_are_found_by_a_low_reward_and_by_their_text(database):
    low = invoke("show", "--run", "grpo-7", "--reward-below", 0.5, "--json", "--database", database).stdout.splitlines()
    found_ids = [json.loads(line)["submission"]["id"] for line in low]  # rows are judged side by side, in no order
    assert sorted(found_ids) == ["row-0", "row-2", "row-4"]
    found = invoke("show", "--text", "EMERGENCY NUMBER 3", "--json", "--database", database).stdout
    assert json.loads(found)["submission"]["id"] == "row-3"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "--run"),
        (["--run", "grpo-8"], "No judgment matches"),
        (["jdg_unknown"], "No judgment matches"),
        (["--status", "fine"], "status"),
    ],
)
def test_what_cannot_be_shown_is_named(database, arguments, told):
    ended = invoke("show", *arguments, "--database", database)
    assert ended.exit_code == 2
    assert told in ended.output
