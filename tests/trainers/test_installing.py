"""The commands of docs/trainers that install and serve, as they are typed, beside a checkout of this project."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.trainers.environment import ROOT
from tests.trainers.page import blocks

pytestmark = [pytest.mark.trainers, pytest.mark.timeout(300)]

PAGES = sorted(path.stem for path in (ROOT / "docs" / "trainers").glob("*.md"))
INSTALLING = {block.text: page for page in PAGES for block in blocks(page) if "pip install" in block.text}
BIN = Path(sys.executable).parent


@pytest.fixture
def checkout(tmp_path):
    """A folder that holds this project as ``judge-server``, as after git clone, and a ``pip`` that downloads nothing
    and leaves dependencies out."""
    (tmp_path / "judge-server").symlink_to(ROOT, target_is_directory=True)
    subprocess.run([BIN / "uv", "venv", "--quiet", "--python", sys.executable, tmp_path / "new"], check=True)
    pip = tmp_path / "pip"
    pip.write_text(f'#!/bin/sh\nexec {BIN}/uv pip "$@" --dry-run --no-deps\n')
    pip.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("command", INSTALLING, ids=INSTALLING.values())
def test_what_the_page_installs_is_found_and_our_client_is_built_from_the_checkout(command, checkout):
    lines = [line for line in command.splitlines() if "pip install" in line]
    folder = checkout if "./judge-server/" in command else checkout / "judge-server"
    environment = os.environ | {"PATH": f"{checkout}:{BIN}:{os.environ['PATH']}", "VIRTUAL_ENV": str(checkout / "new")}

    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(lines)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr[-3000:]
    assert ("+ judge-client" in done.stderr) == ("clients" in command)


def test_the_serve_line_of_the_pages_starts_a_server(tmp_path):
    (command,) = {block.text for page in PAGES for block in blocks(page) if block.text.startswith(".venv/bin/judge-s")}
    (tmp_path / ".venv").symlink_to(BIN.parent, target_is_directory=True)
    environment = os.environ | {"JUDGE_SERVER_PORT": "0"}
    with subprocess.Popen(
        ["bash", "-c", f"exec {command}"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    ) as started:
        said = next((line for line in started.stderr if "unning on http://127.0.0.1:" in line), None)
        started.send_signal(signal.SIGTERM)
        started.stderr.read()

    assert said
    assert started.returncode == 0
