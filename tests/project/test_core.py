import ast
import sys
from pathlib import Path

import pytest

from tests.project.repository import ROOT

CORE = sorted((ROOT / "judge_server" / "core").rglob("*.py"))
ALLOWED = {"judge_server.core", "judge_server.util", "pydantic", "pydantic_core"}


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_the_core_imports_nothing_but_itself_util_pydantic_and_the_standard_library(path):
    foreign = {
        name
        for name in imported(path)
        if name.split(".")[0] not in sys.stdlib_module_names
        and not any(name == allowed or name.startswith(f"{allowed}.") for allowed in ALLOWED)
    }
    assert foreign == set()
