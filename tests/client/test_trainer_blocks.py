"""Every code block of docs/trainers is run by a test, or says below it that nothing here can run it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from starlette.routing import Match

from judge_server.server.app import create_app
from tests.client.test_trainer_pages import FOLDER, PAGES, ROWS, section
from tests.project.repository import ROOT
from tests.served import settings_of
from tests.trainers.page import Block, added, blocks

SERVE = ".venv/bin/judge-server serve --model baseline\n"
STARTS = re.compile(r"(uv run |\w+=\S+ )?python3? \S+\.py")
DOTTED = re.compile(r"judge_client(?:\.\w+)+(?::\w+)?")
OURS = re.compile(r"http://127\.0\.0\.1:8000(/[^\s\"'?;`]*)")


def of(page: str) -> Iterator[tuple[int, Block]]:
    yield from enumerate(blocks(page))


@cache
def taken() -> frozenset[tuple[str, int]]:
    """The blocks that the tests take out of the pages: by ``example``, ``examples``, ``lay_out`` and ``commanded``."""
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")}
    return frozenset(
        found for source in sources.values() if "tests.trainers.page import" in source for found in _taken_by(source)
    )


def _taken_by(source: str) -> Iterator[tuple[str, int]]:
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            given = [one.value if isinstance(one, ast.Constant) else one for one in node.args]
            if isinstance(given[0], str) and given[0] in PAGES:
                for place in _places(node.func.id, given, parents[node]):
                    yield given[0], place


def _places(function: str, given: list[object], parent: ast.AST) -> list[int]:
    found = [(place, block) for place, block in of(str(given[0]))]
    match function:
        case "lay_out":
            return [place for place, block in found if block.file]
        case "commanded":
            return [place for place, block in found if block.language == "sh" and "train.py" in block.text]
        case "example" | "examples":
            listed = [(place, block.text) for place, block in found if block.language == given[1]]
            if function == "examples" and isinstance(parent, ast.Subscript) and isinstance(parent.slice, ast.Constant):
                listed = [listed[parent.slice.value]]
            if function == "example" and isinstance(given[2], ast.Dict):
                words = [key.value for key in given[2].keys if isinstance(key, ast.Constant)]
                listed = [one for one in listed if all(str(word) in one[1] for word in words)]
            return [place for place, _ in listed]
    return []


def is_run(page: str, place: int, block: Block) -> bool:
    """By a test that takes it, or by one that runs all of its kind (installing, serving, curl and its answer); a diff
    also if every line that it adds stands in a program of the page that is run."""
    if block.language == "diff" and (page, place) not in taken():
        programs = [_bare(other.text) for at, other in of(page) if other.language != "diff" and is_run(page, at, other)]
        return all(any(_bare(line) in program for program in programs) for line in added(block.text))
    before = blocks(page)[place - 1] if place else None
    answered = before is not None and before.text.startswith("curl") and block.language == "json"
    installs = "pip install" in block.text or block.text == SERVE
    return (page, place) in taken() or installs or block.text.startswith("curl") or answered


def _bare(text: str) -> str:
    """Without spaces, line ends, and what joins it to the next line."""
    return re.sub(r"\s|\\$", "", text.strip(), flags=re.MULTILINE).rstrip(",")


@pytest.mark.parametrize("page", PAGES)
def test_every_program_of_the_page_is_run_by_a_test(page):
    """A trainer that is on no index and needs GPUs is started by a command that nothing here can run."""
    started_elsewhere = ROWS[page][0].startswith("interface")
    left = [
        block.text
        for place, block in of(page)
        if not is_run(page, place, block) and not (started_elsewhere and STARTS.match(block.text))
    ]

    assert left == []


@pytest.mark.parametrize("page", PAGES)
def test_a_command_that_nothing_runs_says_so_below_it(page):
    text = (FOLDER / f"{page}.md").read_text(encoding="utf-8")
    for place, block in of(page):
        if not is_run(page, place, block):
            assert re.match(r"\s*Not run in our tests: \w", text.partition(f"{block.text}```\n")[2]), block.text


@pytest.mark.parametrize("page", PAGES)
def test_the_page_says_how_the_server_starts(page):
    assert f"```sh\n{SERVE}```" in section(page, "Install")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("heading", ["What is logged", "Finding a verdict", "During an outage"])
def test_a_newcomer_finds_what_is_logged_a_verdict_and_what_an_outage_does(page, heading):
    assert len(section(page, heading).split()) >= 5


@pytest.mark.parametrize("page", [*PAGES, "README"])
def test_every_path_in_our_package_that_the_page_names_is_there(page):
    for dotted in DOTTED.findall((FOLDER / f"{page}.md").read_text(encoding="utf-8")):
        module, *attributes = re.split(r"[.:]", dotted)
        path = ROOT / "clients" / module
        while attributes and ((path / attributes[0]).is_dir() or (path / f"{attributes[0]}.py").exists()):
            path, attributes = path / attributes[0], attributes[1:]
        source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        assert not attributes or attributes[0] in _names(source), dotted


def _names(source: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {one.asname or one.name for one in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {one.id for one in targets if isinstance(one, ast.Name)}
    return found


@pytest.fixture(scope="module")
def routes():
    return create_app(settings_of()).routes


@pytest.mark.parametrize("page", [*PAGES, "README"])
def test_every_address_of_the_server_that_the_page_names_is_a_route(page, routes):
    for path in OURS.findall((FOLDER / f"{page}.md").read_text(encoding="utf-8")):
        if path.rstrip("/…"):
            whole = f"{path}verify" if path.endswith("/") else path  # NeMo Gym's proxy puts its paths behind
            asked = {"type": "http", "path": whole, "root_path": "", "headers": [], "method": "POST"}
            found = {route.matches(asked | {"method": method})[0] for route in routes for method in ("GET", "POST")}
            assert Match.FULL in found, path
