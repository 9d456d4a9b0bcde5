import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.project.repository import ROOT


@pytest.fixture(scope="module")
def contents(tmp_path_factory) -> set[str]:
    folder: Path = tmp_path_factory.mktemp("wheel")
    subprocess.run([ROOT / ".venv/bin/uv", "build", "--quiet", "--wheel", "--out-dir", folder], cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_carries_every_rubric(contents):
    rubrics = {path.relative_to(ROOT) for path in (ROOT / "rubrics").rglob("*") if path.is_file()}
    assert rubrics
    assert {f"judge_server/bundled/{path}" for path in rubrics} <= contents


def test_the_wheel_carries_every_file_of_the_package(contents):
    files = {path for path in (ROOT / "judge_server").rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert {str(path.relative_to(ROOT)) for path in files} <= contents


def test_the_wheel_carries_nothing_else(contents):
    assert {name.split("/")[0].split("-")[0] for name in contents} == {"judge_server"}
