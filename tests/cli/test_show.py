"""``judge-server show``: from a step of a run to the verdicts that decided its rewards."""

import dataclasses
import json
import re
from io import StringIO

import pytest
from rich.console import Console
from typer.testing import CliRunner

from judge_server.cli import app
from judge_server.cli.actions.show import Shown, print_judgment
from judge_server.cli.options import FilterFlags
from judge_server.core.judgment import Judgment
from judge_server.core.judgment_filter import JudgmentFilter
from judge_server.server.routes.judgments import JudgmentQuery
from judge_server.store.reading import Filter
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
            policy="tuned" if number > 3 else None,
            tags=["night"] if number == 5 else None,
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
    assert one["submission"] == {"id": f"row-{number}", "run": "grpo-7", "step": 2, "group": None, "policy": "tuned"}
    assert one["submitted"]["prompt"] == f"What helps? ({number})"
    ended = invoke("show", one["id"], "--database", database)
    assert one["id"] in ended.stdout
    assert ("1.0000" if int(number) % 2 else "0.0000") in ended.stdout


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


FILTERS = {
    "policy": (["--policy", "tuned"], {4, 5}),
    "tag": (["--tag", "night"], {5}),
    "range": (["--reward-from", 0.5, "--reward-below", 1.5], {1, 3, 5}),
    "status": (["--status", "ok"], {0, 1, 2, 3, 4, 5}),
    "rubric": (["--rubric", "test/word@1.0.0", "--step", 0], {0, 1}),
    "since": (["--since", "2000-01-01T00:00:00Z", "--step", 1], {2, 3}),
    "until": (["--until", "2000-01-01T00:00:00Z"], set()),
    "flag": (["--flag", "injection_suspected"], set()),
    "judge": (["--judge", "nobody"], set()),
}


@pytest.mark.parametrize("name", FILTERS)
def test_each_filter_of_the_explorer_is_one_of_the_command(database, name):
    given, rows = FILTERS[name]
    ended = invoke("show", *given, "--json", "--database", database)
    found = {json.loads(line)["submission"]["id"] for line in ended.stdout.splitlines()}
    assert found == {f"row-{number}" for number in rows}, ended.output


def test_a_filter_that_cannot_be_read_is_named(database):
    for given in (["--since", "12"], ["--status", "done"], ["--reward-from", "nan"], ["--text", "x"]):
        ended = invoke("show", *given, "--database", database)
        assert ended.exit_code == 2
        assert f"error: {given[0]}: " in ended.output


def test_the_store_the_routes_and_the_command_know_the_same_filters():
    fields = set(JudgmentFilter.model_fields)
    assert fields == set(Filter.__annotations__) - {"caller"}
    assert fields == {field.name for field in dataclasses.fields(FilterFlags)}
    assert fields == set(JudgmentQuery.model_fields) - {"include", "limit", "cursor"}


def test_of_a_cascade_the_judge_that_decided_is_named():
    asked = (("cheap", 0.5, False), ("strong", 1.0, True))
    panel = [{"judge": judge, "status": "ok", "value": value, "decided": decided} for judge, value, decided in asked]
    verdict = {"criterion": "kind", "status": "ok", "source": "judge", "points": 1.0, "value": 1.0, "panel": panel}
    given = {"id": "jdg_1", "reward": 1.0, "status": "ok", "coverage": 1.0, "verdicts": [verdict]}
    judgment = Judgment.model_validate(given | {"created_at": "2026-11-30T12:00:00Z"})
    console = Console(record=True, width=120, file=StringIO())
    print_judgment(console, Shown(judgment, None, None))
    assert re.search(r"1\.00 +strong +kind", console.export_text())
