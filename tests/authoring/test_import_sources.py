"""Files as other projects publish them, in spellings and with fields that were once misread: nothing may be silent."""

import copy
import json

import pytest

from judge_server.authoring.interchange import FORMATS, format_of
from judge_server.authoring.interchange.tracked import tracked, unread
from judge_server.core.errors import BadInput, JudgeServerError


def user(text):
    return [{"role": "user", "content": text}]


def levels(first, last, prefix=""):
    return {f"{prefix}score{level}_description": f"Level {level}." for level in range(first, last + 1)}


def grader(**fields):
    return {
        "type": "label_model",
        "name": "tone",
        "model": "gpt",
        "labels": ["good", "bad"],
        **fields,
        "input": [{"role": "user", "content": "Is {{sample.output_text}} kind?"}],
    }


IMPORTANCE = "1) Is it short? (importance: 100/100)\n2) Is it kind? (importance: 75/100)"
TWO = ["Names the river.", "Gives its length."]
FEEDBACK = {
    "instruction": "###Task: grade this. ###Response: Roses.",
    "orig_instruction": "Write a poem.",
    "orig_criteria": "Is it vivid?",
    "orig_reference_answer": "A poem.",
    **levels(1, 5, "orig_"),
}
# form, record, statements and points, submission, what is left
READ = {
    "the judge's whole prompt beside the first instruction": (
        "score-rubric",
        FEEDBACK,
        [("Is it vivid?", 1)],
        {"prompt": "Write a poem.", "reference": "A poem."},
        {"instruction": 1},
    ),
    "a system prompt of its own": (
        "score-rubric",
        {
            "id": "a1",
            "system_prompt": "You plan.",
            "input": "Plan.",
            "score_rubric": {"criteria": "Ok?", **levels(1, 5)},
        },
        [("Ok?", 1)],
        {"id": "a1", "prompt": [{"role": "system", "content": "You plan."}, *user("Plan.")]},
        {},
    ),
    "importance at the end of a line": (
        "rows",
        {"prompt": "Memo.", "requirements": IMPORTANCE},
        [("Is it short?", 100), ("Is it kind?", 75)],
        {"prompt": "Memo."},
        {},
    ),
    "weights in a list beside the criteria": (
        "rows",
        {"prompt": "Q", "rubric": TWO, "weights": [3, "0.5"]},
        [(TWO[0], 3), (TWO[1], 0.5)],
        {"prompt": "Q"},
        {},
    ),
    "weights beside a checklist": (
        "checklist",
        {"prompt": "Q", "checklist": TWO, "weights": [3, 2]},
        [(TWO[0], 3), (TWO[1], 2)],
        {"prompt": "Q"},
        {},
    ),
    "two weights of one entry": (
        "rows",
        {"prompt": "Q", "rubric": [{"criterion": TWO[0], "points": 3, "weight": 9}]},
        [(TWO[0], 3)],
        {"prompt": "Q"},
        {"rubric[].weight": 1},
    ),
    "fields inside a column of JSON text": (
        "rubrics-as-rewards",
        {"question": "Q", "rubric": json.dumps([{"title": "t", "description": TWO[0], "weight": 2, "why": "x"}])},
        [(TWO[0], 2)],
        {"prompt": "Q"},
        {"rubric[].why": 1},
    ),
    "a conversation as JSON text": (
        "healthbench",
        {"prompt": json.dumps(user("Q")), "rubrics": json.dumps([{"criterion": TWO[0], "points": 2}])},
        [(TWO[0], 2)],
        {"prompt": user("Q")},
        {},
    ),
    "turns of ShareGPT, and an answer at their end": (
        "rows",
        {
            "id": 0,
            "rubric": TWO,
            "conversations": [
                {"from": "system", "value": "S"},
                {"from": "human", "value": "Q"},
                {"from": "gpt", "value": "A"},
            ],
        },
        [(TWO[0], 1), (TWO[1], 1)],
        {"id": "0", "prompt": [{"role": "system", "content": "S"}, *user("Q")]},
        {"conversations[].from": 1, "conversations[].value": 1},
    ),
    "a number as the reference": (
        "rows",
        {"prompt": "Q", "rubric": TWO, "ground_truth": 42},
        [(TWO[0], 1), (TWO[1], 1)],
        {"prompt": "Q", "reference": "42"},
        {},
    ),
    "a weight as text in a tree": (
        "paperbench",
        {"id": "r", "requirements": "All.", "sub_tasks": [{"id": "x", "requirements": TWO[0], "weight": "2"}]},
        [(TWO[0], 2)],
        {},
        {},
    ),
    "a grader's prompt is no submission's": (
        "openevals",
        {"prompt": "Is {outputs} polite?", "feedback_key": "polite"},
        [("Is the response polite?", 1)],
        {},
        {},
    ),
    "a grader's input is no submission's": (
        "openai-grader",
        grader(passing_labels=["good"]),
        [("Is the response kind?", 1)],
        {},
        {},
    ),
    "a row with a grader": (
        "openai-grader",
        {"id": "7", "prompt": "Q", "grader": grader(passing_labels=["good"])},
        [("Is the response kind?", 1)],
        {"id": "7", "prompt": "Q"},
        {},
    ),
    "an option that says not applicable": (
        "rows",
        {
            "prompt": "Q",
            "rubric": [
                {
                    "requirement": "How warm?",
                    "weight": 3,
                    "options": [
                        {"label": "cold", "value": 0.0},
                        {"label": "warm", "value": 1.0},
                        {"label": "none", "value": 0.0, "na": True},
                    ],
                }
            ],
        },
        [("How warm?", 3)],
        {"prompt": "Q"},
        {"rubric[].options[].na": 1},
    ),
    "levels of G-Eval from the best to the worst": (
        "geval",
        {
            "name": "n",
            "criteria": "Is it right?",
            "rubric": [
                {"score_range": [8, 10], "expected_outcome": "Right."},
                {"score_range": [0, 7], "expected_outcome": "Wrong."},
            ],
            "evaluation_params": ["input"],
        },
        [("Is it right?", 1)],
        {},
        {"evaluation_params": 1},
    ),
}
REFUSED = {
    "a sign in a word": ("rows", {"rubric": [{"criterion": TWO[0], "points": 3, "polarity": "Negative"}]}, "polarity"),
    "a sign in a flag": ("rows", {"rubric": [{"criterion": TWO[0], "points": 3, "is_positive": False}]}, "is_positive"),
    "too few weights": ("rows", {"rubric": TWO, "weights": [3]}, "weights are 1 for 2"),
    "a level too few": ("score-rubric", {"criteria": "C?", **levels(1, 1), **levels(3, 3)}, "one is missing"),
    "a level of null": (
        "score-rubric",
        {"criteria": "C?", **levels(1, 4), "score5_description": None},
        "a level has no description",
    ),
    "labels that pass and are none": (
        "openai-grader",
        grader(passing_labels=["Good"]),
        "passes Good, which is no label",
    ),
    "nothing that passes": ("openai-grader", grader(passing_labels=[]), "passes nothing"),
    "a range in words": (
        "geval",
        {"criteria": "C?", "rubric": [{"score_range": "0-10", "expected_outcome": "x"}]},
        "score_range",
    ),
    "a key twice in JSON text": (
        "rubrics-as-rewards",
        {"rubric": '[{"title": "t", "description": "Abc", "weight": 1, "weight": 5}]'},
        "no list",
    ),
}


def imported(form, record):
    whole = tracked(copy.deepcopy(record))
    made, submissions = [], []
    parts = FORMATS[form].split(whole)
    for part in parts:
        made.append(FORMATS[form].read(part, "f.jsonl:1", ""))
        submissions.append(FORMATS[form].submission(part))
    return made, submissions, unread(*parts, whole)


@pytest.mark.parametrize("name", READ)
def test_every_statement_weight_and_text_is_the_sources(name):
    form, record, leaves, submission, left = READ[name]
    (made,), (found,), unused = imported(form, record)
    assert format_of(record, "f:1") == form
    assert [(leaf.statement, leaf.points) for leaf in made.leaves] == leaves
    assert found == submission
    assert {path: count for path, count in unused.items() if path != "model"} == left


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_told_is_refused(name):
    form, record, told = REFUSED[name]
    with pytest.raises(JudgeServerError, match=told):
        imported(form, record)


@pytest.mark.parametrize(("first", "last"), [(0, 3), (1, 5), (1, 10)])
def test_a_scale_has_all_levels_that_are_described(first, last):
    (made,), _, _ = imported("score-rubric", {"criteria": "Is it vivid?", **levels(first, last)})
    (leaf,) = made.leaves
    assert [option.label for option in leaf.options] == [str(level) for level in range(first, last + 1)]
    assert leaf.values == pytest.approx([(level - first) / (last - first) for level in range(first, last + 1)])


def test_levels_of_g_eval_stand_from_worst_to_best():
    record = READ["levels of G-Eval from the best to the worst"][1]
    (made,), _, _ = imported("geval", record)
    assert [(one.label, one.value) for one in made.leaves[0].options] == [("0-7", 0.35), ("8-10", 0.9)]


def test_a_forbidden_word_is_a_whole_word_as_in_ifeval():
    record = {"instruction_id_list": ["keywords:forbidden_words"], "kwargs": [{"forbidden_words": ["art", "c++"]}]}
    (made,), _, _ = imported("ifeval", record)
    assert made.leaves[0].check.pattern == r"\b(?:art|c\+\+)\b"
    assert made.leaves[0].check.negate


CONFIG = {
    "description": "bot",
    "prompts": ["As a pirate: {{question}}"],
    "providers": ["openai:gpt"],
    "assertionTemplates": {"kind": {"type": "llm-rubric", "value": "Is kind.", "weight": 2}},
    "defaultTest": {"vars": {"tone": "warm"}, "assert": [{"type": "llm-rubric", "value": "Sounds {{tone}}."}]},
    "tests": [
        {
            "vars": {"question": ["How deep?", "How far?"]},
            "threshold": 0.5,
            "assert": [
                {"type": "g-eval", "value": ["Names a depth.", "Gives a unit."], "weight": 4, "metric": "depth"},
                {
                    "type": "assert-set",
                    "weight": 3,
                    "threshold": 0.5,
                    "assert": [
                        {"type": "equals", "value": 42},
                        {"type": "icontains-any", "value": 'east, "north, west"'},
                    ],
                },
                {"$ref": "#/assertionTemplates/kind"},
            ],
        },
        {"vars": {"question": "Where?", "tone": "stern"}, "assert": [{"type": "factuality", "value": "It is in Peru"}]},
    ],
}


def test_a_configuration_of_promptfoo_gives_every_test_what_it_gives_to_all():
    (deep, far, where), submissions, left = imported("promptfoo", CONFIG)
    assert [one["prompt"] for one in submissions] == [
        f"As a pirate: {asked}" for asked in ("How deep?", "How far?", "Where?")
    ]
    assert [leaf.statement for leaf in where.leaves] == [
        "Sounds stern.",
        "The response agrees with this expert answer: It is in Peru",
    ]
    assert deep.leaves == far.leaves
    assert [(one.id, one.kind, one.points) for one in deep.criteria] == [
        ("sounds_warm", "binary", 1),
        ("depth", "group", 4),
        ("set", "group", 3),
        ("kind", "binary", 2),
    ]
    assert deep.criteria[2].criteria[0].check.against == ("42",)
    assert deep.criteria[2].criteria[1].check.any == ("east", "north, west")
    assert left == {"providers": 1, "description": 1, "threshold": 2, "assert[].threshold": 1}


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"tests": "file://tests.csv"}, "tests in other files"),
        ({"tests": [{"vars": {"a": "1"}, "assert": [{"type": "llm-rubric", "value": "Says {{b}}."}]}]}, "needs b"),
        (
            {"tests": [{"vars": {"a": "x"}, "assert": [{"type": "llm-rubric", "value": "Says {{a | upper}}."}]}]},
            "more than names",
        ),
        ({"tests": [{"vars": {"a": "file://a.txt"}, "assert": [{"type": "equals", "value": "{{a}}"}]}]}, "not read"),
        ({"tests": [{"assert": ["contains: x"]}]}, "is not an object"),
        ({"tests": [{"assert": [{"type": "search-rubric", "value": "Is current."}]}]}, "search-rubric"),
        (
            {"tests": [{"assert": [{"type": "llm-rubric", "value": "Is kind.", "weight": "much"}]}]},
            "weight of llm-rubric",
        ),
        ({"tests": [{"vars": {c: list("abcdefghijk") for c in "xyz"}, "assert": []}]}, "more than 1,000 tests"),
    ],
    ids=["elsewhere", "no-value", "filter", "file", "text", "search", "weight", "many"],
)
def test_a_test_of_promptfoo_that_cannot_be_read_whole_is_refused(config, told):
    with pytest.raises(BadInput, match=told):
        imported("promptfoo", config)
