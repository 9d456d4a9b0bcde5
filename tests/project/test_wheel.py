import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.project.repository import ROOT

UV = ROOT / ".venv/bin/uv"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder: Path = tmp_path_factory.mktemp("wheel")
    subprocess.run([UV, "build", "--quiet", "--wheel", "--out-dir", folder], cwd=ROOT, check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def contents(wheel) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def command(wheel, tmp_path_factory) -> Path:
    """judge-server as installed from the wheel without any extra."""
    home = tmp_path_factory.mktemp("base") / "venv"
    pins = ["--constraint", ROOT / "requirements" / "dev.lock"]
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, home], check=True)
    subprocess.run([UV, "pip", "install", "--quiet", "--python", home / "bin/python", *pins, wheel], check=True)
    return home / "bin/judge-server"


def test_the_wheel_carries_every_rubric(contents):
    rubrics = {path.relative_to(ROOT) for path in (ROOT / "rubrics").rglob("*") if path.is_file()}
    assert rubrics
    assert {f"judge_server/bundled/{path}" for path in rubrics} <= contents


def test_the_wheel_carries_every_file_of_the_package(contents):
    files = {path for path in (ROOT / "judge_server").rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {str(path.relative_to(ROOT)) for path in files} <= contents


def test_the_wheel_carries_nothing_else(contents):
    assert {name.split("/")[0].split("-")[0] for name in contents} == {"judge_server"}


@pytest.mark.parametrize("name", ["run", "report", "gate", "fit", "compare", "disagreements"])
def test_a_command_without_its_extra_names_it_before_it_starts(command, name, tmp_path):
    (tmp_path / "l.csv").touch()
    words = {
        "run": ["--labels", "l.csv", "--rubric", "r"],
        "compare": ["l.csv", "l.csv"],
        "fit": ["l.csv", "--rubric", "r"],
    }.get(name, ["l.csv"])
    done = subprocess.run(
        [command, "calibrate", name, *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "with its extra 'calibration'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_demo_runs_from_the_wheel_in_an_empty_folder(command, tmp_path):
    done = subprocess.run([command, "demo"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "13 submissions" in done.stdout
