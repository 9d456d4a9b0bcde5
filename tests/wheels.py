"""The two distributions as wheels, and environments that hold one of them and nothing of this checkout."""

import subprocess
import sys
from pathlib import Path

from tests.project.repository import ROOT

UV = ROOT / ".venv/bin/uv"


def built(project: Path, folder: Path) -> Path:
    """The wheel of the project in ``project``, built into ``folder``."""
    subprocess.run([UV, "build", "--quiet", "--wheel", "--out-dir", folder], cwd=project, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def python_with(wheel: Path, home: Path, *options: object) -> Path:
    """The interpreter of a new environment that holds a wheel and what it needs. ``options``: of ``uv pip install``."""
    subprocess.run([UV, "venv", "--quiet", "--python", sys.executable, home], check=True)
    subprocess.run([UV, "pip", "install", "--quiet", "--python", home / "bin/python", *options, wheel], check=True)
    return home / "bin/python"
