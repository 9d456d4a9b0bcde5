"""Installs the wheel, and nothing of this checkout, on other interpreters, and tries it.

    python -m deploy.try_interpreters /usr/bin/python3.13 …    a row of a Markdown table for each, and resolution

With the newest and with the lowest versions of what the server depends on directly (of those with a wheel for the
interpreter): every command of the tree runs in an empty folder or names what it lacks, the server answers over HTTP,
and the tests that need no other part of the checkout pass against the installed package.
"""

import argparse
import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import httpx

ROOT = Path(__file__).resolve().parents[1]
RESOLUTIONS = ("highest", "lowest-direct")
TOOLS = (
    "hypothesis>=6.140",
    "psycopg[binary]>=3.2",
    "pytest>=9",
    "pytest-asyncio>=1.3",
    "pytest-timeout>=2.4",
    "pytest-xdist>=3.8",
    "statsmodels>=0.14.5",
)
# these import the package and test helpers only
TESTS = (
    "tests/core",
    "tests/util",
    "tests/judging/test_reading.py",
    "tests/judging/checks/test_structure.py",
    "tests/server/test_permission.py",
    "tests/server/test_score.py",
)


class Tried(NamedTuple):
    """What one environment showed. ``commands``: lines that ended as they should, of all; ``tests``: pytest's last
    line; ``problems``: what went wrong."""

    python: str
    resolution: str
    packages: int
    commands: str
    server: str
    tests: str
    problems: tuple[str, ...]

    def row(self) -> str:
        return (
            f"| {self.python} | {self.resolution} | {self.packages} | {self.commands} | {self.server} | {self.tests} |"
        )


def tried(interpreter: str, resolution: str, wheel: Path, folder: Path, uv: str) -> Tried:
    home = folder / "venv"
    python = home / "bin/python"
    install = [
        uv,
        "pip",
        "install",
        "--quiet",
        "--python",
        str(python),
        "--only-binary",
        ":all:",
        "--resolution",
        resolution,
    ]
    _run([uv, "venv", "--quiet", "--python", interpreter, str(home)])
    _run([*install, "--requirements", str(ROOT / "pyproject.toml")])
    _run([uv, "pip", "install", "--quiet", "--python", str(python), "--no-deps", str(wheel)])
    packages = len(_run([uv, "pip", "freeze", "--python", str(python)]).splitlines())
    version = _run([str(python), "-c", "import platform; print(platform.python_version())"]).strip()
    problems: list[str] = []
    commands = _commands(python, folder / "empty", problems)
    server = _server(python, folder / "empty", problems)
    _run([uv, "pip", "install", "--quiet", "--python", str(python), *TOOLS])
    tests = _tests(python, folder / "apart", problems)
    return Tried(version, resolution, packages, commands, server, tests, tuple(problems))


def _commands(python: Path, folder: Path, problems: list[str]) -> str:
    """Every command in an empty folder: it ends well, or with 2 and a message."""
    folder.mkdir()
    script = shutil.copy(ROOT / "tests/project/every_command.py", folder.parent / "every_command.py")
    found: dict[str, Any] = json.loads(_run([str(python), "-I", str(script)], folder).splitlines()[-1])
    ended = {line: (kind, end) for kind, lines in found.items() if kind != "commands" for line, end in lines.items()}
    wrong = {
        line: end["told"][-300:]
        for line, (kind, end) in ended.items()
        if end["broken"] or end["status"] != (0 if kind == "runs" else 2)
    }
    problems += [f"{line}: {told}" for line, told in wrong.items()]
    return f"{len(ended) - len(wrong)} of {len(ended)}"


def _server(python: Path, folder: Path, problems: list[str]) -> str:
    command = [str(python.with_name("judge-server")), "serve", "--port", "0"]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None  # noqa: S101 - it was asked for
        lines: list[str] = []
        for line in iter(server.stderr.readline, ""):
            lines.append(line)
            if listening := re.search(r"running on (http://\S+)", line):
                answer = httpx.post(f"{listening[1]}/v1/score", json=_SUBMISSION, timeout=60)
                server.send_signal(signal.SIGTERM)
                server.stderr.read()
                return f"{answer.status_code}"
    problems.append("serve: " + "".join(lines)[-500:])
    return "did not start"


_SUBMISSION = {"prompt": "I have a headache.", "response": "Drink water and rest.", "rubric": "medical/consultation"}


def _tests(python: Path, folder: Path, problems: list[str]) -> str:
    """The tests in a folder that holds no ``judge_server``: what they import is the installed package."""
    for name in ("tests", "benchmarks", "examples"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "trainers"))
    for name in ("pyproject.toml", "Makefile"):
        shutil.copy(ROOT / name, folder / name)
    command = [
        str(python),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "default",
        "-m",
        "not engine and not postgres",
    ]
    done = subprocess.run([*command, *TESTS], cwd=folder, capture_output=True, text=True, check=False)
    last = (done.stdout.strip().splitlines() or [done.stderr[-300:]])[-1]
    if done.returncode:
        problems += re.findall(r"^(?:FAILED|ERROR) .*", done.stdout, re.MULTILINE)[:20] or [
            done.stdout[-800:] + done.stderr[-500:]
        ]
    return re.sub(r" in [\d.]+s.*|=", "", last).strip()


def _run(command: list[str], folder: Path | None = None) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-2_000:]}")
    return done.stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", nargs="+", help="an interpreter's path")
    parser.add_argument("--resolution", choices=RESOLUTIONS, action="append", help="default: both")
    parser.add_argument("--uv", default=str(Path(sys.executable).with_name("uv")))
    given = parser.parse_args()
    print("| Python | versions | packages | commands | POST /v1/score | tests |\n|---|---|---|---|---|---|")
    broken = False
    with tempfile.TemporaryDirectory(prefix="judge-interpreters-") as name:
        _run([given.uv, "build", "--quiet", "--wheel", "--out-dir", name, str(ROOT)])
        (wheel,) = Path(name).glob("*.whl")
        for number, (python, resolution) in enumerate(
            (p, r) for p in given.python for r in given.resolution or RESOLUTIONS
        ):
            folder = Path(name) / str(number)
            folder.mkdir()
            outcome = tried(python, resolution, wheel, folder, given.uv)
            print(outcome.row(), flush=True)
            print("\n".join(outcome.problems), file=sys.stderr, flush=True)
            broken = broken or bool(outcome.problems)
    sys.exit(broken)


if __name__ == "__main__":
    main()
