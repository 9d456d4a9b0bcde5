"""JSON, YAML and TOML from outside are read by functions that bound the nesting themselves: how deep a library goes,
and what it says then, depends on the interpreter and on the library's version."""

import ast
import base64
import json
import re
from collections.abc import Callable, Iterator
from functools import cache

import pytest

from judge_client.wire import value_of
from judge_server.authoring.interchange import ifeval
from judge_server.authoring.reading import read as read_yaml
from judge_server.core.errors import JudgeServerError
from judge_server.core.fitted_map import MapSet
from judge_server.models.replay import RecordingHeader
from judge_server.settings.settings import Settings
from judge_server.store.page import Position
from judge_server.util.parsing import parse_json, parse_toml, parse_unique_json, quick_json, read_json
from tests.project.repository import ROOT

READERS = {"json": {"load", "loads", "JSONDecoder"}, "orjson": {"loads"}, "tomllib": {"load", "loads"}}
OURS = {
    "judge_server/util/parsing.py": "the functions that everything else uses: JSON and TOML",
    "judge_server/authoring/reading.py": "the only reader of YAML, which counts levels while it reads",
    "clients/judge_client/wire.py": "the client's function for JSON",
    "judge_server/judging/reading.py": "an answer of a judge, part by part: asks begins_too_deep first",
    "judge_server/judging/checks/structure.py": "JSON inside a response, part by part: asks begins_too_deep first",
    "judge_server/judging/checks/mathematics.py": "a line of the worker that this file starts",
    "judge_server/judging/checks/math_worker.py": "a line of the process that started the worker",
    "judge_server/scoring/graders/python_worker.py": "what the process that started the worker wrote",
    "judge_server/calibration/adapter_training.py": "what the process that starts it wrote, and its own log",
    "judge_server/calibration/training_process.py": "a line of the process that this file starts",
    "judge_server/store/observation.py": "texts that the store wrote",
    "judge_server/store/judgment_row.py": "texts that the store wrote",
    "judge_server/store/payload.py": "texts that the store wrote",
    "judge_server/store/quotation.py": "texts that the store wrote",
    "judge_server/store/removal.py": "ids and numbers that the store wrote",
    "judge_server/store/run_prompts.py": "texts that the store wrote",
    "judge_server/store/search_records.py": "texts that the store wrote",
    "judge_server/labels/archive.py": "what the archive packed",
    "judge_server/models/tokenizing.py": "what the tokenizers library wrote of itself",
    "judge_server/cli/actions/demo.py": "submissions in the package",
    "judge_server/exam/families.py": "words in the package",
    "judge_server/guard/user_request.py": "words in the package",
    "judge_server/guard/discourse.py": "words in the package",
    "judge_server/guard/marks.py": "words in the package",
    "judge_server/labels/public/manifest.py": "a list in the package",
    "deploy/advisory_source.py": "advisories: whatever cannot be read is no audit",
    "deploy/audit_dependencies.py": "accepted advisories of this repository",
    "deploy/dockerfile.py": "this repository's Dockerfile",
    "deploy/prometheus_rule.py": "this repository's alerts",
    "deploy/try_interpreters.py": "what our own script prints",
}
DEPTHS = (300, 20_000)
CLOSED: list[Callable[[int], str]] = [lambda n: "[" * n + "]" * n, lambda n: '{"a":' * n + "1" + "}" * n]
OPEN: list[Callable[[int], str]] = [lambda n: "[" * n, lambda n: '{"a":' * n]


def uses(source: str) -> Iterator[int]:
    """The lines on which a library reads JSON, YAML or TOML. Pydantic's own reader stops at 200 levels."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Attribute(value=ast.Name(id="yaml"), attr=attr) if re.search("load|parse|compose", attr):
                yield node.lineno
            case ast.Attribute(value=ast.Name(id=library), attr=attr) if attr in READERS.get(library, ()):
                yield node.lineno
            case ast.ImportFrom(module=library) if library == "yaml" or library in READERS:
                yield node.lineno


@cache
def readers() -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place in ("judge_server", "clients/judge_client", "deploy"):
        for path in sorted((ROOT / place).rglob("*.py")):
            lines = list(uses(path.read_text("utf-8")))
            if lines and path.parent.name != "versions":  # migrations, which move texts of the store
                found[path.relative_to(ROOT).as_posix()] = lines
    return found


def test_every_other_file_reads_through_the_functions_that_bound_the_nesting():
    unknown = {name: lines for name, lines in readers().items() if name not in OURS}
    assert unknown == {}, "use judge_server.util.parsing, or say here why the text is ours"


def test_the_list_of_exceptions_holds_no_more_than_there_are():
    assert set(OURS) == set(readers())


def test_the_search_finds_every_reader():
    readers = [
        "json.loads(a)",
        "yaml.safe_load(a)",
        "map(orjson.loads, a)",
        "from json import loads",
        "yaml.load_all(a)",
    ]
    others = ["import yaml, json, orjson", "json.dumps(a)", "quick_json(a)", "yaml.safe_dump(a)"]
    assert list(map(len, map(list, map(uses, readers)))) == [1] * 5
    assert list(map(len, map(list, map(uses, others)))) == [0] * 4


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("text", [*CLOSED, *OPEN], ids=["lists", "objects", "cut lists", "cut objects"])
@pytest.mark.parametrize("read", [parse_json, parse_unique_json, read_json, quick_json, value_of])
def test_json_too_deep_is_refused_by_every_reader(read, text, depth):
    with pytest.raises(ValueError, match=r"."):
        read(text(depth))


@pytest.mark.parametrize("read", [parse_json, parse_unique_json, read_json, quick_json])
def test_the_readers_of_the_server_agree_on_the_level_at_which_they_stop(read):
    for text in CLOSED:
        assert read(text(100)) is not None
        with pytest.raises(ValueError, match="nested too deeply, and 100 levels are the most"):
            read(text(101))


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    "text",
    [
        *CLOSED,
        *OPEN,
        lambda n: "a: " + "[" * n + "]" * n,
        lambda n: "a: " + "{a: " * n,
        lambda n: "- " * n + "a",
        lambda n: "".join(" " * level + "a:\n" for level in range(min(n, 1_300))),
        lambda n: "[\n" * n,
    ],
    ids=["lists", "objects", "cut lists", "cut objects", "flow", "flow objects", "dashes", "indentation", "lines"],
)
def test_yaml_too_deep_is_refused_with_its_place(text, depth):
    with pytest.raises(JudgeServerError, match="nested deeper than 64 levels"):
        read_yaml(text(depth))


def test_aliases_are_refused_before_they_are_expanded():
    lines = ["a: &a0 [x, x]", *(f"b{n}: &a{n + 1} [*a{n}, *a{n}]" for n in range(60))]
    with pytest.raises(JudgeServerError, match="anchor"):
        read_yaml("\n".join(lines))


@pytest.mark.parametrize("depth", DEPTHS)
def test_toml_too_deep_is_refused(depth):
    for text in ("a = " + "[" * depth, "a = " + "{a=" * depth, ".".join("a" * depth) + " = 1"):
        with pytest.raises(ValueError, match=r"."):
            parse_toml(text.encode())


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(
    ("read", "fault"),
    [
        (lambda text: Position.of(base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")), JudgeServerError),
        (MapSet.of_json, ValueError),
        (lambda text: Settings(rubrics=text), ValueError),
        (lambda text: ifeval.read({"instruction_id_list": ["a"], "kwargs": text}, "row 1"), JudgeServerError),
        (RecordingHeader.model_validate_json, ValueError),
    ],
    ids=["cursor", "fitted maps", "setting", "IFEval", "recording"],
)
def test_a_place_that_takes_json_from_outside_refuses_what_is_too_deep(read, fault, depth):
    for text in (*CLOSED, *OPEN):
        if text(depth).startswith("["):  # a setting in braces is a path
            with pytest.raises(fault):
                read(text(depth))


def test_brackets_in_a_text_are_no_nesting():
    text = json.dumps({"a": "[" * 20_000})
    for read in (parse_json, parse_unique_json, read_json, quick_json, value_of):
        assert read(text) == {"a": "[" * 20_000}
    assert read_yaml("a: |\n  " + "[" * 20_000).value == {"a": "[" * 20_000}
