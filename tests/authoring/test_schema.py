from pathlib import Path

import jsonschema
import pytest

from judge_server.authoring.folder import rubric_files
from judge_server.authoring.library import rubrics_directory
from judge_server.authoring.lint import lint
from judge_server.authoring.parsing import load, parse
from judge_server.authoring.schema import rubric_schema, schema_text
from judge_server.authoring.template import template
from judge_server.core.errors import BadRubric
from tests.authoring.build import criterion, data
from tests.project.repository import ROOT

SCHEMA = jsonschema.Draft202012Validator(rubric_schema())


def test_the_published_schema_is_current():
    published = (ROOT / "docs" / "rubric.schema.json").read_text(encoding="utf-8")
    assert published == schema_text(), "run: judge-server rubric schema -o docs/rubric.schema.json"


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(rubric_schema())


@pytest.mark.parametrize("path", [path for path, _ in rubric_files(rubrics_directory())], ids=lambda path: path.stem)
def test_every_bundled_rubric_agrees_with_the_schema(path: Path):
    assert [error.message for error in SCHEMA.iter_errors(load(path).data)] == []


@pytest.mark.parametrize(
    "fields",
    [
        {"weight": 3},
        {"when": {"facts.a": ["x", "y"], "facts.b": {"exists": True}, "facts.c": None, "reference": {"not": "x"}}},
        {"kind": "check", "check": {"kind": "json", "schema": {"type": "object"}}},
    ],
)
def test_what_authors_may_write_the_schema_allows(fields):
    given = data(criterion(**fields))
    assert parse_again(given)
    assert SCHEMA.is_valid(given)


def parse_again(given):
    from judge_server.authoring.parsing import from_data

    return from_data(given)


@pytest.mark.parametrize(
    "given",
    [
        data(criterion(pionts=3)),
        data(criterion(kind="scal")),
        data(criterion(points=1, weight=1)),
        data(criterion(when={"facts.a": {"gte": 1, "lte": 2}})),
        data(version="1"),
        {"id": "a"},
    ],
)
def test_what_the_parser_refuses_the_schema_refuses(given):
    assert not SCHEMA.is_valid(given)


def test_the_template_is_valid_lints_clean_and_agrees_with_the_schema():
    parsed = parse(template("my/new_rubric"))
    assert lint(parsed) == []
    assert SCHEMA.is_valid(parsed.data)


def test_a_template_for_a_wrong_id_is_refused():
    with pytest.raises(BadRubric, match="form needed"):
        template("My Rubric")
