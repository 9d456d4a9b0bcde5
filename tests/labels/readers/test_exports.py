"""Label Studio's exports and HealthBench's meta-evaluation."""

import json

import pytest

from judge_server.labels.readers import read_labels
from judge_server.labels.readers.healthbench import conversation_text
from tests.labels.readers.rows import faults


def choice(criterion, *choices):
    return {"from_name": criterion, "to_name": "text", "type": "choices", "value": {"choices": list(choices)}}


def rating(criterion, stars):
    return {"from_name": criterion, "to_name": "text", "type": "rating", "value": {"rating": stars}}


def reason(name, text):
    return {"from_name": name, "to_name": "text", "type": "textarea", "value": {"text": [text]}}


TASKS = [
    {
        "id": 11,
        "data": {"prompt": "Q", "text": "An answer.", "prompt_id": "p1", "model": "m"},
        "annotations": [
            {
                "id": 1,
                "completed_by": 7,
                "was_cancelled": False,
                "result": [choice("safe", "Yes"), rating("tone", 4), reason("safe_reason", "Clear.")],
            },
            {"id": 2, "completed_by": {"id": 8, "email": "b@example.org"}, "was_cancelled": True, "result": []},
        ],
        "predictions": [
            {"model_version": "judge-1", "score": 0.7, "result": [choice("safe", "No"), rating("tone", 3)]}
        ],
    },
    {
        "id": 12,
        "data": {"prompt": "Q", "text": "Another.", "prompt_id": "p1"},
        "annotations": [
            {"id": 3, "completed_by": 7, "ground_truth": True, "result": [choice("safe", "No"), rating("tone", 2)]}
        ],
        "predictions": [],
    },
]


def written(folder, value, name="export.json"):
    path = folder / name
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_a_result_of_a_type_that_is_none_is_left_out(tmp_path):
    task = {**TASKS[0], "annotations": [{"completed_by": 7, "result": [{**choice("safe", "Yes"), "type": []}]}]}
    found = read_labels(written(tmp_path, [task, TASKS[1]]))
    assert {one.item for one in found.table if one.role == "human"} == {"12"}


def test_an_export_of_label_studio_keeps_annotators_cancellations_and_predictions(tmp_path):
    found = read_labels(written(tmp_path, TASKS))
    said = {(one.item, one.criterion, one.annotator): one for one in found.table}
    assert said["11", "safe", "7"].label == "Yes"
    assert said["11", "safe", "7"].rationale == "Clear."
    assert said["11", "tone", "7"].label == "4"
    assert said["11", "safe", "b@example.org"].status == said["11", "tone", "b@example.org"].status == "abstained"
    assert said["11", "safe", "judge-1"].role == "judge"
    assert {one.cluster for one in found.table} == {"p1"}
    assert found.items["12"].tags == ("ground_truth",)
    assert found.items["11"].writer == "m"


def test_several_choices_at_once_are_refused_with_their_task(tmp_path):
    task = {
        **TASKS[0],
        "annotations": [{"completed_by": 7, "result": [choice("safe", "Yes", "No")]}],
        "predictions": [],
    }
    assert [(row, column) for row, column, _ in faults(written(tmp_path, [TASKS[1], task]))] == [(2, "safe")]


def row(completion, labels, ids, rubric="Asks back.", category="context"):
    return {
        "prompt": [{"role": "user", "content": "I feel dizzy."}],
        "completion": completion,
        "rubric": rubric,
        "category": category,
        "binary_labels": labels,
        "anonymized_physician_ids": ids,
    }


def test_the_meta_evaluation_of_healthbench_keeps_each_physician(tmp_path):
    rows = [
        row("One.", [True, False], ["a", "b"]),
        row("Two.", [True, True], ["a", "a"]),
        row("One.", [False], ["c"], "Says 911."),
    ]
    path = tmp_path / "meta.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = read_labels(path)
    assert found.counts.clusters == 1
    assert found.counts.items == 2
    assert found.counts.criteria == 2, "one category with two rubrics is two criteria"
    assert found.table.annotators_of("human") == ("a", "b", "a/2", "c")
    assert [one.label for one in found.table] == ["true", "false", "true", "true", "false"]
    assert next(iter(found.items.values())).prompt == "I feel dizzy."


@pytest.mark.parametrize("content", [None, ""])
def test_a_turn_without_content_is_no_text(content):
    assert conversation_text([{"role": "user", "content": content}]) == ""
