"""A folder to start in: every command that ``init`` names works as typed."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from judge_server.cli import app
from tests.yardstick import PATIENCE_SECONDS

PROGRAM = Path(sys.executable).with_name("judge-server")


@pytest.fixture
def folder(tmp_path):
    done = CliRunner().invoke(app, ["init", str(tmp_path / "grading"), "--rubric", "support/tickets"])
    assert done.exit_code == 0, done.output
    return tmp_path / "grading", done.output


def run(folder, *arguments, **more):
    return subprocess.run(
        [str(PROGRAM), *arguments], cwd=folder, capture_output=True, text=True, timeout=120, check=False, **more
    )


def test_the_commands_that_it_names_work_as_typed(folder):
    place, output = folder
    commands = [line.strip() for line in output.splitlines() if "judge-server " in line and line.startswith("  ")]
    assert len(commands) >= 4
    for command in commands:
        words = command.partition("judge-server ")[2].split()
        if words[0] == "serve":
            continue
        done = run(place, *words)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert run(place, "rubric", "test", "rubrics").returncode == 0
    assert run(place, "rubric", "lint", "rubrics").returncode == 0


def test_files_that_are_there_are_kept(folder):
    place, _ = folder
    (place / "judge-server.toml").write_text("# mine\n")
    done = CliRunner().invoke(app, ["init", str(place), "--rubric", "support/tickets"])
    assert "kept" in done.output
    assert (place / "judge-server.toml").read_text() == "# mine\n"


def test_score_prints_tables_on_a_terminal_and_json_into_a_pipe(folder):
    place, _ = folder
    command = ["score", "answers.jsonl", "--config", "judge-server.toml", "--rubric", "support/tickets"]
    piped = run(place, *command)
    assert [json.loads(line)["submission"]["id"] for line in piped.stdout.splitlines()] == ["a1", "a2"]
    shown = on_a_terminal(place, command)
    assert "reward" in shown
    assert "Restart it first" in shown
    assert '"verdicts"' not in shown
    assert '"verdicts"' in on_a_terminal(place, [*command, "--json"])


def on_a_terminal(folder, command):
    """What the command prints where its standard output is a terminal."""
    own, other = pty.openpty()
    process = subprocess.Popen(
        [str(PROGRAM), *command],
        cwd=folder,
        stdout=other,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"COLUMNS": "120"},
    )
    os.close(other)
    text = b""
    while True:
        try:
            piece = os.read(own, 65_536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(own)
    assert process.wait(PATIENCE_SECONDS) == 0
    return text.decode()
