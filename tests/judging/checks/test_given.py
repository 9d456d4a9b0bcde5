"""Checks against what the submission gives: answers, numbers, sources, tools, and diffs."""

import json

import pytest

from tests.judging.checks.deciding import decided, value

LISTED = "[1] Ali: reading. [2] Berg: practice. https://a.example/x and (Moss, 2019)."


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Reading helps [1], and so does practice [2].", 1),
        ("Reading helps [1], sums too [3].", 0),
        ("Nothing is cited.", 0),
        ("Visits rose (Moss, 2019).", 1),
        ("Visits rose (Moss, 2021).", 0),
        ("See https://a.example/x.", 1),
        ("See https://b.example/x.", 0),
    ],
)
def test_citations_resolve_in_the_reference(text, expected):
    assert value({"kind": "citations", "resolve": True}, text, LISTED) == expected


def test_citations_that_shall_resolve_need_a_reference():
    assert decided({"kind": "citations", "resolve": True}, "As in [1].").error.type == "missing_reference"


@pytest.mark.parametrize(
    ("answer", "text", "expected"),
    [
        ("4", "So x is 4.", 1),
        ("4", "So x is 4.0, as you see.", 1),
        ("4", "Divide 40 by ten.", 0),
        ("0.5", "It is 1/2.", 1),
        ("x = 4", "Therefore x must be 4.", 1),
        ("x = 4", "Step 4: look at x again.", 0),
        ("Canberra", "The capital is CANBERRA!", 1),
        ("the mitochondrion", "What makes energy in a cell?", 0),
        ("漢字", "答えは漢字です", 1),
    ],
)
def test_an_answer_that_is_given_away_is_found(answer, text, expected):
    assert value({"kind": "mentions"}, text, answer) == expected
    assert value({"kind": "mentions", "negate": True}, text, answer) == 1 - expected


def test_an_answer_of_many_words_cannot_be_looked_for():
    assert decided({"kind": "mentions"}, "x", "word " * 30).error.type == "check_failed"


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("On 3 May we sold 1,250.5 kg.", "Am 3. Mai verkauften wir 1.250,5 kg.", 1),
        ("On 3 May we sold 1,250 kg.", "Am 3. Mai verkauften wir 1.520 kg.", 0),
        ("Until 31/12/2026.", "Bis 31.12.2026.", 1),
        ("1,250,300 votes", "1 250 300", 0),
        ("1,250,300 votes", "1.250.300 Stimmen", 1),
        ("Two of 7.", "Zwei von 7.", 1),
        ("Room 7, seat 7.", "Raum 7.", 0),
        ("No numbers.", "Keine Zahlen.", 1),
    ],
)
def test_the_same_numbers_stand_in_both_texts(source, text, expected):
    assert value({"kind": "same_numbers"}, text, source) == expected


DIFF = """Here it is:
```diff
--- a/mean.py
+++ b/mean.py
@@ -1,2 +1,3 @@
 def mean(values):
+    if not values:
-    return sum(values) / len(values)
+        return None
```
"""
WRONG_DIFF = DIFF.replace("+1,3", "+1,9")


@pytest.mark.parametrize(
    ("spec", "text", "expected"),
    [
        ({}, DIFF, 1),
        ({"max": 3}, DIFF, 1),
        ({"max": 2}, DIFF, 0),
        ({"files": 1}, DIFF, 1),
        ({"files": 1}, DIFF + DIFF.replace("mean.py", "other.py"), 0),
        ({}, WRONG_DIFF, 0),
        ({}, DIFF.replace("@@ -1,2", "@@ -1,1"), 0),
        ({}, "Change line 3.", 0),
        ({}, "", 0),
    ],
)
def test_a_diff_is_well_formed_and_small(spec, text, expected):
    assert value({"kind": "diff", "min": 1, **spec}, text or "-") == expected


TOOLS = json.dumps(
    [
        {"type": "function", "function": {"name": "refund", "parameters": {
            "type": "object", "properties": {"order": {"type": "string"}, "euros": {"type": "number", "maximum": 50}},
            "required": ["order", "euros"], "additionalProperties": False}}},
        {"name": "look_up", "input_schema": {"type": "object", "required": ["order"]}},
    ]
)  # fmt: skip


def calls(*made):
    listed = [
        {"id": f"c{n}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for n, (name, arguments) in enumerate(made)
    ]
    return [{"role": "assistant", "content": "One moment.", "tool_calls": listed}]


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ([("refund", '{"order": "A1", "euros": 20}')], 1),
        ([("refund", '{"order": "A1", "euros": 80}')], 0),
        ([("refund", '{"order": "A1"}')], 0),
        ([("refund", "twenty")], 0),
        ([("look_up", '{"order": "A1"}'), ("refund", '{"order": "A1", "euros": 5}')], 1),
        ([("delete", "{}")], 0),
    ],
)
def test_tool_calls_fit_the_tools_of_the_reference(made, expected):
    assert value({"kind": "tool_schema"}, calls(*made), TOOLS) == expected
    assert value({"kind": "tool_schema"}, calls(*made), json.dumps({"tools": json.loads(TOOLS)})) == expected


def test_a_response_without_calls_fits_and_a_reference_without_tools_is_a_typed_failure():
    assert value({"kind": "tool_schema"}, "No call is needed.", TOOLS) == 1
    for reference in ("no json", "{}", "[1]", '[{"name": "x", "parameters": {"$ref": "http://x"}}]'):
        assert decided({"kind": "tool_schema"}, calls(("x", "{}")), reference).error.type == "check_failed"
