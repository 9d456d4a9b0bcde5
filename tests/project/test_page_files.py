"""The pages' files stay small, and their templates hold loops and conditions only."""

from hashlib import sha256
from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from tests.project.repository import ROOT

PAGES = ROOT / "judge_server" / "server" / "pages"
TEMPLATES = sorted((PAGES / "templates").glob("*.html"))
PINNED = {  # htmx 2.0.11 and uPlot 1.6.32, as their packages on npm hold them
    "htmx.min.js": "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717",
    "uplot.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
    "uplot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
}
LONGEST, MOST_SCRIPT = 300, 600
LOGIC = (nodes.Assign, nodes.AssignBlock, nodes.CallBlock, nodes.FilterBlock, nodes.With)
ARITHMETIC = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow, nodes.Neg)
READ_BY_CALLS = {"items", "get", "startswith"}


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def logic_of(source: str) -> list[str]:
    """What a template works out by itself: assignments, arithmetic, calls of anything but a macro."""
    tree = Environment(autoescape=True).parse(source)
    macros = {one.name for one in tree.find_all(nodes.Macro)}
    macros |= {name for one in tree.find_all(nodes.FromImport) for name in one.names}
    found = [f"line {one.lineno}: {type(one).__name__}" for one in tree.find_all((*LOGIC, *ARITHMETIC))]
    for call in tree.find_all(nodes.Call):
        macro = isinstance(call.node, nodes.Name) and call.node.name in macros
        reads = isinstance(call.node, nodes.Getattr) and call.node.attr in READ_BY_CALLS
        if not macro and not reads:
            found.append(f"line {call.lineno}: a call")
    return found


@pytest.mark.parametrize("path", TEMPLATES, ids=[path.name for path in TEMPLATES])
def test_a_template_holds_loops_and_conditions_only(path):
    assert logic_of(path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    "source", ["{% set a = 1 %}", "{{ a - 1 }}", "{{ a.pop() }}", "{{ range(3) }}", "{% with a = 1 %}{% endwith %}"]
)
def test_logic_is_found(source):
    assert logic_of(source)


def test_no_file_of_a_page_is_long():
    files = [path for kind in ("*.py", "templates/*.html", "static/*.css") for path in PAGES.glob(kind)]
    assert len(files) > 40
    assert {path.name: lines(path) for path in files if lines(path) > LONGEST} == {}


def test_files_of_others_are_unchanged_and_have_their_licence():
    found = {name: sha256((PAGES / "static" / name).read_bytes()).hexdigest() for name in PINNED}
    assert found == PINNED
    assert {name.partition(".")[0] for name in PINNED} == {
        path.name.partition(".")[0] for path in (PAGES / "static").glob("*.LICENSE.txt")
    }


def test_our_scripts_are_short():
    ours = [path for path in PAGES.rglob("*.js") if path.name not in PINNED]
    assert ours
    assert sum(map(lines, ours)) <= MOST_SCRIPT
    assert max(len(line) for path in ours for line in path.read_text("utf-8").splitlines()) <= 140
