"""The pages' files stay small, and their templates hold loops and conditions only."""

from pathlib import Path

import pytest
from jinja2 import Environment, nodes

from tests.project.repository import ROOT

PAGES = ROOT / "judge_server" / "server" / "pages"
TEMPLATES = sorted((PAGES / "templates").glob("*.html"))
OTHERS = {"htmx.min.js"}
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


def test_our_scripts_are_short():
    ours = [path for path in PAGES.rglob("*.js") if path.name not in OTHERS]
    assert ours
    assert sum(map(lines, ours)) <= MOST_SCRIPT
    assert max(len(line) for path in ours for line in path.read_text("utf-8").splitlines()) <= 140
