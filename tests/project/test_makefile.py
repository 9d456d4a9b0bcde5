import os
import re
import subprocess

import pytest

from tests.command import PROGRAM
from tests.distribution import ENGINE, ENGINE_FILES, unit
from tests.project.repository import ROOT

TARGETS = [
    "install",
    "install-base",
    "demo",
    "test",
    "test-long",
    "test-numerics",
    "test-trainers",
    "bench",
    "bench-gate",
    "mutate",
    "simulate",
    "coverage",
    "check",
    "pyright",
    "hadolint",
    "audit",
    "interpreters",
    "release",
    "image",
    "format",
    "lock",
    "lock-trainers",
]


def rehearsed(target: str) -> str:
    return made("--dry-run", target)


def made(*words: str) -> str:
    """Says the same when the tests themselves were started by make."""
    command = ["make", "--no-print-directory", *words]
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(command, cwd=ROOT, env=outside, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("target", TARGETS)
def test_the_target_exists_and_says_what_it_does(target):
    rehearsed(target)
    assert re.search(rf"^{target}\s{{2,}}\S", rehearsed_help(), flags=re.MULTILINE)


def rehearsed_help() -> str:
    return made("help")


@pytest.mark.parametrize("target", ["demo", "test", "test-long", "test-trainers", "bench", "check", "audit"])
def test_whatever_needs_the_environment_sets_it_up_first(target):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    needs = dict(re.findall(r"^([a-z-]+): (\S+).*##", makefile, flags=re.MULTILINE))
    assert needs[target] in {"install", "install-base", "check"}
    assert needs["check"] == "install"


def test_the_tests_run_after_the_checks_and_close_the_output():
    commands = rehearsed("test").splitlines()
    assert commands[-1].startswith(".venv/bin/pytest")
    assert [
        word for word in ("ruff format", "ruff check", "mypy", "lint-imports") if word not in "\n".join(commands)
    ] == []


def test_the_hooks_run_the_commands_of_make_check():
    hooks = re.findall(r"entry: \.venv/bin/(.+)", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    checked = rehearsed("check")
    assert hooks
    assert [hook for hook in hooks if f".venv/bin/{hook}" not in checked] == []


@pytest.mark.parametrize("target", ["test", "test-long", "test-trainers"])
def test_ci_runs_every_kind_of_test(target):
    assert re.search(rf"^make {target} ", (ROOT / ".ci" / "run").read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_every_test_runs_under_exactly_one_target():
    chosen = {
        target: re.search(r"-m \"?([a-z ]+)", rehearsed(target).splitlines()[-1])[1].strip()
        for target in ("test", "test-long", "test-trainers")
    }
    assert chosen == {
        "test": "not trainers and not long and not longest",
        "test-long": "long or longest",
        "test-trainers": "trainers and not long and not longest",
    }


@pytest.mark.parametrize("target", ["test", "test-long"])
def test_workers_get_whole_files(target):
    assert "--dist loadfile --no-loadscope-reorder" in rehearsed(target)


def test_everything_that_starts_an_engine_is_one_unit_and_every_other_file_its_own():
    assert {unit(f"{name}::test[a::b]") for name in ENGINE_FILES} == {ENGINE}
    assert unit("tests/core/test_reward.py::test_a[x::y]") == "tests/core/test_reward.py"
    assert [name for name in ENGINE_FILES if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("target", ["install", "install-base"])
def test_the_environment_keeps_the_bytecode_of_short_commands_whatever_python_is_told(target):
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    form = r"^COMPILED := env -u PYTHONDONTWRITEBYTECODE \$\(BIN\)/(judge-server .*) >/dev/null$"
    compiling = re.search(form, makefile, re.MULTILINE)
    recipe = makefile.partition(f"$(VENV)/installed{target.removeprefix('install')}: ")[2].partition("\n\n")[0]
    assert "$(COMPILED)" in recipe
    assert compiling
    ran = subprocess.run([PROGRAM, *compiling[1].split()[1:]], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "no tables yet" in ran.stdout
