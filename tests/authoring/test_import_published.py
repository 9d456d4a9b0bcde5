"""Faults that files published by others showed: what looks like a list of criteria and is none, signs and weights in
words of their own, records by id, and many records of which some are refused."""

import itertools
import json
from contextlib import suppress

import pytest

from judge_server.authoring.interchange import FORMATS, format_of
from judge_server.authoring.interchange.tracked import tracked, unread
from judge_server.cli.actions.rubric_exchange import RubricImportOptions, import_rubrics
from judge_server.core.errors import BadInput
from judge_server.core.submission import Submission
from judge_server.judging.checks import decide_now, prepare

NO_RUBRICS = {
    "authors of a page": [{"name": "Ada", "affiliation": "X", "img": "a.png"}],
    "messages of a prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello."}],
    "names alone": ["Acehnese", "Afrikaans"],
    "test cases": [{"name": "first", "input": "2 + 2", "expected_output": "4"}],
    "a table of contents": [{"title": "Start", "sections": [{"title": "Install", "local": "install"}]}],
    "calls of tools that are the truth": {
        "ground_truth": [{"name": "send_email", "arguments": "{}"}],
        "prompt": "Answer Carlos.",
    },
    "numbers that are the truth": {"ground_truth": "[-3.0, 0.5]", "prompt": "Compute."},
    "figures of a data set": {"type": {"unique_count": 1}, "name": "metrics", "question": {"unique_count": 5}},
}


@pytest.mark.parametrize("record", NO_RUBRICS.values(), ids=NO_RUBRICS)
def test_what_is_no_list_of_criteria_has_no_format(record):
    with pytest.raises(BadInput, match="has no format"):
        format_of(record, "file:1")


def read(record):
    """The rubric that ``auto`` reads, what the row holds beside it, and what is left."""
    row = tracked(record)
    form = FORMATS[format_of(record, "file:1")]
    (part,) = form.split(row)
    rubric = form.read(part, "file:1", "")
    return rubric, form.submission(part), unread(part, row)


def test_a_question_that_passes_with_no_says_so():
    record = {
        "rubric": [
            {"question": "Does it name nuts?", "pass_criteria": "NO"},
            {"question": "Does it greet Alex?", "pass_criteria": "YES", "weight": 2},
        ]
    }
    rubric, _, left = read(record)
    assert [(leaf.statement, leaf.points) for leaf in rubric.leaves] == [
        ("The answer to this question is no: Does it name nuts?", 1),
        ("Does it greet Alex?", 2),
    ]
    assert not left
    record["rubric"][0]["pass_criteria"] = "MAYBE"
    with pytest.raises(BadInput, match="neither YES nor NO"):
        read(record)


def test_a_severity_is_the_weight_and_must_pass_a_gate():
    entries = [
        {"operator": "agent", "criteria": "Names the risk.", "modifiers": {"severity": 2.0, "category": "must_pass"}},
        {"operator": "agent", "criteria": "Gives a figure.", "modifiers": {"severity": 1.0}},
    ]
    rubric, submission, left = read(
        {"question": "Which risk?", "rubric": json.dumps(entries), "expected_answer": "Rates."}
    )
    first, second = rubric.leaves
    assert (first.points, first.gate.when, first.gate.reward) == (2, "unmet", 0)
    assert (second.points, second.gate) == (1, None)
    assert submission == {"prompt": "Which risk?", "reference": "Rates."}
    assert left == {"rubric[].operator": 2}
    entries[0]["modifiers"]["severity"] = -1
    with pytest.raises(BadInput, match="severity"):
        read({"question": "Which risk?", "rubric": entries})


def test_sections_become_tags_and_guidelines_guidance():
    record = {
        "rubric": {
            "guidelines": "Judge only what is written.",
            "sections": [
                {"name": "Clarity", "criteria": [{"name": "clear", "weight": 10, "requirement": "Is clear."}]},
                {"name": "Traps", "criteria": [{"name": "vague", "weight": -8, "requirement": "Is vague."}]},
            ],
        }
    }
    rubric, _, left = read(record)
    assert [(leaf.id, leaf.points, leaf.tags, leaf.guidance) for leaf in rubric.leaves] == [
        ("clear", 10, ("section:Clarity",), "Judge only what is written."),
        ("vague", -8, ("section:Traps",), "Judge only what is written."),
    ]
    assert not left


def test_the_points_of_an_item_with_an_id_of_its_own_stand_under_score():
    items = [{"score": 2, "criterion": "Is a workbook.", "rubric_item_id": "a1", "tags": ["true"]}]
    rubric, _, left = read({"prompt": "Make a sample.", "rubric_json": json.dumps(items)})
    assert [(leaf.statement, leaf.points) for leaf in rubric.leaves] == [("Is a workbook.", 2)]
    assert left == {"rubric_json[].rubric_item_id": 1}


def test_a_reference_response_is_the_reference():
    _, submission, _ = read({"rubric": [{"criteria": "Is short."}], "reference_response": "Yes.", "prompt": "Why?"})
    assert submission == {"prompt": "Why?", "reference": "Yes."}


ODD = ({}, {"a": 1}, [], [{}], [[]], "text", 3, None, True)
NAMES = (
    "rubric", "rubrics", "criteria", "checklist", "requirements", "sections", "reward_model", "ground_truth", "type",
    "name", "grader", "instruction_id_list", "kwargs", "assert", "tests", "metrics", "skill", "instruction", "weights",
    "score_rubric", "instructions", "prompt", "choices", "judges", "eval", "samples", "sub_tasks", "modifiers",
    "evaluation_steps", "serialized_scorer", "question_label", "decomposed_questions",
)  # fmt: skip


def test_no_value_of_an_unexpected_kind_ends_in_anything_but_a_refusal():
    values = itertools.cycle(ODD)
    for one, other in itertools.product(NAMES, NAMES):
        value = next(values)
        record = {one: value, other: [{"criterion": "Is short.", one: value}]}
        with suppress(BadInput):
            row = tracked(record)
            form = FORMATS[format_of(record, "file:1")]
            parts = form.split(row)
            assert parts
            for part in parts:
                form.read(part, "file:1", "")
                form.submission(part)


def options(output, **more):
    return RubricImportOptions(output, "", None, as_jsonl=False, as_submissions=True, **more)


def test_an_object_of_rows_by_id_holds_rows(tmp_path):
    levels = {f"score{level}_description": f"Level {level}." for level in range(1, 6)}
    rows = {
        f"plan_{number}": {"input": f"Plan trip {number}.", "score_rubric": {"criteria": "Is it a plan?", **levels}}
        for number in range(3)
    }
    source, made = tmp_path / "rows.json", tmp_path / "made.jsonl"
    source.write_text(json.dumps(rows))
    import_rubrics(source, "auto", options(made))
    lines = [json.loads(line) for line in made.read_text().splitlines()]
    assert [(line["id"], line["prompt"]) for line in lines] == [(f"plan_{n}", f"Plan trip {n}.") for n in range(3)]


def test_every_refused_record_is_told_and_may_be_left_out(tmp_path, capsys):
    source, made = tmp_path / "rows.jsonl", tmp_path / "made.jsonl"
    rows = [{"prompt": f"P{n}", "rubric": [{"criterion": "Is short."}] if n % 2 else [{"weight": 1}]} for n in range(8)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(BadInput) as refused:
        import_rubrics(source, "auto", options(made))
    assert "4 of 8 records cannot be read" in str(refused.value)
    assert all(f"rows.jsonl:{line}:" in str(refused.value) for line in (1, 3, 5, 7))
    assert "--skip-refused" in str(refused.value)
    assert not made.exists()
    import_rubrics(source, "auto", options(made, skip_refused=True))
    assert [json.loads(line)["prompt"] for line in made.read_text().splitlines()] == ["P1", "P3", "P5", "P7"]
    assert "left out, because they cannot be read: 4" in capsys.readouterr().err


def test_nothing_is_written_if_every_record_is_refused(tmp_path):
    source, made = tmp_path / "rows.jsonl", tmp_path / "made.jsonl"
    source.write_text('{"rubric": [{"weight": 1}]}\n')
    with pytest.raises(BadInput, match="lacks a statement"):
        import_rubrics(source, "auto", options(made, skip_refused=True))
    assert not made.exists()


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.json", "rows.parquet"])
def test_a_pointer_of_git_lfs_is_named(tmp_path, name):
    source = tmp_path / name
    source.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n")
    with pytest.raises(BadInput, match="git lfs pull"):
        import_rubrics(source, "auto", options(tmp_path / "made.jsonl"))


def test_a_log_without_a_model_graded_scorer_says_so(tmp_path):
    source = tmp_path / "log.json"
    log = {"version": 2, "status": "success", "eval": {"scorers": [{"name": "match"}]}, "samples": [{"id": 1}]}
    source.write_text(json.dumps(log))
    with pytest.raises(BadInput, match="no model-graded scorer"):
        import_rubrics(source, "auto", options(tmp_path / "made.jsonl"))


def test_an_assertion_without_a_type_is_named():
    with pytest.raises(BadInput, match="an assertion has no type"):
        read({"vars": {}, "assert": [{"type": None, "value": None}]})


# instruction, arguments, responses that follow it, responses that do not
FOLLOWED = {
    "length_constraints:number_paragraphs": (
        {"num_paragraphs": 2},
        ["One.\n***\nTwo.", "***\nOne *a*.\n***\nTwo **b**.\n***\n"],
        ["One.", "One.\n***\n\n***\nTwo.", "One.\n***\nTwo.\n***\nThree."],
    ),
    "combination:repeat_prompt": (
        {"prompt_to_repeat": "Write a song (short)."},
        ["Write a song (short). La la.", "  write a SONG (short).\nLa."],
        ["La la. Write a song (short)."],
    ),
    "detectable_format:multiple_sections": (
        {"section_spliter": "Day", "num_sections": 2},
        ["Day 1\nSleep.\nDay 2\nRun."],
        ["Day 1\nSleep.", "day 1 day 2"],
    ),
    "detectable_format:constrained_response": ({}, ["My answer is no."], ["No.", "my answer is no."]),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_an_instruction_of_ifeval_is_decided_as_its_program_does(name):
    arguments, follow, fail = FOLLOWED[name]
    rubric, _, _ = read({"prompt": "P", "instruction_id_list": [name], "kwargs": [arguments]})
    prepare(rubric)

    def met(response):
        return decide_now(rubric.leaves[0], Submission(rubric="a/b", prompt="P", response=response)).value

    assert [met(one) for one in follow] == [1.0] * len(follow)
    assert [met(one) for one in fail] == [0.0] * len(fail)


def test_a_tree_comes_back_with_its_id_and_those_of_its_nodes():
    leaf = {"id": "8e6a1c9e-5a7f-4d0a", "weight": 3, "sub_tasks": [], "task_category": "Code Development",
            "requirements": "The 7 non-sparse environments have been set up with seeds and logged."}  # fmt: skip
    other = {
        **leaf,
        "id": "0d5b8c1e-1111-2222",
        "requirements": "The 7 non-sparse environments have been set up again.",
    }
    tree = {"id": "52116097-309b", "requirements": "The paper is replicated.", "weight": 1, "sub_tasks": [leaf, other]}
    form = FORMATS["paperbench"]
    rubric = form.read(tracked(tree), "f:1", "")
    assert form.losses(rubric) == []
    again = form.read(tracked(json.loads(json.dumps(form.write(rubric)))), "f:1", "")
    assert (again.id, again.digest) == (rubric.id, rubric.digest)
