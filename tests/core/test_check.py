import pytest
from pydantic import TypeAdapter, ValidationError

from judge_server.core.check import Check, Count

CHECK = TypeAdapter(Check)


def check(kind, **fields):
    return CHECK.validate_python({"kind": kind, **fields})


GOOD = [
    {"kind": "regex", "pattern": "a+", "flags": ["ignore_case"], "count": {"min": 1, "max": 3}},
    {"kind": "contains", "any": ["a"], "none": ["b"]},
    {"kind": "length", "unit": "words", "max": 100, "graded": True},
    {"kind": "exact_match", "normalize": False, "extract": "(x)"},
    {"kind": "numeric", "tolerance": 0.01, "relative": True, "against": 3},
    {"kind": "math", "against": "x^2"},
    {"kind": "json", "schema": {"type": "object"}, "extract": "fenced"},
    {"kind": "tags", "required": ["think", "answer"], "exclusive": True},
    {"kind": "language", "any": ["en", "de"], "min_share": 0.8},
    {"kind": "citations", "style": "doi", "min": 2},
    {"kind": "repetition", "max_ngram_share": 0.1, "n": 3},
    {"kind": "similarity", "metric": "rouge_l", "min": 0.5},
    {"kind": "tool_call", "name": "search", "arguments": {"type": "object"}, "forbidden": ["delete"]},
]


@pytest.mark.parametrize("given", GOOD, ids=lambda given: given["kind"])
def test_every_kind_survives_its_own_json(given):
    made = CHECK.validate_python(given | {"negate": True, "on": "response"})
    assert CHECK.validate_json(made.model_dump_json()) == made
    assert CHECK.validate_json(made.model_dump_json(exclude_defaults=True)) == made


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "regexp", "pattern": "a"},
        {"kind": "regex"},
        {"kind": "regex", "pattern": ""},
        {"kind": "regex", "pattern": "a" * 2_001},
        {"kind": "regex", "pattern": "a", "flags": ["verbose"]},
        {"kind": "regex", "pattern": "a", "lookbehind": True},
        {"kind": "contains"},
        {"kind": "contains", "any": [""]},
        {"kind": "contains", "any": "word"},
        {"kind": "length"},
        {"kind": "length", "min": 5, "max": 4},
        {"kind": "length", "max": "100"},
        {"kind": "length", "max": True},
        {"kind": "length", "max": 2.5},
        {"kind": "length", "max": -1},
        {"kind": "numeric", "tolerance": -1},
        {"kind": "numeric", "against": "3"},
        {"kind": "numeric", "relative": "false"},
        {"kind": "json", "schema": {"default": float("nan")}},
        {"kind": "json", "schema": {"default": {1, 2}}},
        {"kind": "tags", "required": []},
        {"kind": "tags", "required": ["<think>"]},
        {"kind": "language", "any": ["english"]},
        {"kind": "language", "any": ["en"], "min_share": 0},
        {"kind": "repetition", "n": 0},
        {"kind": "similarity", "min": 1.5},
        {"kind": "tool_call", "min": 3, "max": 2},
        {"kind": "tool_call", "equals": {1: "a"}},
        {"kind": "contains", "any": ["a"], "negate": "no"},
        {"kind": "contains", "any": ["a"], "on": "prompt"},
    ],
    ids=str,
)
def test_what_a_check_cannot_mean_is_refused(given):
    with pytest.raises(ValidationError):
        CHECK.validate_python(given)


@pytest.mark.parametrize(
    ("given", "least", "most"), [({}, 1, None), ({"max": 2}, 0, 2), ({"min": 2}, 2, None), ({"min": 0, "max": 0}, 0, 0)]
)
def test_a_count_with_only_a_maximum_means_at_most(given, least, most):
    count = Count.model_validate(given)
    assert (count.least, count.max) == (least, most)


@pytest.mark.parametrize("kind", ["citations", "tool_call"])
def test_counting_checks_read_a_lone_maximum_the_same_way(kind):
    assert check(kind, max=3).least == 0
    assert check(kind).least == 1


def test_where_only_calls_are_forbidden_no_call_is_needed():
    assert check("tool_call", forbidden=["delete"]).least == 0
    assert check("tool_call", forbidden=["delete"], name="search").least == 1


def test_a_count_whose_ends_are_crossed_says_so():
    with pytest.raises(ValidationError, match=r"max \(1\) is smaller than min \(2\)"):
        Count(min=2, max=1)


def test_an_unknown_kind_is_answered_with_the_known_ones():
    with pytest.raises(ValidationError, match="'regex', 'contains', 'length'"):
        check("spelling")
