"""Whole texts, or one within the other."""

import pytest

from judge_server.core.grader import StringCheck
from judge_server.scoring.graders.grader_input import GraderInput
from judge_server.scoring.graders.string_check import check_string


@pytest.mark.parametrize(
    ("operation", "given", "wanted", "score"),
    [
        ("eq", "Paris", "Paris", 1),
        ("eq", "paris", "Paris", 0),
        ("eq", "Paris ", "Paris", 0),
        ("ne", "London", "Paris", 1),
        ("ne", "Paris", "Paris", 0),
        ("like", "It is Paris.", "Paris", 1),
        ("like", "It is paris.", "Paris", 0),
        ("like", "Paris", "It is Paris.", 0),
        ("ilike", "It is PARIS.", "paris", 1),
        ("ilike", "STRASSE", "straße", 1),
        ("like", "It is Paris.", "%Paris%", 0),
        ("like", "It is Paris.", "P.ris", 0),
    ],
)
def test_operations(operation, given, wanted, score):
    grader = StringCheck(
        type="string_check", input="{{sample.output_text}}", reference="{{item.a}}", operation=operation
    )
    assert check_string(grader, GraderInput(given, {"a": wanted})) == score
