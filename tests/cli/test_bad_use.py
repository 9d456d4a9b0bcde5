"""Whatever is wrong with a command's flags or files, it says so in one line with the remedy and ends with 2."""

import json
from contextlib import chdir

import pytest
from typer.testing import CliRunner

from judge_server.cli import app
from tests.submissions import checking

ITEMS = ["score", "in.jsonl"]
BAD = {
    "unknown provider": ([*ITEMS, "--model", "nonsense:x"], "vllm:NAME_OR_PATH"),
    "no provider": ([*ITEMS, "--model", ""], "vllm:NAME_OR_PATH"),
    "address without scheme": ([*ITEMS, "--model", "openai:stub@localhost"], "localhost"),
    "judge that is down": ([*ITEMS, "--model", "openai:stub@http://127.0.0.1:9/v1"], "127.0.0.1:9"),
    "recording that is not there": ([*ITEMS, "--model", "recorded:nowhere.jsonl"], "nowhere.jsonl"),
    "checkpoint that is not there": ([*ITEMS, "--model", "vllm:/no/such/checkpoint"], "/no/such/checkpoint"),
    "unknown mode": ([*ITEMS, "--mode", "dircet"], "direct"),
    "engine option without a value": ([*ITEMS, "--engine", "dtype"], "KEY=VALUE"),
    "unknown engine option": ([*ITEMS, "--model", "openai:stub@http://127.0.0.1:9/v1", "--engine", "a=1"], "a"),
    "no such file": (["score", "nothing.jsonl"], "nothing.jsonl"),
    "a directory without a file of submissions": (["score", "empty"], "empty holds no .jsonl"),
    "output that is a directory": ([*ITEMS, "--output", "empty"], "--output empty"),
    "output in no directory": ([*ITEMS, "--output", "no/where.jsonl"], "no/where.jsonl"),
    "unknown rubric": ([*ITEMS, "--rubric", "medical/consultatoin"], "medical/consultation"),
    "broken rubric file": ([*ITEMS, "--rubric", "broken.yaml"], "broken.yaml:"),
    "unknown judge": ([*ITEMS, "--judge", "nobody"], "Configured judges: default"),
    "unknown database": ([*ITEMS, "--database", "mysql://u:secret-word@h/x"], "postgresql://"),
    "database without an answer": ([*ITEMS, "--database", "postgresql://u:secret-word@127.0.0.1:9/x"], "127.0.0.1:9"),
    "database in no directory": ([*ITEMS, "--database", "sqlite:////no/where/x.db"], "/no/where"),
    "no such configuration": ([*ITEMS, "--config", "nothing.toml"], "nothing.toml"),
    "configuration that is no TOML": ([*ITEMS, "--config", "in.jsonl"], "not TOML"),
    "unknown settings": ([*ITEMS, "--config", "unknown.toml"], "did you mean model?"),
    "rescoring an unknown rubric": (["rescore", "--rubric", "no/thing", "--database", "sqlite://"], "no/thing"),
    "rescoring an unknown judgment": (
        ["rescore", "jdg_x", "--rubric", "medical/consultation", "--database", "sqlite://"],
        "jdg_x",
    ),
    "demonstration by a judge that is down": (["demo", "--model", "openai:s@http://127.0.0.1:9/v1"], "127.0.0.1:9"),
    "measuring a judge that is down": (["bench", "--model", "openai:s@http://127.0.0.1:9/v1"], "127.0.0.1:9"),
    "serving an unknown mode": (["serve", "--mode", "dircet"], "direct"),
    "serving on an unknown cluster": (["serve", "--on", "slurm"], "only ray is known"),
    "serving on no cluster at an address": (["serve", "--address", "10.0.0.5:6379"], "give --on ray"),
    "scoring on no cluster at an address": ([*ITEMS, "--address", "auto"], "give --on ray"),
    "serving without a configuration": (["serve", "--config", "nothing.toml"], "nothing.toml"),
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in.jsonl").write_text(json.dumps({"rubric": checking(), "prompt": "p", "response": "r"}) + "\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken.yaml").write_text("id: a/b\nversion: 1.0.0\ntitle: t\ncriteria: [{pionts: 3}]\n")
    (tmp_path / "unknown.toml").write_text('[judges.fast]\nmodell = "baseline"\n')
    with chdir(tmp_path):
        yield tmp_path


@pytest.mark.parametrize("name", BAD)
def test_bad_use_is_one_line_with_the_remedy(folder, name):
    arguments, told = BAD[name]
    ended = CliRunner().invoke(app, arguments)
    said = [line for line in ended.stderr.splitlines() if line.startswith("error: ")]
    assert ended.exit_code == 2, ended.output
    assert ended.stdout == ""
    assert len(said) == 1, ended.stderr
    assert told in said[0]
    assert "Traceback" not in ended.stderr
    assert "secret-word" not in ended.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["score"],
        ["score", "in.jsonl", "--votes", "0"],
        ["score", "in.jsonl", "--deadline", "-1"],
        ["score", "in.jsonl", "--concurrency", "none"],
        ["score", "in.jsonl", "--min-label-mass", "2"],
        ["score", "in.jsonl", "--rubrics", "nowhere"],
        ["serve", "--port", "70000"],
        ["serve", "--colour", "blue"],
        ["bench", "--prompts", "0"],
        ["rescore", "--rubrik", "x"],
        ["paint"],
    ],
    ids=" ".join,
)
def test_flags_that_cannot_be_used_end_with_2_and_the_usage(folder, arguments):
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == 2
    assert "Usage:" in ended.stderr


def test_nothing_is_written_where_the_command_could_not_start(folder):
    CliRunner().invoke(app, ["score", "in.jsonl", "--rubric", "broken.yaml", "--output", "out.jsonl"])
    assert not (folder / "out.jsonl").exists()
