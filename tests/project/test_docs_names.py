"""Files, modules and classes that the documentation names exist in the code."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from tests.project.repository import ROOT, python_files

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
ARCHITECTURE = ROOT / "docs" / "architecture.md"
CODE = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)*\.(?:py|toml|lock|j2)")
DOTTED = re.compile(r"judge_server(?:\.\w+)+|(?:[a-z_]+\.)+[A-Z]\w+")
CLASS = re.compile(r"(?:[A-Z][a-z]+){2,}")
ROW = re.compile(r"^\| (?P<what>[^|]+)\|(?:[^|]+\|)? (?P<files>(?:`[\w/.-]+`(?:, )?)+) \|$", re.MULTILINE)
PLACEHOLDER = re.compile(r"\bNAME\b")


def names_in(page: Path, form: re.Pattern[str]) -> list[str]:
    """Code spans of the page, outside code blocks, that have the form."""
    spans = CODE.findall(FENCE.sub("", page.read_text(encoding="utf-8")))
    return sorted({span for span in spans if form.fullmatch(span)})


@cache
def classes() -> dict[str, set[str]]:
    """Class names by file, as the repository has it."""
    return {
        str(path.relative_to(ROOT)): {
            node.name for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ClassDef)
        }
        for path in python_files()
    }


def found(name: str) -> bool:
    return any((ROOT / start / name).exists() for start in ("", "judge_server", "judge_server/guard", "clients"))


def is_defined(dotted: str) -> bool:
    """Whether a module of that name exists, or the module that a class is named with defines it."""
    module, _, name = dotted.rpartition(".")
    if (ROOT / f"{dotted.replace('.', '/')}.py").exists() or (ROOT / dotted.replace(".", "/")).is_dir():
        return True
    ending = f"/{module.replace('.', '/')}.py"
    return any(f"/{file}".endswith(ending) and name in defined for file, defined in classes().items())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page):
    named = [name for name in names_in(page, FILE) if "/" in name and not PLACEHOLDER.search(name)]
    assert [name for name in named if not found(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_modules_and_their_classes_that_a_page_names_exist(page):
    ours = [name for name in names_in(page, DOTTED) if name.startswith("judge_server.")]
    assert [name for name in ours if not is_defined(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_classes_that_a_page_names_exist(page):
    alerts = re.findall(r"alert: (\w+)", (ROOT / "deploy" / "prometheus" / "alerts.yml").read_text("utf-8"))
    known = set().union(*classes().values()) | set(alerts)
    assert [name for name in names_in(page, CLASS) if name not in known] == []


def test_every_noun_of_the_architecture_is_a_class_of_the_file_that_it_names():
    rows = [
        (noun, CODE.findall(row["files"]))
        for row in ROW.finditer(ARCHITECTURE.read_text("utf-8"))
        for noun in CODE.findall(row["what"])
        if re.fullmatch(r"[A-Z]\w+", noun)
    ]
    assert len(rows) >= 25
    wrong = [noun for noun, files in rows if noun not in classes().get(f"judge_server/{files[0]}", set())]
    assert wrong == []


def test_every_place_for_a_change_exists():
    """The table "Where would this go?" names files and folders that are there."""
    _, _, section = ARCHITECTURE.read_text("utf-8").partition("## Where would this go?")
    table = section.partition("\n## ")[0]
    places = [name for line in table.splitlines() if line.startswith("| ") for name in CODE.findall(line.split("|")[2])]
    assert len(table.splitlines()) >= 12
    assert [name for name in places if not found(name)] == []


def test_every_file_of_the_path_of_a_submission_exists():
    _, _, section = ARCHITECTURE.read_text("utf-8").partition("## The path of a submission")
    files = re.findall(r"^ *\d+\. `([^`]+)`", section.partition("\n## ")[0], re.MULTILINE)
    assert len(files) >= 12
    assert [name for name in files if not (ROOT / "judge_server" / name).is_file()] == []
