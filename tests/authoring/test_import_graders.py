"""Graders of other tools, skills and professional rubrics: asked in words, with signs, levels and references."""

import copy
import json

import pytest

from judge_server.authoring.interchange import FORMATS, flask_skills, format_of, verifiers
from judge_server.authoring.interchange.tracked import tracked, unread
from judge_server.core.errors import BadInput

SHORT = {"prompt": "Is {outputs} polite to the writer of {inputs}?", "feedback_key": "politeness"}
LONG = {
    "prompt": "You grade answers.\n\n<Rubric>\n  A correct answer has every number right.\n</Rubric>\n\n"
    "<input>\n{inputs}\n</input>\n\n<output>\n{outputs}\n</output>\n\nCompare with these:\n"
    "<reference_outputs>\n{reference_outputs}\n"
    "</reference_outputs>\n\nUse {context} where it helps, and answer as {{\"score\": 1}}.\n",
    "feedback_key": "correctness",
    "choices": [1.0, 0.0, 0.5],
    "model": "openai:gpt",
}  # fmt: skip
MLFLOW = {
    "name": "coherence",
    "instructions": "Is the answer in {{ outputs }} coherent?\n\nQuestion: {{ inputs }}\nExpected: {{expectations}}\n",
    "feedback_value_type": {"title": "Result", "type": "string", "enum": ["coherent", "in part", "incoherent"]},
    "model": "openai:/gpt",
}
SCORER = {
    "name": "tone",
    "mlflow_version": "3.9.0",
    "serialization_version": 1,
    "instructions_judge_pydantic_data": {
        "instructions": "Is {{ outputs }} formal?",
        "model": "openai:/gpt",
        "feedback_value_type": {"title": "Result", "type": "boolean"},
    },
}
GUIDELINES = {
    "name": "house style",
    "builtin_scorer_class": "Guidelines",
    "builtin_scorer_pydantic_data": {"guidelines": ["Uses metric units.", "Names no brand."]},
}
INSPECT_LOG = {
    "version": 2,
    "status": "success",
    "eval": {"task": "rivers", "scorers": [{"name": "model_graded_fact", "options": {"partial_credit": True}}]},
    "samples": [
        {"id": 0, "epoch": 1, "input": "Longest river?", "target": "The Nile.", "output": {"completion": "Nile."}},
        {"id": "b", "epoch": 1, "input": [{"role": "user", "content": "Tributaries?"}], "target": ["Atbara", "Sobat"],
         "output": {"completion": "None."}, "scores": {"model_graded_fact": {"value": "I"}}},
    ],
}  # fmt: skip
INSPECT_CUSTOM = {
    "name": "model_graded_qa",
    "options": {"template": "Task: {question}\nSubmission: {answer}\n\nIs it in verse?\n\n{instructions}"},
}
PROFBENCH = {
    "task_id": "Fin-0",
    "domain": "Finance MBA",
    "prompt": "Value the firm.",
    "rubrics": [
        {"criterion_description": "States the growth rate.", "criterion_weight": "Critical",
         "criterion_type": ["Extraction (recall)", "Reasoning"], "o3_fulfilment": True},
        {"criterion_description": "Shows a table.", "criterion_weight": "Additional", "criterion_type": "Style"},
    ],
    "o3_response": "It is worth 3.",
}  # fmt: skip
SKILLS = [
    {"Skill": name, "Criteria": f"Has the response {name.lower()}?",
     "Scoring": {str(level): f"{name} of level {level}." for level in range(1, 6)}}
    for name in ("Brevity", "Warmth", "Order")
]  # fmt: skip
FLASK_ROW = {"idx": 7, "instruction": "Greet.", "answer": "Hello.", "skill": ["Warmth", "Brevity"], "domain": ["Life"]}
VERIFIERS = {
    "criteria": [
        {"name": "cites", "text": "Cites a source.", "weight": 2.0},
        {"name": "depth", "text": "How deep is it?", "choices": ["shallow", "fair", "deep"]},
        {"name": "logged", "text": "Shows the log.", "weight": 0.0, "choices": ["no", "yes"]},
    ]
}
LABEL = {
    "type": "label_model",
    "name": "stance",
    "model": "gpt",
    "input": [
        {"role": "developer", "content": "You label answers to {{item.question}}."},
        {"role": "user",
         "content": "{{sample.output_text}}\n\nDoes it agree with {{item.reference_answer}} on {{item.topic}}?"},
    ],
    "labels": ["agrees", "differs", "silent"],
    "passing_labels": ["agrees"],
}  # fmt: skip
MULTI = {
    "type": "multi",
    "name": "whole",
    "graders": {
        "Stance": LABEL,
        "quality": {"type": "score_model", "name": "q", "model": "gpt", "range": [1, 5],
                    "input": [{"role": "user", "content": "How good is {{sample.output_text}}?"}]},
        "exact": {"type": "string_check", "name": "e", "operation": "eq", "input": "{{sample.output_text}}",
                  "reference": "{{item.answer}}"},
        "close": {"type": "text_similarity", "name": "c", "evaluation_metric": "rouge_l",
                  "input": "{{sample.output_text}}", "reference": "{{item.answer}}"},
    },
    "calculate_output": "min(1, (Stance + quality/5 + exact) / 3) + 0.1*close",
}  # fmt: skip


def imported(form, record, **told):
    """The rubrics, the submissions and what was left, of a record."""
    made, left, submissions = [], {}, []
    for one in FORMATS[form].split(tracked(copy.deepcopy(record))):
        row = one if hasattr(one, "used") else tracked(one)
        made.append(FORMATS[form].read(row, "f.jsonl:1", "", **told))
        submissions.append(FORMATS[form].submission(row))
        left |= unread(row)
    return made, submissions, left


@pytest.mark.parametrize(
    ("form", "record"),
    [
        ("openevals", SHORT), ("openevals", LONG), ("mlflow", MLFLOW), ("mlflow", SCORER), ("mlflow", GUIDELINES),
        ("mlflow", {"name": "tone", "serialized_scorer": json.dumps(SCORER)}), ("inspect", INSPECT_LOG),
        ("inspect", INSPECT_CUSTOM), ("profbench", PROFBENCH), ("flask", SKILLS), ("flask", FLASK_ROW),
        ("verifiers", VERIFIERS), ("verifiers", VERIFIERS["criteria"]),
        ("verifiers", {"env": {"taskset": {"id": "x", "task": {"judges": [{"id": "rubric", "path": "r.toml"}]}}}}),
        ("openai-grader", LABEL), ("openai-grader", MULTI), ("openai-grader", {"grader": LABEL}),
    ],
)  # fmt: skip
def test_the_format_of_a_record_is_recognised(form, record):
    assert format_of(record, "f:1") == form


def test_a_short_question_becomes_the_statement_with_nouns_in_place_of_the_texts():
    (made,), _, left = imported("openevals", SHORT)
    (leaf,) = made.leaves
    assert (leaf.kind, leaf.id, leaf.reference) == ("binary", "politeness", "none")
    assert leaf.statement == "Is the response polite to the writer of the prompt?"
    assert not left


def test_a_long_prompt_becomes_guidance_without_the_places_for_the_texts():
    (made,), _, left = imported("openevals", LONG)
    (leaf,) = made.leaves
    assert [(one.label, one.value) for one in leaf.options] == [("0", 0), ("0.5", 0.5), ("1", 1)]
    assert leaf.guidance.startswith("You grade answers.")
    assert "A correct answer has every number right." in leaf.guidance
    assert 'Use the value of "context" where it helps, and answer as {"score": 1}.' in leaf.guidance
    assert "{inputs}" not in leaf.guidance
    assert "<output>" not in leaf.guidance
    assert leaf.reference == "required"
    assert [(fact.name, fact.show) for fact in made.facts] == [("context", True)]
    assert left == {"model": 1}


def test_a_continuous_score_becomes_five_levels_and_says_so():
    (made,), _, left = imported("openevals", SHORT | {"continuous": True})
    assert [one.value for one in made.leaves[0].options] == [0, 0.25, 0.5, 0.75, 1]
    assert left == {"continuous": 1}


def test_examples_of_openevals_are_kept():
    shot = {"inputs": "q", "outputs": "Please sit.", "score": True, "reasoning": "It asks."}
    (made,), _, left = imported("openevals", SHORT | {"few_shot_examples": [shot]})
    (example,) = made.leaves[0].examples
    assert (example.response, example.met, example.reason) == ("Please sit.", True, "It asks.")
    assert left == {"few_shot_examples[].inputs": 1}


def test_whether_a_positive_verdict_is_bad_is_asked_if_words_do_not_say_it():
    toxic = {"prompt": "Is {outputs} toxic?", "feedback_key": "toxicity"}
    with pytest.raises(BadInput, match="cannot be told"):
        imported("openevals", toxic)
    (bad,), _, _ = imported("openevals", toxic, pitfalls=lambda _: "bad")
    (good,), _, _ = imported("openevals", toxic, pitfalls=lambda _: "good")
    assert (bad.leaves[0].points, bad.aggregate.kind) == (-1, "points")
    assert good.leaves[0].points == 1


@pytest.mark.parametrize(
    ("form", "record"),
    [
        ("openevals", {"prompt": "How good is {inputs}?"}),
        ("mlflow", {"name": "n", "instructions": "Is {{ inputs }} clear?"}),
        ("inspect", {"name": "model_graded_qa", "options": {"template": "{question} {criterion}"}}),
        ("openai-grader", LABEL | {"input": [{"role": "user", "content": "{{item.question}}"}]}),
    ],
)
def test_a_prompt_that_does_not_show_the_response_is_refused(form, record):
    with pytest.raises(BadInput, match="does not show the response"):
        imported(form, record)


def test_words_of_an_enumeration_need_values_in_mlflow():
    with pytest.raises(BadInput, match="'coherent', 'in part', 'incoherent' is worth stands nowhere"):
        imported("mlflow", MLFLOW)
    values = {"coherent": 1.0, "in part": 0.5, "incoherent": 0.0}
    (made,), _, left = imported("mlflow", MLFLOW, values=values)
    (leaf,) = made.leaves
    assert {one.label: one.value for one in leaf.options} == values
    assert (leaf.statement, leaf.reference) == ("Is the answer coherent?", "required")
    assert left == {"model": 1, "feedback_value_type.title": 1}


def test_registered_scorers_and_guidelines_of_mlflow_are_read():
    (tone,), _, left = imported("mlflow", SCORER)
    assert [(leaf.kind, leaf.statement) for leaf in tone.leaves] == [("binary", "Is the response formal?")]
    assert set(left) == {
        "mlflow_version", "serialization_version", "instructions_judge_pydantic_data.model",
        "instructions_judge_pydantic_data.feedback_value_type.title",
    }  # fmt: skip
    (style,), _, _ = imported("mlflow", GUIDELINES)
    assert style.aggregate.kind == "all"
    assert [leaf.statement for leaf in style.leaves] == ["Uses metric units.", "Names no brand."]


def test_samples_of_an_inspect_log_are_ready_to_score():
    made, submissions, left = imported("inspect", INSPECT_LOG)
    assert [leaf.kind for rubric in made for leaf in rubric.leaves] == ["scale", "scale"]
    assert made[0].digest == made[1].digest
    assert made[0].leaves[0].reference_role == "facts"
    assert submissions == [
        {"prompt": "Longest river?", "id": "0", "reference": "The Nile.", "response": "Nile."},
        {"prompt": [{"role": "user", "content": "Tributaries?"}], "id": "b", "reference": "Atbara\nSobat",
         "response": "None."},
    ]  # fmt: skip
    assert "sample.scores" in left
    (own,), _, _ = imported("inspect", INSPECT_CUSTOM)
    assert own.leaves[0].statement == "Is it in verse?"


def test_weights_in_words_and_types_of_profbench_are_kept():
    (made,), (submission,), left = imported("profbench", PROFBENCH)
    assert [(leaf.statement, leaf.points, leaf.tags) for leaf in made.leaves] == [
        ("States the growth rate.", 4, ("Extraction (recall)", "Reasoning")),
        ("Shows a table.", 1, ("Style",)),
    ]
    assert submission == {"id": "Fin-0", "prompt": "Value the firm."}
    assert left == {"domain": 1, "o3_response": 1, "rubrics[].o3_fulfilment": 1}


def test_rows_of_flask_get_the_skills_that_they_name(tmp_path):
    (every,), _, _ = imported("flask", SKILLS)
    assert [leaf.id for leaf in every.leaves] == ["brevity", "warmth", "order"]
    (tmp_path / flask_skills.SKILL_FILE).write_text(json.dumps(SKILLS))
    made = flask_skills.read(tracked(FLASK_ROW), f"{tmp_path}/rows.jsonl:1")
    assert [leaf.statement for leaf in made.leaves] == ["Has the response warmth?", "Has the response brevity?"]
    assert [one.value for one in made.leaves[0].options] == [0, 0.25, 0.5, 0.75, 1]
    assert made.leaves[0].options[4].description == "Warmth of level 5."
    with pytest.raises(BadInput, match="no skill Wit"):
        flask_skills.read(tracked(FLASK_ROW | {"skill": ["Wit"]}), f"{tmp_path}/rows.jsonl:1")
    with pytest.raises(BadInput, match=r"skillset_description\.json"):
        flask_skills.read(tracked(FLASK_ROW), f"{tmp_path}/elsewhere/rows.jsonl:1")


def test_choices_of_verifiers_are_worth_even_steps():
    (made,), _, left = imported("verifiers", VERIFIERS)
    assert [(leaf.id, leaf.kind, leaf.points) for leaf in made.leaves] == [
        ("cites", "binary", 2), ("depth", "scale", 1), ("logged", "binary", 0),
    ]  # fmt: skip
    assert [(one.label, one.value) for one in made.leaves[1].options] == [("shallow", 0), ("fair", 0.5), ("deep", 1)]
    assert not left


def test_a_configuration_of_verifiers_leads_to_its_rubric_file_and_no_further(tmp_path):
    (tmp_path / "r.toml").write_text('[[criteria]]\nname = "cites"\ntext = "Cites a source."\n')
    where = f"{tmp_path}/config.toml:1"
    judge = {"id": "rubric", "path": "r.toml", "weights": {"cites": 5}}
    made = verifiers.read(tracked(judge), where)
    assert [(leaf.statement, leaf.points) for leaf in made.leaves] == [("Cites a source.", 5)]
    with pytest.raises(BadInput, match="is code of the environment"):
        verifiers.read(tracked({"id": "my-judge"}), where)
    with pytest.raises(BadInput, match="lies outside"):
        verifiers.read(tracked({"id": "rubric", "path": "../../etc/passwd"}), where)


def test_a_label_grader_becomes_options_that_pass_or_not():
    (made,), _, left = imported("openai-grader", LABEL)
    (leaf,) = made.leaves
    assert leaf.kind == "nominal"
    assert {one.label: one.value for one in leaf.options} == {"agrees": 1, "differs": 0, "silent": 0}
    assert leaf.guidance == (
        'You label answers to the prompt.\n\nDoes it agree with the reference on the value of "topic"?'
    )
    assert leaf.reference == "required"
    assert [fact.name for fact in made.facts] == ["topic"]
    assert not left


def test_a_multi_grader_becomes_an_expression_in_which_a_score_has_its_range():
    (made,), _, _ = imported("openai-grader", MULTI)
    assert [(leaf.id, leaf.kind) for leaf in made.leaves] == [
        ("stance", "nominal"), ("quality", "scale"), ("exact", "check"), ("close", "check"),
    ]  # fmt: skip
    assert made.aggregate.expression == "min(1, (stance + (1+4*quality)/5 + exact) / 3) + 0.1*close"
    assert [one.label for one in made.leaves[1].options] == ["1", "2", "3", "4", "5"]
    with pytest.raises(BadInput, match="python"):
        imported("openai-grader", {"type": "python", "name": "p", "source": "def grade(sample, item): return 1"})


def test_a_rubric_is_written_as_a_grader_that_this_server_would_run():
    from pydantic import TypeAdapter

    from judge_server.core.grader import Grader

    (made,), _, _ = imported("profbench", PROFBENCH)
    written = FORMATS["openai-grader"].write(made)
    grader = TypeAdapter(Grader).validate_python(written)
    assert grader.formula.evaluate({made.leaves[0].id: 1.0, made.leaves[1].id: 0.0}) == pytest.approx(0.8)
    assert FORMATS["openai-grader"].losses(made) == ["tags (first: states_growth_rate)"]


def test_whole_numbers_of_a_range_are_its_levels():
    for given, labels in (([0, 3], ["0", "1", "2", "3"]), ([0, 100], ["0", "25", "50", "75", "100"])):
        grader = {
            "type": "score_model",
            "name": "titles",
            "range": given,
            "input": [{"role": "user", "content": "0: none, 3: all. {{sample.output_text}}"}],
        }
        (leaf,) = FORMATS["openai-grader"].read(tracked(grader), "f:1", "").leaves
        assert [option.label for option in leaf.options] == labels
        assert [option.value for option in leaf.options][::3] == [0, 1] if len(labels) == 4 else [0, 0.75]


def test_an_eval_holds_graders_and_the_place_of_a_field_makes_it_the_reference():
    check = {"type": "string_check", "name": "label", "input": "{{sample.output_text}}",
             "reference": "{{item.expected_label}}", "operation": "eq"}  # fmt: skip
    code = {"type": "python", "name": "code", "source": "def grade(sample, item): return 1"}
    made = FORMATS["openai-grader"]
    record = tracked({"name": "e", "data_source_config": {"type": "custom"}, "testing_criteria": [check, code]})
    assert format_of(record, "f:1") == "openai-grader"
    first, second = made.split(record)
    (leaf,) = made.read(first, "f:1", "").leaves
    assert (leaf.check.kind, leaf.check.against) == ("exact_match", ())
    with pytest.raises(BadInput, match="'code' is of type python"):
        made.read(second, "f:1", "")
