"""What continuous integration does with tests that fail beside others."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests import again

BESIDE_OTHERS = """
import pathlib

def test_second():
    first = not pathlib.Path("seen").exists()
    pathlib.Path("seen").touch()
    assert not first
"""
ALWAYS = "def test_always():\n    assert 1 == 2\n"


def run(folder: Path, **files: str) -> int:
    for name, text in files.items():
        (folder / f"test_{name}.py").write_text(text, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly"]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode


def test_a_test_that_passes_alone_is_named_and_refuses_nothing(tmp_path, capfd):
    assert run(tmp_path, unstable=BESIDE_OTHERS) == 1
    assert again.main(1, tmp_path) == 0
    assert (
        "UNSTABLE, a fault of the test or of what it tests:\n  test_unstable.py::test_second" in capfd.readouterr().out
    )


def test_a_test_that_fails_alone_too_is_a_failure(tmp_path, capfd):
    assert run(tmp_path, unstable=BESIDE_OTHERS, wrong=ALWAYS) == 1
    assert again.main(1, tmp_path) == 1
    assert "UNSTABLE" not in capfd.readouterr().out


@pytest.mark.parametrize("status", [2, 3, 4, 5, 137], ids=["interrupted", "internal", "usage", "none", "killed"])
def test_a_run_that_did_not_reach_its_end_is_not_run_again(tmp_path, status, capfd):
    assert run(tmp_path, unstable=BESIDE_OTHERS) == 1
    assert again.main(status, tmp_path) == status
    assert capfd.readouterr().out == ""


def test_many_failures_are_not_run_again(tmp_path):
    assert run(tmp_path, many="".join(f"def test_{n}():\n    assert 1 == 2\n" for n in range(again.MOST + 1))) == 1
    assert again.main(1, tmp_path) == 1


def test_without_what_failed_the_status_stays(tmp_path):
    assert again.main(1, tmp_path) == 1
