import json
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from judge_server.core.reward import reward
from judge_server.core.rubric import Missing, Rubric, split_name, version_key
from judge_server.core.submission import Submission
from tests.core.build import ok, rubric
from tests.core.strategies import rubrics

WRITTEN = {
    "id": "medical/consultation",
    "version": "1.2.0",
    "title": "Answering a patient",
    "description": "What a patient is told.",
    "domain": "medical",
    "authors": ["One", "Two"],
    "license": "CC-BY-4.0",
    "sources": [{"id": "guide-1", "title": "A guideline", "year": 2024}],
    "aggregate": {"kind": "points", "clip": [0, 1]},
    "missing": {"policy": "skip", "min_coverage": 0.9},
    "criteria": [
        {
            "id": "red_flags",
            "statement": "Names the red flags.",
            "points": 7,
            "tags": ["axis:context"],
            "when": {"facts.audience": ["patient", None], "facts.age": {"gte": 18}},
            "sources": ["guide-1"],
            "examples": [{"response": "Call for help.", "met": True}],
        },
        {"id": "dose", "statement": "Too high a dose.", "points": -9, "gate": {"when": "met", "reward": 0}},
        {
            "id": "form",
            "kind": "group",
            "aggregate": {"kind": "weighted_mean"},
            "criteria": [
                {
                    "id": "plain",
                    "kind": "scale",
                    "statement": "How plainly?",
                    "options": [{"label": "jargon", "value": 0}, {"label": "plain", "value": 1}],
                },
                {"id": "tag", "kind": "check", "check": {"kind": "regex", "pattern": "<answer>"}},
            ],
        },
    ],
}
DIGEST = "sha256:195d3ebe18d0cdcad568539889810d01087da9241ab8ec0dd4862d1475bf4762"


def test_the_digest_of_a_written_rubric_is_a_contract():
    assert Rubric.model_validate(WRITTEN).digest == DIGEST


def backwards(value):
    if isinstance(value, dict):
        return {key: backwards(value[key]) for key in reversed(value)}
    return [backwards(inner) for inner in value] if isinstance(value, list) else value


def test_the_order_of_keys_and_what_equals_a_default_do_not_change_the_digest():
    assert Rubric.model_validate(backwards(WRITTEN)).digest == DIGEST
    spelled = WRITTEN | {
        "criteria": [WRITTEN["criteria"][0] | {"kind": "binary", "scope": "answer"}, *WRITTEN["criteria"][1:]]
    }
    assert Rubric.model_validate(spelled).digest == DIGEST


def test_a_rubric_survives_its_own_json_in_every_form():
    first = Rubric.model_validate(WRITTEN)
    for text in (first.canonical(), first.model_dump_json(), first.model_dump_json(by_alias=True)):
        again = Rubric.model_validate_json(text)
        assert (again, again.digest, again.canonical()) == (first, DIGEST, first.canonical())
    assert Rubric.model_validate(first.model_dump()).digest == DIGEST


@settings(max_examples=100)
@given(rubrics(kinds=("points", "weighted_mean", "all", "any", "expression"), gates=True))
def test_any_rubric_survives_its_canonical_form(first):
    again = Rubric.model_validate_json(first.canonical())
    assert (again, again.digest) == (first, first.digest)


def places(value, path=()):
    """The paths of everything in a rubric that can be changed."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))
    else:
        yield path, value


def changed(value, path, new):
    key, *rest = path
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[key] = changed(value[key], rest, new) if rest else new
    return copy


CHANGES = [
    (path, value + 1 if isinstance(value, int | float) else f"{value}x")
    for path, value in places(WRITTEN)
    if isinstance(value, str | int | float) and not isinstance(value, bool)
]


@pytest.mark.parametrize(
    ("path", "new"), CHANGES, ids=lambda given: ".".join(map(str, given)) if isinstance(given, tuple) else ""
)
def test_any_change_of_content_changes_the_digest_or_is_refused(path, new):
    try:
        other = Rubric.model_validate(changed(WRITTEN, path, new))
    except ValidationError:
        return
    assert other.digest != DIGEST


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"aggregate": {"kind": "points", "clip": [0, 1]}}, {"aggregate": {"kind": "weighted_mean", "clip": [0, 1]}}),
        ({"aggregate": {"kind": "all"}}, {"aggregate": {"kind": "any"}}),
        ({"missing": {"policy": "skip"}}, {"missing": {"policy": "worst"}}),
    ],
)
def test_what_means_something_else_has_another_digest(one, other):
    assert rubric({}, **one).digest != rubric({}, **other).digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"when": {"facts.a": None}}, {"when": {"facts.a": {"not": None}}}),
        ({"when": {"facts.a": 1}}, {"when": {"facts.a": True}}),
        ({"gate": {}}, {"gate": {}, "points": 1}),
        ({"gate": {}}, {"points": 0}),
        ({"kind": "group", "criteria": [{}]}, {"kind": "group", "criteria": [{}], "aggregate": {"kind": "points"}}),
    ],
)
def test_criteria_that_mean_something_else_have_another_digest(one, other):
    assert rubric(one).digest != rubric(other).digest


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"id": "Medical"}, "pattern"),
        ({"id": "medical/"}, "pattern"),
        ({"id": "/medical"}, "pattern"),
        ({"id": "medical//x"}, "pattern"),
        ({"id": "medical/x\n"}, "pattern"),
        ({"version": "1.0"}, "pattern"),
        ({"version": "v1.0.0"}, "pattern"),
        ({"version": "01.0.0"}, "pattern"),
        ({"version": "1.0.0-"}, "pattern"),
        ({"version": "1.0.0-a..b"}, "pattern"),
        ({"version": "1٣.0.0"}, "pattern"),
        ({"version": 1.0}, "valid string"),
        ({"title": " "}, "pattern"),
        ({"criteria": []}, "at least 1"),
        ({"criterion": []}, "Extra inputs"),
        ({"sources": [{"id": "a", "title": "t"}, {"id": "a", "title": "u"}]}, "two sources have the same id"),
        ({"sources": [{"id": "a", "title": "t", "year": "2024"}]}, "valid integer"),
        ({"missing": {"policy": "ignore"}}, "'null', 'skip' or 'worst'"),
        ({"missing": {"policy": "skip", "min_coverage": 0}}, "greater than 0"),
        ({"missing": {"policy": "skip", "min_coverage": "0.8"}}, "valid number"),
        ({"missing": {"min_coverage": 0.9}}, "read under the policies skip and worst only"),
    ],
    ids=str,
)
def test_what_a_rubric_cannot_be_is_refused_with_the_reason(fields, problem):
    with pytest.raises(ValidationError, match=problem):
        rubric({}, **fields)


def test_the_null_of_yaml_is_the_null_policy():
    assert Missing.model_validate({"policy": None}).policy == Missing().policy == "null"


def group(*criteria, name="g", **fields):
    return {"id": name, "kind": "group", "criteria": list(criteria)} | fields


@pytest.mark.parametrize(
    ("criteria", "fields", "problem"),
    [
        ([{"id": "a"}, {"id": "a"}], {}, "unique in a rubric; repeated: a"),
        ([{"id": "a"}, group({"id": "a"})], {}, "repeated: a"),
        ([group({"id": "g"})], {}, "repeated: g"),
        ([{"sources": ["nowhere"]}], {}, "criterion 'c0' cites unknown sources: nowhere"),
        (
            [{"points": -1}],
            {"aggregate": {"kind": "weighted_mean"}},
            "the rubric: weighted_mean takes no negative points",
        ),
        ([group({"id": "a", "points": -1})], {}, r"group 'g': weighted_mean takes no negative points \(a\)"),
        ([{"tags": ["g"]}, group({})], {}, "a tag has the id of a group"),
        ([{}], {"aggregate": {"kind": "expression", "expression": "c0 + b"}}, "names unknown components: b"),
        ([group({"id": "a"})], {"aggregate": {"kind": "expression", "expression": "a"}}, "unknown components: a"),
        (
            [{"id": "a"}],
            {"aggregate": {"kind": "expression", "expression": "a", "parameters": {"a": 1}}},
            "more than one of a criterion, a tag and a parameter",
        ),
        ([{"id": "a"}, {"tags": ["a"]}], {"aggregate": {"kind": "expression", "expression": "a"}}, "more than one of"),
        (
            [group({"id": "a"}, aggregate={"kind": "expression", "expression": "b"})],
            {},
            "group 'g': the expression names unknown components: b",
        ),
    ],
)
def test_parts_that_do_not_fit_together_are_named(criteria, fields, problem):
    with pytest.raises(ValidationError, match=problem):
        rubric(*criteria, **fields)


def test_an_expression_may_read_tags_from_inside_groups():
    formula = {"kind": "expression", "expression": "g * axis:a"}
    assert rubric(group({"tags": ["axis:a"]}), aggregate=formula).aggregate.parsed.names == {"g", "axis:a"}


def chain(levels):
    nested = {"id": "leaf", "statement": "Deep down."}
    for level in range(levels):
        nested = group(nested, name=f"g{level}")
    return {"id": "deep", "version": "1.0.0", "title": "Deep", "criteria": [nested]}


def test_groups_deeper_than_anybody_writes_are_refused_not_a_crash():
    with pytest.raises(ValidationError):
        Rubric.model_validate(chain(1_000))
    deep = Rubric.model_validate(chain(200))
    assert reward(deep, [ok("leaf", 0.5)]).reward == 0.5


def test_worst_values_follow_the_points_of_everything_around():
    judged = rubric(
        {"id": "good"},
        {"id": "bad", "points": -1},
        {"id": "veto", "gate": {"when": "met"}},
        {"id": "form", "gate": {"when": "unmet"}},
        {"id": "note", "points": 0},
        group(
            {"id": "inner_bad"},
            group({"id": "not_bad", "points": -1}, name="h", aggregate={"kind": "points"}),
            points=-2,
        ),
    )
    assert judged.worst_values == {
        "good": 0.0,
        "bad": 1.0,
        "veto": 1.0,
        "form": 0.0,
        "note": 0.0,
        "inner_bad": 1.0,
        "not_bad": 0.0,
    }


def test_a_name_is_an_id_and_perhaps_a_version():
    assert split_name("medical/consultation") == ("medical/consultation", None)
    assert split_name("a@1.2.3-rc.1") == ("a", "1.2.3-rc.1")
    assert split_name(Rubric.model_validate(WRITTEN).name) == ("medical/consultation", "1.2.0")


@pytest.mark.parametrize(
    "name",
    ["", "@1.0.0", "a@", "a@1", "a@1.0", "a@latest", "a@01.0.0", "a b", "A", "a/", "a//b", "a\n", "a@1.0.0\n", "../a"],
)
def test_anything_else_is_not_a_rubric_name(name):
    with pytest.raises(ValueError, match=r"is not a rubric name; write it like medical/consultation"):
        split_name(name)


@settings(max_examples=100)
@given(st.text(max_size=20))
def test_any_text_is_a_name_or_a_value_error(text):
    try:
        name, version = split_name(text)
    except ValueError:
        return
    assert text == (name if version is None else f"{name}@{version}")


def test_versions_sort_as_semantic_versions_do():
    ordered = [
        "0.9.9",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "1.0.1",
        "1.2.0",
        "1.10.0",
        "10.0.0",
    ]
    mixed = random.Random(1).sample(ordered, len(ordered))
    assert sorted(mixed, key=version_key) == ordered


def test_a_rubric_that_came_whole_before_is_not_read_again():
    first = Submission.model_validate({"rubric": WRITTEN, "prompt": "p", "response": "r"})
    again = Submission.model_validate({"rubric": json.loads(json.dumps(WRITTEN)), "prompt": "p2", "response": "r2"})
    assert again.rubric is first.rubric
    assert first.rubric == Rubric.model_validate(WRITTEN)


@pytest.mark.parametrize("points", [True, "7", float("nan")], ids=str)
def test_what_differs_only_in_the_type_of_a_number_is_read_and_refused(points):
    """Points of 1 are good, true is not, and Python holds the two for equal."""

    def given(value):
        one = {"id": "one", "statement": "Names it.", "points": value}
        return {"rubric": WRITTEN | {"criteria": [one], "sources": []}, "prompt": "p", "response": "r"}

    Submission.model_validate(given(1))
    with pytest.raises(ValidationError, match="points"):
        Submission.model_validate(given(points))


def test_another_text_in_a_rubric_makes_another_rubric():
    told = [
        Submission.model_validate({"rubric": WRITTEN | {"title": title}, "prompt": "p", "response": "r"}).rubric
        for title in ("One", "Two", "One")
    ]
    assert [one.title for one in told] == ["One", "Two", "One"]
    assert told[0].digest == told[2].digest != told[1].digest
