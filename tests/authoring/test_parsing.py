from pathlib import Path

import pytest

from judge_server.authoring.finding import RubricFinding
from judge_server.authoring.parsing import from_data, load, parse
from judge_server.core.errors import BadRubric
from tests.authoring.build import criterion, data

HEAD = "id: test/x\nversion: 1.0.0\ntitle: T\ncriteria:\n"


def findings(text: str) -> list[RubricFinding]:
    with pytest.raises(BadRubric) as caught:
        parse(text, "x.yaml")
    return [RubricFinding.model_validate(entry) for entry in caught.value.extensions["findings"]]


def one(text: str) -> RubricFinding:
    (found,) = findings(text)
    return found


def test_a_misspelt_field_is_told_with_its_place_and_the_right_name():
    found = one(HEAD + "  - id: a\n    statement: Says hello.\n    pionts: 3\n")
    assert str(found) == "x.yaml:7:5: error unknown-field: unknown field 'pionts' (did you mean 'points'?)"
    assert found.path == "criteria[0].pionts"


def test_all_faults_are_told_at_once_in_the_order_of_the_text():
    text = """\
id: Medical/X
version: 1.0
titel: T
criteria:
  - id: a
    statment: Says hello.
    points: .nan
  - {id: a, statement: Says bye., points: many}
"""
    told = [(found.line, found.rule) for found in findings(text)]
    assert told == [
        (1, "missing-field"),
        (1, "wrong-form"),
        (2, "type"),
        (3, "unknown-field"),
        (5, "missing-field"),
        (6, "unknown-field"),
        (7, "non-finite"),
        (8, "duplicate-id"),
        (8, "type"),
    ]


@pytest.mark.parametrize(
    ("line", "place", "rule", "hint"),
    [
        ("{id: a, kind: scal, statement: abc}", "criteria[0]", "unknown-kind", "did you mean 'scale'?"),
        ("{id: a, statement: abc, check: {kind: math}}", "criteria[0].check", "unknown-field", "kind: check"),
        ("{id: a, kind: binary, statement: abc, options: []}", "criteria[0].options", "unknown-field", "kind: scale"),
        ("{id: a, kind: check, check: {kind: lenght, max: 3}}", "criteria[0].check", "unknown-kind", "'length'"),
        ("{id: a, kind: check, check: {pattern: x}}", "criteria[0].check", "missing-kind", "regex"),
        (
            "{id: a, kind: check, check: {kind: regex, patern: x}}",
            "criteria[0].check.pattern",
            "missing-field",
            "pattern",
        ),
        ("{id: a, statement: abc, gate: {when: meet}}", "criteria[0].gate.when", "wrong-choice", "did you mean 'met'?"),
        ("{id: a, statement: abc, tags: x}", "criteria[0].tags", "type", "[x]"),
        ("{id: a, statement: 5}", "criteria[0].statement", "type", '"5"'),
        ("{id: a, statement: abc, points: '5'}", "criteria[0].points", "type", "give a number"),
        ("{id: a, statement: abc, examples: [{response: x, met: no}]}", "criteria[0].examples[0].met", "type", "true"),
        ("{id: A-b, statement: abc}", "criteria[0].id", "wrong-form", "red_flags"),
        ("{id: a, statement: abc, sources: [s]}", "criteria[0].sources[0]", "unknown-source", "declare it"),
        ("{id: a, statement: abc, when: {facts.x: {not: [1]}}}", "criteria[0].when.facts.x", "type", "give text"),
        ("{id: a, statement: abc, points: 1, weight: 1}", "criteria[0]", "invalid", ""),
        ("hello", "criteria[0]", "type", "key: value"),
    ],
)
def test_each_fault_has_its_place_and_a_remedy(line, place, rule, hint):
    found = {(entry.path, entry.rule): entry for entry in findings(HEAD + f"  - {line}\n")}
    assert (place, rule) in found
    assert found[place, rule].line == 5
    assert hint in (found[place, rule].suggestion or "")


def test_faults_deep_in_groups_and_checks_are_found_where_they_stand():
    text = HEAD + (
        "  - id: g\n    kind: group\n    criteria:\n      - id: c\n        kind: check\n"
        "        check: {kind: length, max: many}\n      - {id: d, statement: abc, check: {}}\n"
    )
    first, second = findings(text)
    assert (first.path, first.line, first.column) == ("criteria[0].criteria[0].check.max", 10, 36)
    assert (second.path, second.line) == ("criteria[0].criteria[1].check", 11)


def test_a_fault_of_an_aggregation_is_told_at_the_aggregation():
    text = HEAD.replace("criteria:", "aggregate: {kind: expression, expression: a + b}\ncriteria:")
    found = one(text + "  - {id: a, statement: abc}\n")
    assert (found.path, found.line) == ("aggregate", 4)
    assert "unknown components: b" in found.message


def test_a_group_that_cannot_be_aggregated_is_told_at_the_group():
    group = "  - id: g\n    kind: group\n    aggregate: {kind: weighted_mean}\n"
    found = one(HEAD + group + "    criteria: [{id: a, statement: abc, points: -1}]\n")
    assert found.path == "criteria[0].aggregate"


def test_the_message_shows_the_first_place_and_how_many_more_there_are():
    with pytest.raises(BadRubric) as caught:
        parse("id: a\nversion: 1.0.0\n", "x.yaml")
    assert str(caught.value).startswith("x.yaml:1:1: title: the field 'title' is missing. And 1 more.")


@pytest.mark.parametrize("value", [[], "text", 7, {"criteria": 5}, {"criteria": {}}, {"criteria": [[]]}])
def test_data_of_any_shape_is_refused_not_crashed_on(value):
    with pytest.raises(BadRubric):
        from_data(value)


def test_inline_data_needs_no_text():
    assert from_data(data(criterion())).rubric.id == "test/small"


def test_a_file_that_cannot_be_read_is_told_by_name(tmp_path: Path):
    with pytest.raises(BadRubric, match=r"absent\.yaml: the file cannot be read"):
        load(tmp_path / "absent.yaml")


@pytest.mark.parametrize("options", [[], [{"label": "Bad", "value": 0.0}]])
def test_a_scale_with_too_few_options_is_told_so(options):
    with pytest.raises(BadRubric, match=r"options: the list should have at least 2 items"):
        from_data(data(criterion(kind="scale", options=options)))


@pytest.mark.parametrize("name", [[], {}, {"a": []}])
def test_a_source_whose_id_is_no_text_is_a_finding(name):
    with pytest.raises(BadRubric, match=r"text is needed here"):
        from_data(data(criterion(), sources=[{"id": name, "title": "A guideline"}]))


def test_a_file_may_say_its_format_which_is_no_part_of_the_rubric():
    text = HEAD + "  - {id: a, statement: Says hello.}\n"
    assert parse(f"format: 1\n{text}").rubric.digest == parse(text).rubric.digest


@pytest.mark.parametrize("given", ["2", "'1'", "1.0", "true", "null", "[1]"])
def test_a_file_of_another_format_is_refused_with_the_place(given):
    found = one(f"format: {given}\n{HEAD}  - {{id: a, statement: Says hello.}}\n")
    assert (found.rule, found.path) == ("format", "format")
    assert str(found).startswith("x.yaml:1:9: error format: the file says format ")
