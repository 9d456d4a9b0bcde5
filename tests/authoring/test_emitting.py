import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from judge_server.authoring.emitting import yaml_of
from judge_server.authoring.parsing import parse
from tests.authoring.build import criterion, rubric

TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Cn")), min_size=3, max_size=60).filter(str.strip)
AWKWARD = [
    "yes",
    "no",
    "null",
    "1.0",
    "a: b",
    "- a",
    "#x",
    "'",
    '"',
    "a\nb",
    "\\d+\\.",
    "it's \\s",
    "{x}",
    "[y]",
    "é\u2028x",
]


@example("Infinity", "Infinity", 1.0)
@given(TEXT, TEXT, st.floats(-1e6, 1e6).filter(lambda points: points == 0 or abs(points) > 1e-6))
def test_any_text_survives_being_written_as_yaml(statement, tag, points):
    made = rubric(criterion(statement=statement, tags=[tag], points=points)).rubric
    assert parse(yaml_of(made)).rubric == made


@pytest.mark.parametrize("text", AWKWARD)
def test_an_older_yaml_reader_sees_the_same_text(text):
    made = rubric(criterion(tags=[text, "plain"]), title=text).rubric
    read = yaml.safe_load(yaml_of(made))
    assert (read["title"], read["criteria"][0]["tags"]) == (text, [text, "plain"])
    assert parse(yaml_of(made)).rubric == made


@pytest.mark.parametrize(
    "fields",
    [
        {
            "when": {
                "facts.a": 1.0,
                "facts.b": None,
                "facts.c": {"not": None},
                "facts.d": ["x", 2],
                "facts.e": {"gte": 2},
            }
        },
        {"gate": {"when": "met"}},
        {"gate": {"when": "unmet"}, "points": 1},
        {"kind": "check", "check": {"kind": "json", "schema": {"type": "object", "minProperties": 1.0}}},
        {"kind": "group", "aggregate": {"kind": "points"}, "criteria": [criterion("b"), criterion("c", points=-2)]},
    ],
)
def test_every_feature_survives_being_written_as_yaml(fields):
    made = rubric(criterion("z"), criterion("a", **fields)).rubric
    again = parse(yaml_of(made)).rubric
    assert again.digest == made.digest
