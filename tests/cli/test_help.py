"""The help of every command is whole in a terminal of 80 columns."""

import re
from collections.abc import Iterator
from typing import Any

import typer
from typer.testing import CliRunner

from judge_server.cli import app


def _commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*path, name))


def test_no_help_is_cropped_at_80_columns():
    found = list(_commands(typer.main.get_command(app)))
    assert len(found) > 40
    for path in found:
        told = CliRunner().invoke(app, [*path, "--help"], terminal_width=80)
        assert told.exit_code == 0, (path, told.output)
        assert "Usage: " in told.output
        assert "…" not in told.output, path
        assert not re.findall(r".*[\w,.]\.\.\.$", told.output, re.MULTILINE), path
