"""Python's own patterns can take time without end: they are all ours, and none is made of what somebody sends."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.project.repository import ROOT

FUNCTIONS = {"compile", "search", "match", "fullmatch", "findall", "finditer", "split", "sub", "subn"}
OURS = {
    "core/rubric.py": "RUBRIC_ID and VERSION without their ends",
    "judging/checks/numeric.py": "signs of a table in the same file",
    "judging/checks/structure.py": "names of tags, each escaped",
    "guard/sanitize.py": "sets of characters in the same file",
    "util/compatibility_form.py": "combining marks of Unicode's own table",
    "judging/evidence.py": "words of a quotation, each escaped",
    "judging/reading.py": "the labels of a criterion, each escaped",
    "models/openai_fault.py": "units of a constant in the same file",
    "models/reserved.py": "the control strings of a tokenizer, escaped, in RE2",
    "models/server_quirks.py": "names of our own fields",
    "guard/content.py": "the name of a thought's tag, escaped",
    "guard/twins.py": "characters of tables in the same file",
    "guard/discourse.py": "words of discourse.toml",
    "guard/user_request.py": "phrases of request.toml",
    "labels/readers/word.py": "patterns of a table in the same file",
    "models/chat_template.py": "random hexadecimal digits",
    "server/dialects/chat_family.py": "marks of chat templates in the same file, those of tables escaped",
    "server/dialects/envelope.py": "names of our own fields",
    "store/judgment_row.py": "names of our own fields",
}


def of_parts(pattern: ast.expr) -> bool:
    """Whether a pattern is put together of anything but literals and constants."""
    if isinstance(pattern, ast.Constant):
        return False
    if isinstance(pattern, ast.Name):
        return not pattern.id.isupper()
    if isinstance(pattern, ast.BinOp):
        return of_parts(pattern.left) or of_parts(pattern.right)
    if isinstance(pattern, ast.JoinedStr):
        return any(of_parts(part.value) for part in pattern.values if isinstance(part, ast.FormattedValue))
    return True


def uses(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="re"), attr=function)) if function in FUNCTIONS:
                yield node


def made_of_parts() -> dict[str, list[int]]:
    room = ROOT / "judge_server"
    found: dict[str, list[int]] = {}
    for path in sorted(room.rglob("*.py")):
        lines = [use.lineno for use in uses(path) if of_parts(use.args[0])]
        if lines:
            found[str(path.relative_to(room))] = lines
    return found


def test_patterns_are_literals_or_are_known_to_be_ours():
    unknown = {name: lines for name, lines in made_of_parts().items() if name not in OURS}
    assert unknown == {}, "run patterns from outside on re2 (judging/checks/pattern.py), or say here why it is ours"


def test_the_list_of_exceptions_holds_no_more_than_there_are():
    assert set(OURS) == set(made_of_parts())


def test_the_search_finds_a_pattern_from_outside(tmp_path):
    file = tmp_path / "file.py"
    file.write_text('import re\nre.compile("a")\nre.search(given, text)\nre.sub(rf"{name}+", "", text)\n', "utf-8")
    assert [use.lineno for use in uses(file) if of_parts(use.args[0])] == [3, 4]
