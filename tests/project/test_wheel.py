"""The wheel carries the whole server: every command runs from it in an empty folder, or names the extra it needs."""

import json
import re
import shutil
import signal
import subprocess
import zipfile
from email.parser import Parser
from pathlib import Path

import httpx
import pytest

from tests.project import every_command
from tests.project.repository import ROOT
from tests.wheels import built, python_with
from tests.yardstick import PATIENCE_SECONDS


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    return built(ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def contents(wheel) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """Of an environment that holds judge-server without any extra."""
    return python_with(
        wheel, tmp_path_factory.mktemp("base") / "venv", "--constraint", ROOT / "requirements" / "dev.lock"
    )


@pytest.fixture(scope="module")
def command(python) -> Path:
    return python.with_name("judge-server")


@pytest.fixture(scope="module")
def ran(python, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("empty")
    script = shutil.copy(every_command.__file__, tmp_path_factory.mktemp("script") / "every_command.py")
    done = subprocess.run([python, "-I", script], cwd=folder, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr[-4_000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_wheel_carries_every_rubric(contents):
    rubrics = {path.relative_to(ROOT) for path in (ROOT / "rubrics").rglob("*") if path.is_file()}
    assert rubrics
    assert {f"judge_server/bundled/{path}" for path in rubrics} <= contents


def test_the_wheel_carries_every_file_of_the_package(contents):
    files = {path for path in (ROOT / "judge_server").rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {str(path.relative_to(ROOT)) for path in files} <= contents


def test_the_wheel_carries_nothing_else(contents):
    assert {name.split("/")[0].split("-")[0] for name in contents} == {"judge_server"}


def test_the_wheel_carries_the_documentation(contents):
    pages = {path.relative_to(ROOT) for path in (ROOT / "docs").rglob("*.md")}
    assert {f"judge_server/bundled/{path}" for path in pages} <= contents


def test_the_metadata_name_both_licenses_and_link_nowhere_relative(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        told = Parser().parsestr(archive.read(name).decode())
    assert told["License-Expression"] == "Apache-2.0 AND CC-BY-4.0"
    assert told["License-File"] == "LICENSE"
    assert re.findall(r"\]\((?!https?://)[^)]*\)", str(told.get_payload())) == []


def test_every_command_of_the_tree_is_tried(ran):
    tried = " \n".join(line for kind in ("runs", "extra", "checks", "server", "labels", "model") for line in ran[kind])
    missing = [name for name in ran["commands"] if not re.search(rf"^{name}( |$)", tried, flags=re.MULTILINE)]
    assert missing == ["rubric watch", "serve"]  # they do not end, and have tests of their own


def test_every_command_that_needs_no_extra_runs_in_an_empty_folder(ran):
    assert {line: end["told"][-500:] for line, end in ran["runs"].items() if end["status"] != 0} == {}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("extra", "with its extra 'calibration'"),
        ("checks", "with its extra 'checks'"),
        ("server", "does not answer"),
        ("labels", "Fill in the labels"),
        ("model", "Name a model that writes text"),
    ],
)
def test_what_a_command_lacks_is_named(ran, kind, said):
    for line, end in ran[kind].items():
        assert (end["status"], end["broken"]) == (2, False), (line, end["told"])
        assert said in " ".join(end["told"].split()), (line, end["told"])


def test_the_server_runs_from_the_wheel_in_an_empty_folder(command, tmp_path):
    with subprocess.Popen([command, "serve", "--port", "0"], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as server:
        try:
            lines = iter(server.stderr.readline, "")
            address = next(found[1] for line in lines if (found := re.search(r"running on (http://\S+)", line)))
            assert httpx.get(f"{address}/healthz", timeout=PATIENCE_SECONDS).status_code == 200
        finally:
            server.send_signal(signal.SIGTERM)
            server.stderr.read()
    assert server.returncode == 0
