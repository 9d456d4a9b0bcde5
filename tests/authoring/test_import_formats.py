"""A faithful small file of each format: statements, signs, weights, options and references as in the source.

What is not carried over is counted.
"""

import copy
import json

import pytest

from judge_server.authoring.interchange import FORMATS, format_of
from judge_server.authoring.interchange.tracked import tracked, unread
from judge_server.authoring.parsing import from_data
from judge_server.core.errors import BadInput

VERL = {
    "prompt": [{"role": "user", "content": "What is 6 × 7?"}],
    "data_source": "made-up",
    "ability": "math",
    "reward_model": {
        "style": "rubric",
        "ground_truth": "42",
        "rubrics": [
            {"criterion": "The answer is 42.", "points": 10.0,
             "tags": {"function": "math_verify", "parameters": {"answer": "42"}, "verifier": "rule"}},
            {"criterion": "Explains each step.", "points": "3",
             "tags": {"function": "", "parameters": {}, "verifier": "llm"}},
            {"criterion": "Has three paragraphs.", "points": 2,
             "tags": {"function": "ParagraphChecker", "parameters": {"num_paragraphs": 3}, "verifier": "rule"}},
        ],
    },
    "extra_info": {"index": 7},
}  # fmt: skip
RESEARCH = {
    "sample_id": "s1",
    "prompt": "Compare two heat pumps.",
    "domain": "energy",
    "rubrics": [
        {"criterion": "Compares the costs.", "axis": "Explicit Criteria", "weight": 5.0},
        {"criterion": "Invents a test report.", "axis": "Implicit Criteria", "weight": -3.0},
    ],
}
AUTORUBRIC = {
    "question": "Why is the sky blue?",
    "rubric": [
        {"name": "scattering", "weight": 10.0, "requirement": "Names Rayleigh scattering."},
        {"name": "tone", "weight": 2.0, "requirement": "How clear is it?",
         "options": [{"label": "clear", "value": 1}, {"label": "muddy", "value": 0}, {"label": "fair", "value": 0.5}]},
        {"name": "style", "weight": 1.0, "requirement": "Is it formal?", "choices": ["no", "yes"]},
    ],
}  # fmt: skip
OPEN_INSTRUCT = {
    "messages": [{"role": "user", "content": "Name a remedy."}],
    "ground_truth": json.dumps(
        [json.dumps({"query": "Name a remedy.", "rubrics": [{"description": "Names water.", "weight": 2}]})]
    ),
    "dataset": "rubrics",
}
PROMETHEUS = {
    "orig_instruction": "Console a friend.",
    "orig_response": "There, there.",
    "orig_reference_answer": "I am so sorry.",
    "orig_criteria": "Does the response show empathy?",
    **{f"orig_score{level}_description": f"Level {level} of empathy." for level in range(1, 6)},
    "orig_score": "3",
}
BIGGEN = {
    "id": "grounding_0",
    "input": "Describe the room.",
    "reference_answer": "It is small.",
    "score_rubric": {"criteria": "Is it exact?", **{f"score{level}_description": f"L{level}" for level in range(1, 6)}},
}
WILDBENCH = {
    "session_id": "w1",
    "conversation_input": [{"role": "user", "content": "Plan a trip."}],
    "checklist": ["Does it name a city?", "Does it keep to the budget?"],
    "intent": "planning",
}
INFOBENCH = {
    "id": "i1",
    "instruction": "Write a headline.",
    "input": "A cat won a race.",
    "decomposed_questions": ["Is it a headline?", "Is it about a cat?"],
    "question_label": [["Format"], ["Content"]],
}
IFEVAL = {
    "key": 1001,
    "prompt": "Write at least 50 words without commas, in German.",
    "instruction_id_list": ["length_constraints:number_words", "punctuation:no_comma", "language:response_language"],
    "kwargs": [{"relation": "at least", "num_words": 50.0, "keyword": None}, {}, {"language": "de"}],
}
GEVAL = {
    "name": "Correctness",
    "criteria": "Is the output right?",
    "evaluation_params": ["actual_output"],
    "threshold": 0.5,
    "rubric": [
        {"score_range": [0, 2], "expected_outcome": "Wrong."},
        {"score_range": [3, 7], "expected_outcome": "Partly right."},
        {"score_range": [8, 10], "expected_outcome": "Right."},
    ],
}
GEVAL_STEPS = {"name": "Tone", "evaluation_steps": ["Is it polite?", "Is it short?"]}
PROMPTFOO = {
    "description": "two tests",
    "defaultTest": {"assert": [{"type": "not-icontains", "value": "as an AI"}]},
    "tests": [
        {
            "vars": {"question": "Name {{x}}?", "topic": "rivers"},
            "threshold": 0.5,
            "assert": [
                {"type": "llm-rubric", "value": "Is about {{topic}}.", "weight": 3, "threshold": 0.7},
                {"type": "not-llm-rubric", "value": "Is rude."},
                {
                    "type": "assert-set",
                    "assert": [{"type": "contains-all", "value": ["Rhine", "Elbe"], "metric": "facts"}],
                },
            ],
        },
        {"vars": {"question": "2+2?"}, "assert": [{"type": "equals", "value": "4"}]},
    ],
}


PRBENCH = {
    "task": "t1",
    "turns": 2,
    "field": "Finance",
    "rubric": [
        {"id": "p", "title": "Names the tax.", "annotations": {
            "criteria_category": "Accuracy", "weight_class": "critically important", "critically_important_weight": 8,
            "important_weight": 3}},
        {"id": "n", "title": "Invents a rule.", "annotations": {
            "criteria_category": "Accuracy", "weight_class": "detrimental", "detrimental_weight": -4}},
    ],
    "prompt_0": "Which tax?",
    "response_0": "It depends.",
    "prompt_1": "On what?",
    "reference_texts_1": ["Section 5."],
}  # fmt: skip
OPENRUBRICS = {"instruction": "Greet.", "rubric": "1. Greets the reader. [Hard Rule]\n2. Is warm. [Principle]"}


def imported(form, record):
    """The rubrics, the submission and what was left, of a record."""
    made, left, submissions = [], {}, []
    for one in FORMATS[form].split(tracked(copy.deepcopy(record))):
        row = one if hasattr(one, "used") else tracked(one)
        made.append(FORMATS[form].read(row, "f.jsonl:1", ""))
        submissions.append(FORMATS[form].submission(row))
        left |= unread(row)
    return made, submissions, left


@pytest.mark.parametrize(
    ("form", "record"),
    [
        ("rows", VERL), ("rows", RESEARCH), ("rows", AUTORUBRIC), ("open-instruct", OPEN_INSTRUCT),
        ("score-rubric", PROMETHEUS), ("score-rubric", BIGGEN), ("checklist", WILDBENCH), ("checklist", INFOBENCH),
        ("prbench", PRBENCH), ("rows", OPENRUBRICS),
        ("ifeval", IFEVAL), ("geval", GEVAL), ("geval", GEVAL_STEPS), ("promptfoo", PROMPTFOO),
        ("healthbench", {"prompt": [], "rubrics": [{"criterion": "x", "points": 1, "tags": []}]}),
        ("rubrics-as-rewards", {"question": "q", "rubric": [{"title": "t", "description": "d", "weight": 1}]}),
        ("paperbench", {"id": "a", "requirements": "r", "weight": 1, "sub_tasks": []}),
    ],
)  # fmt: skip
def test_the_format_of_a_record_is_recognised(form, record):
    assert format_of(record, "f:1") == form


def test_a_record_of_no_format_is_refused_with_its_fields():
    with pytest.raises(BadInput, match=r"f:1 .* it holds colour, size"):
        format_of({"size": 1, "colour": 2}, "f:1")


def test_rows_of_verl_keep_their_rules_as_checks_and_count_those_that_none_is():
    (made,), (submission,), left = imported("rows", VERL)
    assert [(leaf.kind, leaf.points) for leaf in made.leaves] == [("check", 10), ("binary", 3), ("binary", 2)]
    assert made.leaves[0].check.kind == "math"
    assert made.leaves[0].check.against == "42"
    assert submission == {"prompt": [{"role": "user", "content": "What is 6 × 7?"}], "reference": "42"}
    assert left == {
        "data_source": 1, "ability": 1, "reward_model.style": 1, "extra_info.index": 1,
        "reward_model.rubrics[].tags.function": 1, "reward_model.rubrics[].tags.parameters": 1,
        "reward_model.rubrics[].tags.verifier": 1,
    }  # fmt: skip


def test_rows_of_researchrubrics_keep_signs_and_axes():
    (made,), (submission,), left = imported("rows", RESEARCH)
    assert made.aggregate.kind == "points"
    assert [(leaf.statement, leaf.points, leaf.tags) for leaf in made.leaves] == [
        ("Compares the costs.", 5, ("axis:Explicit Criteria",)),
        ("Invents a test report.", -3, ("axis:Implicit Criteria",)),
    ]
    assert submission == {"id": "s1", "prompt": "Compare two heat pumps."}
    assert left == {"domain": 1}


@pytest.mark.parametrize("choices", [["formal", "loose", "odd"], {"a": 1, "b": 1}, [{"label": "x"}, {"label": "y"}]])
@pytest.mark.parametrize("form", ["rows", "healthbench", "rubrics-as-rewards"])
def test_options_without_scores_are_refused_for_a_judge_cannot_say_yes_or_no_to_them(form, choices):
    entry = {"criterion": "Which style?", "title": "t", "points": 1, "choices": choices}
    with pytest.raises(BadInput, match="have no different scores"):
        imported(form, {"prompt": "p", "rubrics": [entry]})


def test_lines_with_categories_are_read_as_rubrics_as_rewards():
    row = {"question": "q", "rubric": "Essential: Names the drug.\nPitfall: Recommends aspirin wrongly."}
    assert format_of(row, "f:1") == "rubrics-as-rewards"
    (made,), (submission,), left = imported("rubrics-as-rewards", row)
    assert [(leaf.statement, leaf.points) for leaf in made.leaves] == [
        ("Names the drug.", 1), ("Recommends aspirin wrongly.", -0.9),
    ]  # fmt: skip
    assert submission == {"prompt": "q"}
    assert not left


def test_a_rule_is_known_without_its_group_too():
    rule = {"function": "number_bullet_lists", "parameters": {"num_bullets": 3}, "verifier": "rule"}
    entry = {"criterion": "Has 3 bullets.", "points": 2, "tags": rule}
    (made,), _, left = imported("rows", {"rubrics": [entry]})
    assert made.leaves[0].check.kind == "regex"
    assert not left


def test_options_with_scores_become_a_scale_and_yes_or_no_stays_a_question():
    (made,), _, left = imported("rows", AUTORUBRIC)
    assert [leaf.kind for leaf in made.leaves] == ["binary", "scale", "binary"]
    assert [(one.label, one.value) for one in made.leaves[1].options] == [("muddy", 0), ("fair", 0.5), ("clear", 1)]
    assert [leaf.id for leaf in made.leaves] == ["scattering", "tone", "style"]
    assert left == {"rubric[].choices": 1}  # yes and no are what a judge says anyway


def test_a_ground_truth_as_text_of_text_is_read():
    (made,), (submission,), left = imported("open-instruct", OPEN_INSTRUCT)
    assert [(leaf.statement, leaf.points) for leaf in made.leaves] == [("Names water.", 2)]
    assert submission == {"prompt": "Name a remedy."} | {"prompt": [{"role": "user", "content": "Name a remedy."}]}
    assert left == {"dataset": 1}


@pytest.mark.parametrize(("record", "prompt"), [(PROMETHEUS, "Console a friend."), (BIGGEN, "Describe the room.")])
def test_five_levels_become_a_scale_with_their_descriptions(record, prompt):
    (made,), (submission,), left = imported("score-rubric", record)
    (leaf,) = made.leaves
    assert [option.value for option in leaf.options] == [0, 0.25, 0.5, 0.75, 1]
    assert [option.label for option in leaf.options] == ["1", "2", "3", "4", "5"]
    assert all(option.description for option in leaf.options)
    assert submission["prompt"] == prompt
    assert submission["reference"]
    assert set(left) <= {"orig_response", "orig_score"}


def test_checklists_keep_their_questions_labels_and_prompts():
    (wild,), (submission,), left = imported("checklist", WILDBENCH)
    assert [leaf.statement for leaf in wild.leaves] == WILDBENCH["checklist"]
    assert submission == {"id": "w1", "prompt": WILDBENCH["conversation_input"]}
    assert left == {"intent": 1}
    (info,), (submission,), left = imported("checklist", INFOBENCH)
    assert [leaf.tags for leaf in info.leaves] == [("Format",), ("Content",)]
    assert submission == {"id": "i1", "prompt": "Write a headline.\n\nA cat won a race."}
    assert not left


def test_instructions_of_ifeval_become_checks_or_refuse_the_row():
    (made,), (submission,), left = imported("ifeval", IFEVAL)
    assert [leaf.check.kind for leaf in made.leaves] == ["length", "contains", "language"]
    assert (made.leaves[0].check.min, made.leaves[1].check.none, made.leaves[2].check.any) == (50, (",",), ("de",))
    assert submission == {"id": "1001", "prompt": IFEVAL["prompt"]}
    assert not left
    odd = IFEVAL | {"instruction_id_list": ["combination:two_responses"], "kwargs": [{}]}
    with pytest.raises(BadInput, match="combination:two_responses"):
        imported("ifeval", odd)


def test_a_g_eval_rubric_becomes_a_scale_and_steps_become_criteria():
    (scale,), _, left = imported("geval", GEVAL)
    (leaf,) = scale.leaves
    assert [(one.label, one.value, one.description) for one in leaf.options] == [
        ("0-2", 0.1, "Wrong."), ("3-7", 0.5, "Partly right."), ("8-10", 0.9, "Right."),
    ]  # fmt: skip
    assert left == {"evaluation_params": 1, "threshold": 1}
    (steps,), _, left = imported("geval", GEVAL_STEPS)
    assert [leaf.statement for leaf in steps.leaves] == GEVAL_STEPS["evaluation_steps"]


def test_tests_of_promptfoo_become_rubrics_with_the_assertions_of_all():
    made, submissions, left = imported("promptfoo", PROMPTFOO)
    first, second = made
    assert [(leaf.kind, leaf.points) for leaf in first.leaves] == [
        ("check", 1),
        ("binary", 3),
        ("binary", 1),
        ("check", 1),
    ]
    assert first.leaves[0].check.negate
    assert first.leaves[1].statement == "Is about rivers."
    assert first.leaves[2].statement == "The response does not satisfy this: Is rude."
    assert (first.leaves[3].check.all, first.leaves[3].tags) == (("Rhine", "Elbe"), ("facts",))
    assert [leaf.check.kind for leaf in second.leaves] == ["contains", "exact_match"]
    assert submissions == [{"prompt": "Name {{x}}?"}, {"prompt": "2+2?"}]
    assert first.leaves[1].gate.model_dump() == {"when": "unmet", "threshold": 0.7, "reward": 0.0}
    assert left["threshold"] == 1
    with pytest.raises(BadInput, match="javascript"):
        imported("promptfoo", {"assert": [{"type": "javascript", "value": "output.length > 3"}]})


def test_a_healthbench_row_keeps_axes_rules_and_options():
    row = {
        "prompt": "p",
        "rubrics": [
            {"criterion": "Says 5 mg.", "points": "4", "axis": "accuracy", "tags": []},
            {"criterion": "Is short.", "points": 2, "function": "length_constraints:number_words",
             "parameters": {"relation": "less than", "num_words": 90}, "verifier": "rule"},
            {"criterion": "How warm?", "points": 1, "choices": {"cold": 1, "warm": 3, "mild": 2}, "note": "n"},
        ],
    }  # fmt: skip
    (made,), _, left = imported("healthbench", row)
    assert [(leaf.kind, leaf.points) for leaf in made.leaves] == [("binary", 4), ("check", 2), ("scale", 1)]
    assert made.leaves[0].tags == ("axis:accuracy",)
    assert made.leaves[1].check.max == 89
    assert [option.label for option in made.leaves[2].options] == ["cold", "mild", "warm"]
    assert left == {"rubrics[].note": 1}


def test_weights_of_prbench_are_those_of_the_class():
    (made,), (submission,), left = imported("prbench", PRBENCH)
    assert [(leaf.statement, leaf.points, leaf.tags) for leaf in made.leaves] == [
        ("Names the tax.", 8, ("Accuracy",)),
        ("Invents a rule.", -4, ("Accuracy",)),
    ]
    assert submission["id"] == "t1"
    assert [(turn["role"], turn["content"]) for turn in submission["prompt"]] == [
        ("user", "Which tax?"), ("assistant", "It depends."), ("user", "Section 5.\n\nOn what?"),
    ]  # fmt: skip
    assert left == {
        "turns": 1, "field": 1, "rubric[].id": 2, "rubric[].annotations.important_weight": 1,
    }  # fmt: skip


def test_a_numbered_list_in_a_text_is_read_and_other_text_is_not():
    (made,), (submission,), left = imported("rows", OPENRUBRICS)
    assert [(leaf.statement, leaf.tags) for leaf in made.leaves] == [
        ("Greets the reader.", ("Hard Rule",)),
        ("Is warm.", ("Principle",)),
    ]
    assert submission == {"prompt": "Greet."}
    assert not left
    with pytest.raises(BadInput):
        imported("rows", {"rubric": "Greet the reader.\n1. Be warm."})


def test_rows_come_back_with_the_content_that_they_had():
    made = from_data(
        {
            "id": "a/b", "version": "1.0.0", "title": "T", "aggregate": {"kind": "points"},
            "criteria": [
                {"id": "names_water", "statement": "Names water.", "points": 5, "tags": ["axis:facts"]},
                {"id": "is_rude", "statement": "Is rude.", "points": -2},
                {"id": "tone", "statement": "How warm is it?", "kind": "scale", "points": 1, "options": [
                    {"label": "cold", "value": 0}, {"label": "warm", "value": 1, "description": "Kind words."}]},
            ],
        }
    ).rubric  # fmt: skip
    assert FORMATS["rows"].losses(made) == []
    again = FORMATS["rows"].read(tracked(FORMATS["rows"].write(made)), "f:1", "a/b")
    assert again.digest == made.digest


def test_a_promptfoo_test_comes_back_with_statements_and_weights():
    made = FORMATS["checklist"].read(WILDBENCH, "f:1", "a/b")
    assert FORMATS["promptfoo"].losses(made) == []
    again = FORMATS["promptfoo"].read(tracked(FORMATS["promptfoo"].write(made)), "f:1", "a/b")
    assert [(leaf.statement, leaf.points) for leaf in again.leaves] == [(x.statement, x.points) for x in made.leaves]
    signed = FORMATS["rows"].read(RESEARCH, "f:1", "a/b")
    assert any("negative points" in line for line in FORMATS["promptfoo"].losses(signed))
