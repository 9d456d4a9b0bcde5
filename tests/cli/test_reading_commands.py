"""Commands that only read a database never migrate it: an older server may run on it, or a newer one is to be tried."""

import pytest
from typer.testing import CliRunner

from judge_server.cli import app

OLDER = "0027"


def invoke(*arguments: str):
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture(scope="module")
def older(tmp_path_factory):
    """The flags that name a database of an older judge-server."""
    flags = ("--database", f"sqlite:///{tmp_path_factory.mktemp('older')}/judge.db")
    assert invoke("keys", "create", "somebody", *flags).exit_code == 0
    assert invoke("database", "downgrade", OLDER, *flags).exit_code == 0
    return flags


@pytest.mark.parametrize(
    "words",
    [
        "keys list",
        "budget list",
        "run list",
        "run show r",
        "show --run r",
        "rescore medical/consultation",
        "monitor",
        "monitor queue export open.jsonl --label-set a/b",
        "monitor queue estimate --label-set a/b",
        "calibrate certificates",
        "database stats",
        "database prune --dry-run",
        "database check",
        "database upgrade --dry-run",
    ],
)
def test_a_command_that_only_reads_leaves_the_tables_as_they_are(older, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read = invoke(*words.split(), *older)
    assert "Traceback" not in read.output
    assert f"revision {OLDER}" in invoke("database", "current", *older).output
    if words.partition(" ")[0] != "database":
        assert read.exit_code == 2
        assert "judge-server database upgrade" in read.output


def test_a_list_of_keys_without_a_database_makes_none(tmp_path):
    file = tmp_path / "none.db"
    assert invoke("keys", "list", "--database", f"sqlite:///{file}").exit_code == 2
    assert not file.exists()
