"""What a user can type, set or meet stands in the documentation, and its links lead somewhere."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

from judge_server.cli import app
from judge_server.cli.actions.docs import pages
from judge_server.core.errors import JudgeServerError
from judge_server.server.app import create_app
from judge_server.settings.settings import Settings
from tests.project.repository import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINK = re.compile(r"\[[^\]]*\]\((?!\w+:|#)([^)#\s]+)[^)]*\)")


@cache
def documentation() -> str:
    return "\n".join(page.read_text(encoding="utf-8") for page in PAGES)


def commands(application: typer.Typer, words: str = "judge-server") -> Iterator[str]:
    for command in application.registered_commands:
        name = command.name or getattr(command.callback, "__name__", "").strip("_").replace("_", "-")
        yield f"{words} {name}"
    for family in application.registered_groups:
        yield from commands(family.typer_instance, f"{words} {family.name}")


def error_types(error: type[JudgeServerError] = JudgeServerError) -> set[str]:
    ours = [special for special in error.__subclasses__() if special.__module__.startswith("judge_server.")]
    return {error.type}.union(*(error_types(special) for special in ours))


def routes() -> list[str]:
    return sorted(
        f"{method.upper()} {path}"
        for path, methods in create_app(Settings()).openapi()["paths"].items()
        for method in methods
    )


def test_every_command_is_documented():
    undocumented = [command for command in commands(app) if command not in documentation()]
    assert undocumented == []


def test_every_setting_is_documented():
    assert [name for name in Settings.model_fields if f"`{name}`" not in documentation()] == []


def test_every_error_is_documented():
    assert [slug for slug in sorted(error_types()) if f"`{slug}`" not in documentation()] == []


def test_every_route_is_documented():
    assert [route for route in routes() if route not in documentation()] == []


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_link_between_pages_leads_somewhere(page: Path):
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_readme_names_the_two_commands_that_set_everything_up(command):
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_tells_to_install_from_an_index_what_is_on_none(page: Path):
    commands = re.findall(r"pip install[^`\n#]*", page.read_text(encoding="utf-8"))
    assert [one for one in commands if re.search(r"(?<![\w/.-])judge-(client|server)(?!/)", one)] == []


def messages(path: Path) -> Iterator[str]:
    """The texts in a file of the package that are not docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented) and ast.get_docstring(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_messages_name_pages_by_the_command_that_prints_them():
    """Who installed the wheel has no folder ``docs``."""
    told = [text for path in (ROOT / "judge_server").rglob("*.py") for text in messages(path)]
    assert [text for text in told if re.search(r"docs/[\w/-]+\.md", text)] == []
    named = {name for text in told for name in re.findall(r"judge-server docs ([a-z][\w/-]*)", text)}
    assert {"configuration", "labels", "rubrics"} <= named
    assert named <= pages().keys()
