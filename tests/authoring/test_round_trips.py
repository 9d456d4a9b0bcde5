"""What is exported and imported again is the same rubric, with the same digest, if the format can say all of it."""

import json

import pytest

from judge_server.authoring.interchange import FORMATS
from judge_server.authoring.interchange.tracked import tracked, unread
from judge_server.authoring.parsing import from_data

NAMED = {"id": "clinic/advice", "version": "2.1.0", "title": "Advice (for a minor complaint)"}
ABOUT = {"domain": "medical", "authors": ["A. Author"], "license": "CC0-1.0", "description": "What to tell."}
PLAIN = [
    {"id": "red_flags", "statement": "Names a symptom that needs emergency care.", "points": 7},
    {"id": "short", "statement": "Is it short?", "points": 0.1234567},
]
SIGNED = [*PLAIN, {"id": "overdose", "statement": "Recommends more than 4 g a day: “a lot”.", "points": -9.5}]
TAGGED = [{**one, "tags": ["axis:accuracy", "level:example"]} for one in SIGNED]
SCALED = [
    *TAGGED,
    {"id": "tone", "kind": "scale", "statement": "How warm is it?", "points": 2, "options": [
        {"label": "cold", "value": 0.2, "description": "No kind word."}, {"label": "warm", "value": 0.9}]},
]  # fmt: skip
NOMINAL = [
    *SIGNED,
    {"id": "kind", "kind": "nominal", "statement": "What does it do?", "points": 2, "options": [
        {"label": "advises", "value": 1}, {"label": "refers", "value": 1}, {"label": "refuses", "value": 0}]},
]  # fmt: skip


def rubric(criteria, aggregate, **about):
    return from_data({**NAMED, **about, "aggregate": aggregate, "criteria": criteria}).rubric


POINTS, MEAN = {"kind": "points"}, {"kind": "weighted_mean"}
CASES = {
    "promptfoo": ("promptfoo", rubric(PLAIN, MEAN, **ABOUT)),
    "autorubric": ("rows", rubric(SCALED, POINTS, **ABOUT)),
    "autorubric of positive weights": ("rows", rubric(PLAIN, MEAN)),
    "healthbench": ("healthbench", rubric(TAGGED, POINTS, **ABOUT)),
    "healthbench without a domain": ("healthbench", rubric(SIGNED, POINTS)),
    "openai": ("openai-grader", rubric(NOMINAL, POINTS)),
    "openai within 0 and 1": ("openai-grader", rubric(NOMINAL, {**POINTS, "clip": [0, 1]})),
    "openai of positive weights": ("openai-grader", rubric(PLAIN, MEAN)),
}


@pytest.mark.parametrize("name", CASES)
def test_a_rubric_that_a_format_can_say_comes_back_with_its_digest(name):
    form, made = CASES[name]
    assert FORMATS[form].losses(made) == []
    record = tracked(json.loads(json.dumps(FORMATS[form].write(made))))
    (part,) = FORMATS[form].split(record)
    again = FORMATS[form].read(part, "f.json:1", "")
    assert again == made
    assert again.digest == made.digest
    assert {path for path in unread(part, record) if "model" not in path.split(".")} <= {
        "description",
        "title",
        "prompt_id",
    }


@pytest.mark.parametrize(
    "form", ["promptfoo", "rows", "healthbench", "openai-grader", "paperbench", "rubrics-as-rewards"]
)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("facts", [{"name": "age", "show": True}]), ("judges", ["a"]),
        ("guard", {"veto": ["repetition"]}), ("sources", [{"id": "s", "title": "T"}]),
    ],
)  # fmt: skip
def test_what_a_rubric_says_as_a_whole_is_no_silent_loss(form, field, value):
    made = rubric(PLAIN, MEAN, **{field: value})
    assert f"rubric {field}" in FORMATS[form].losses(made)


@pytest.mark.parametrize(
    ("statement", "form"),
    [
        ("Says {{name}}.", "promptfoo"), ("Says {{name}}.", "openai-grader"), ("One.\nTwo.", "openai-grader"),
        ("Long " * 100, "openai-grader"),
    ],
    ids=["promptfoo", "braces", "lines", "long"],
)  # fmt: skip
def test_a_statement_that_would_be_read_otherwise_is_a_loss(statement, form):
    made = rubric([{"id": "a", "statement": statement, "points": 1}], MEAN)
    assert any("(first: a)" in line for line in FORMATS[form].losses(made))


def test_a_foreign_formula_stays_an_expression():
    grader = FORMATS["openai-grader"].write(rubric(PLAIN, MEAN))
    grader["calculate_output"] = "0.25 * red_flags + 0.75 * short"
    made = FORMATS["openai-grader"].read(tracked(grader), "f:1", "")
    assert (made.aggregate.kind, made.aggregate.expression) == ("expression", "0.25 * red_flags + 0.75 * short")


def test_options_within_0_and_1_keep_their_values_and_others_are_moved():
    def values(*scores):
        options = [{"label": f"l{place}", "score": score} for place, score in enumerate(scores)]
        made = FORMATS["rows"].read(tracked({"rubric": [{"criterion": "How warm?", "options": options}]}), "f:1", "")
        return made.leaves[0].values

    assert values(0.25, 0.75) == (0.25, 0.75)
    assert values(1, 2, 5) == (0, 0.25, 1)


def test_an_entry_keeps_its_own_id_unless_it_is_random():
    entries = [{"id": "cites", "criterion": "Cites a source."}, {"id": "9f1c2ab47de04c21", "criterion": "Is short."}]
    made = FORMATS["rows"].read(tracked({"rubric": entries}), "f:1", "")
    assert [leaf.id for leaf in made.leaves] == ["cites", "short"]
