"""Exports of other tools and published data sets, as they come: labels, people, judges, texts and abstentions equal the
source, and what is left out is counted."""

import csv
import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from judge_server.core.errors import BadInput
from judge_server.labels.readers import read_labels
from judge_server.labels.readers.layout import Layout
from tests.labels.readers.rows import faults


def lines(folder, *records, name="export.jsonl"):
    path = folder / name
    path.write_text("".join(json.dumps(record) + "\n" for record in records), "utf-8")
    return path


def listed(folder, *records, name="export.json"):
    path = folder / name
    path.write_text(json.dumps(list(records)), "utf-8")
    return path


def told(labels):
    return [(one.item, one.criterion, one.annotator, one.role, one.label) for one in labels.table]


PRODIGY = {"text": "Take two a day.", "_input_hash": 0, "_task_hash": 1, "_annotator_id": "db-ann", "answer": "accept"}


def test_prodigy_binary_tasks_are_a_criterion_each_and_ignore_abstains(tmp_path):
    tasks = [
        {**PRODIGY, "label": "DOSE"},
        {**PRODIGY, "label": "DOSE", "_input_hash": 2, "answer": "reject"},
        {**PRODIGY, "label": "DOSE", "_input_hash": 3, "answer": "ignore"},
        {**PRODIGY, "_input_hash": 4, "spans": []},
    ]
    labels = read_labels(lines(tmp_path, *tasks))
    assert told(labels) == [
        ("0", "DOSE", "db-ann", "human", "accept"),
        ("2", "DOSE", "db-ann", "human", "reject"),
        ("3", "DOSE", "db-ann", "human", None),
    ]
    assert labels.scale_of("DOSE").positive == "accept"
    assert labels.items["0"].response == "Take two a day."
    assert any("1 Prodigy tasks have neither" in note for note in labels.notes)


def test_prodigy_choices_give_the_text_of_the_option(tmp_path):
    options = [{"id": 0, "text": "poor"}, {"id": 1, "text": "good"}]
    tasks = [
        {**PRODIGY, "options": options, "accept": [0], "meta": {"id": "a", "criterion": "tone", "prompt": "Q"}},
        {**PRODIGY, "options": options, "accept": [1], "meta": {"id": "b", "criterion": "tone"}},
        {**PRODIGY, "options": options, "accept": [], "answer": "reject", "meta": {"id": "c", "criterion": "tone"}},
    ]
    labels = read_labels(lines(tmp_path, *tasks))
    assert [(item, label) for item, _, _, _, label in told(labels)] == [("a", "poor"), ("b", "good"), ("c", None)]
    assert labels.items["a"].prompt == "Q"
    both = {**PRODIGY, "options": options, "accept": [0, 1]}
    assert faults(lines(tmp_path, both))[0][1] == "accept"


def test_argilla_records_of_version_2(tmp_path):
    record = {
        "id": "r0",
        "fields": {"prompt": [{"role": "user", "content": "Q"}], "response": "R"},
        "metadata": {"item": 0, "cluster": "p"},
        "responses": {
            "dose": [{"value": "yes", "user_id": "ann"}, {"value": "no", "user_id": "ben", "status": "draft"}],
            "quality": [{"value": 0, "user_id": "ann"}, {"value": 3, "user_id": "ben", "status": "discarded"}],
            "reason": [{"value": "because", "user_id": "ann"}],
        },
        "suggestions": {"dose": {"value": "no", "score": 0.0, "agent": "gpt"}},
    }
    labels = read_labels(listed(tmp_path, record))
    assert told(labels) == [
        ("0", "dose", "ann", "human", "yes"),
        ("0", "quality", "ann", "human", "0"),
        ("0", "quality", "ben", "human", None),
        ("0", "dose", "gpt", "judge", "no"),
    ]
    assert labels.table.row(0).rationale == "because"
    assert labels.table.row(3).probability == 0.0
    assert labels.items["0"].prompt == "Q"
    assert any("1 Argilla responses are drafts" in note for note in labels.notes)


def test_argilla_flattened_and_of_version_1(tmp_path):
    flat = {"id": "r", "response": "R", "dose.responses": ["yes", "no"], "dose.responses.users": ["ann", "ben"],
            "dose.suggestion": "yes", "dose.suggestion.agent": "gpt"}  # fmt: skip
    old = {
        "fields": {"text": "R"},
        "external_id": "r",
        "responses": [
            {"user_id": "ann", "status": "submitted", "values": {"dose": {"value": "yes"}}},
            {"user_id": "ben", "status": "submitted", "values": {"dose": {"value": "no"}}},
        ],
        "suggestions": [{"question_name": "dose", "value": "yes", "agent": "gpt"}],
    }
    expected = [
        ("r", "dose", "ann", "human", "yes"),
        ("r", "dose", "ben", "human", "no"),
        ("r", "dose", "gpt", "judge", "yes"),
    ]
    for record in (flat, old):
        labels = read_labels(lines(tmp_path, record))
        assert told(labels) == expected
        assert labels.items["r"].response == "R"


def test_label_studio_json_min(tmp_path):
    record = {
        "prompt": "Q", "response": "R", "id": 0, "dose": "yes", "grade": 0, "topics": {"choices": ["a"]},
        "spans": [{"start": 0, "end": 1, "labels": ["X"]}], "comment": "fine",
        "annotator": 0, "annotation_id": 7, "created_at": "2026-01-01", "updated_at": "2026-01-01", "lead_time": 1.5,
    }  # fmt: skip
    labels = read_labels(listed(tmp_path, record))
    assert told(labels) == [
        ("0", "dose", "0", "human", "yes"),
        ("0", "grade", "0", "human", "0"),
        ("0", "topics", "0", "human", "a"),
    ]
    assert labels.table.row(0).rationale == "fine"
    assert (labels.items["0"].prompt, labels.items["0"].response) == ("Q", "R")
    assert any("1 results of Label Studio are spans" in note for note in labels.notes)
    several = {**record, "topics": {"choices": ["a", "b"]}}
    assert faults(listed(tmp_path, several)) == [(1, "topics", "2 labels were chosen at once")]


def test_label_studio_json_min_with_its_keys_in_another_order_is_refused(tmp_path):
    """Which fields are answers is told by their place alone; a prompt must not become a criterion."""
    record = {"id": 5, "prompt": "Q", "response": "R", "grade": 3, "annotator": 1, "annotation_id": 2}
    for given in (record, dict(sorted(record.items()))):
        (fault,) = faults(listed(tmp_path, given))
        assert fault[2] == "the controls cannot be told from the data of the task"


GRADED = {
    "input": "Longest river?", "target": "The Nile.", "output": {"completion": "The Nile."}, "epoch": 1,
    "scores": {"model_graded_fact": {"value": "C", "answer": "The Nile.", "explanation": "It is."},
               "length": {"value": 0.0}},
}  # fmt: skip


def packed(folder, log):
    path = folder / "log.eval"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps({"version": 2, "eval": log["eval"]}))
        for one in log["samples"]:
            archive.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
    return path


@pytest.mark.parametrize("write", [packed, listed], ids=["packed", "json"])
def test_scores_of_an_inspect_log_are_labels_of_its_scorers(tmp_path, write):
    wrong = {"model_graded_fact": {"value": "I"}, "length": {"value": 1}}
    again = {"epoch": 2, "output": {"completion": "I do not know."}, "scores": {"model_graded_fact": {"value": "N"}}}
    samples = [
        {**GRADED, "id": 0}, {**GRADED, "id": 1, "input": "And the widest?", "scores": wrong},
        {**GRADED, "id": 2, "scores": None}, {**GRADED, "id": 0, **again},
    ]  # fmt: skip
    labels = read_labels(write(tmp_path, {"version": 2, "eval": {"task": "t", "scorers": []}, "samples": samples}))
    assert sorted(told(labels), key=str) == [
        ("0", "length", "length", "judge", "0"),
        ("0", "model_graded_fact", "model_graded_fact", "judge", "correct"),
        ("0/2", "model_graded_fact", "model_graded_fact", "judge", None),
        ("1", "length", "length", "judge", "1"),
        ("1", "model_graded_fact", "model_graded_fact", "judge", "incorrect"),
    ]
    assert labels.scale_of("model_graded_fact").positive == "correct"
    assert (labels.items["0"].prompt, labels.items["0"].response) == ("Longest river?", "The Nile.")
    assert {one.cluster for one in labels.table if one.item.startswith("0")} == {"0"}
    assert any("1 samples of inspect_ai have no scores" in note for note in labels.notes)


STEER = {"prompt": "Q", "response": "R", "correctness": 4, "coherence": 4, "complexity": 0, "verbosity": 1}


def test_helpsteer_ratings_keep_zero_and_every_annotator(tmp_path):
    labels = read_labels(lines(tmp_path, {**STEER, "helpfulness": 3}))
    found = {criterion: label for _, criterion, _, _, label in told(labels)}
    assert found == {"helpfulness": "3", "correctness": "4", "coherence": "4", "complexity": "0", "verbosity": "1"}
    several = read_labels(lines(tmp_path, {**STEER, "helpfulness": [0, 4, 4]}))
    assert [one[2:] for one in told(several) if one[1] == "helpfulness"] == [
        ("annotator-1", "human", "0"),
        ("annotator-2", "human", "4"),
        ("annotator-3", "human", "4"),
    ]


def test_helpsteer_preferences_of_both_versions(tmp_path):
    two = {"prompt": "Q", "response_1": "R1", "response_2": "R2", "preference_strength": 0, "split": "train",
           "preference_elaboration": "same"}  # fmt: skip
    three = {"domain": "general", "language": "english", "context": [{"role": "user", "content": "Q"}],
             "response1": "R1", "response2": "R2", "overall_preference": -2,
             "individual_preference": [{"score": -3, "reasoning": "a"}, {"score": 0, "reasoning": "b"}]}  # fmt: skip
    labels = read_labels(lines(tmp_path, two))
    assert [(one[1], one[4]) for one in told(labels)] == [("preference", "0")]
    assert labels.table.row(0).rationale == "same"
    labels = read_labels(lines(tmp_path, three))
    assert [(one[2], one[4]) for one in told(labels)] == [("annotator-1", "-3"), ("annotator-2", "0")]
    (item,) = labels.items.values()
    assert (item.prompt, item.language) == ("Q", "english")
    assert item.response == "Response 1:\nR1\n\nResponse 2:\nR2"


def test_ultrafeedback_ratings_are_a_judges_and_na_abstains(tmp_path):
    aspect = {"Rating": "5", "Rationale": "good"}
    completions = [
        {"model": "m1", "response": "R1", "annotations": {"honesty": aspect, "truthfulness": {"Rating": "N/A"}},
         "overall_score": 8.5, "critique": "fine", "fine-grained_score": 4.5},
        {"model": "m2", "response": "R2", "annotations": {"honesty": {"Rating": "1"}}},
    ]  # fmt: skip
    labels = read_labels(lines(tmp_path, {"source": "s", "instruction": "Q", "completions": completions}))
    assert [(one[1], one[2], one[3], one[4]) for one in told(labels)] == [
        ("honesty", "gpt-4", "judge", "5"),
        ("truthfulness", "gpt-4", "judge", None),
        ("overall_score", "gpt-4", "judge", "8.5"),
        ("honesty", "gpt-4", "judge", "1"),
    ]
    assert {item.writer: item.response for item in labels.items.values()} == {"m1": "R1", "m2": "R2"}
    assert labels.counts.clusters == 1


def test_rewardbench_from_parquet_keeps_the_subset_and_both_sides(tmp_path):
    rows = {"id": ["0", "1"], "prompt": ["Q0", "Q1"], "chosen": [["good"], ["fine"]],
            "rejected": [["bad", "worse"], ["poor"]], "subset": ["Math", "Ties"], "models": [["a"], ["b"]]}  # fmt: skip
    path = tmp_path / "reward.parquet"
    pq.write_table(pa.table(rows), path)
    labels = read_labels(path)
    assert [(one[0], one[4]) for one in told(labels)] == [
        ("0/1", "yes"), ("0/2", "no"), ("0/3", "no"), ("1/1", "yes"), ("1/2", "no"),
    ]  # fmt: skip
    assert labels.items["0/3"].response == "worse"
    assert labels.items["1/1"].tags == ("Ties",)
    assert labels.scale_of("correct").positive == "yes"


SCORES = [
    {"id": "1", "traceId": "t0", "name": "safe", "value": 0, "stringValue": "False", "dataType": "BOOLEAN",
     "source": "ANNOTATION", "authorUserId": "ann", "comment": "see"},
    {"id": "2", "traceId": "t0", "observationId": "o", "name": "tone", "value": 1, "stringValue": "kind",
     "dataType": "CATEGORICAL", "source": "ANNOTATION", "authorUserId": "ann"},
    {"id": "3", "traceId": "t0", "name": "safe", "value": 1, "dataType": "BOOLEAN", "source": "EVAL"},
    {"id": "4", "traceId": None, "sessionId": "s", "name": "safe", "value": 1, "dataType": "BOOLEAN", "source": "EVAL"},
]  # fmt: skip


def test_langfuse_scores_as_a_list_and_as_a_page_of_the_api(tmp_path):
    page = tmp_path / "page.json"
    page.write_text(json.dumps({"data": SCORES, "meta": {"page": 1}}), "utf-8")
    for path in (listed(tmp_path, *SCORES), page):
        labels = read_labels(path)
        assert told(labels) == [
            ("t0", "safe", "ann", "human", "False"),
            ("t0/o", "tone", "ann", "human", "kind"),
            ("t0", "safe", "langfuse-eval", "judge", "True"),
        ]
        assert labels.table.row(0).rationale == "see"
        assert any("1 scores of Langfuse belong to no trace" in note for note in labels.notes)


def test_langfuse_scores_from_csv_and_by_api_need_the_role(tmp_path):
    path = tmp_path / "scores.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "traceId", "name", "value", "stringValue", "dataType", "source", "comment"])
        writer.writerow(["1", "t0", "stars", "0", "", "NUMERIC", "API", ""])
        writer.writerow(["2", "t1", "stars", "5", "", "NUMERIC", "API", ""])
    assert "the role '' is unknown" in faults(path)[0][2]
    labels = read_labels(path, layout=Layout(constants={"role": "human"}))
    assert [(one[0], one[2], one[3], one[4]) for one in told(labels)] == [
        ("t0", "api", "human", "0"),
        ("t1", "api", "human", "5"),
    ]


def test_mlflow_assessments_by_source_and_without_expectations(tmp_path):
    def feedback(name, kind, who, value, **more):
        source = {"source_type": kind, "source_id": who}
        return {"assessment_name": name, "source": source, "feedback": {"value": value}, **more}

    trace = {
        "info": {
            "trace_id": "tr-0",
            "assessments": [
                feedback("safe", "HUMAN", "ann@x.org", False, rationale="no"),
                feedback("safe", "LLM_JUDGE", "gpt", True),
                feedback("safe", "LLM_JUDGE", "old", True, valid=False),
                {"assessment_name": "answer", "expectation": {"value": "4"}, "source": {"source_type": "HUMAN"}},
            ],
        },
        "data": {"request": '{"messages": [{"role": "user", "content": "Q"}]}', "response": '"R"'},
    }
    labels = read_labels(listed(tmp_path, trace))
    assert told(labels) == [
        ("tr-0", "safe", "ann@x.org", "human", "false"),
        ("tr-0", "safe", "gpt", "judge", "true"),
    ]
    assert labels.table.row(0).rationale == "no"
    assert (labels.items["tr-0"].prompt, labels.items["tr-0"].response) == ("Q", "R")
    assert any("1 expectations and 1 overridden assessments of MLflow" in note for note in labels.notes)


def test_mt_bench_pairs_of_people_and_of_a_judge_in_both_orders(tmp_path):
    turns = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "R"}]
    person = {"question_id": 81, "model_a": "m1", "model_b": "m2", "winner": "model_b", "judge": "expert_0", "turn": 1,
              "conversation_a": turns, "conversation_b": turns}  # fmt: skip
    judge = {"question_id": 81, "model_1": "m1", "model_2": "m2", "g1_winner": "model_1", "g2_winner": "model_1",
             "judge": ["gpt-4", "pair-v2"], "turn": 1, "g1_judgment": "first", "g2_judgment": "second"}  # fmt: skip
    single = {"question_id": 81, "model": "m1", "judge": ["gpt-4", "single-v1"], "score": 8, "turn": 1}
    labels = read_labels(lines(tmp_path, person, judge, single))
    assert told(labels) == [
        ("81-t1/m1-vs-m2", "preference", "expert_0", "human", "B"),
        ("81-t1/m1-vs-m2", "preference", "gpt-4/pair-v2", "judge", "A"),
        ("81-t1/m2-vs-m1", "preference", "gpt-4/pair-v2", "judge", "B"),
        ("81-t1/m1", "score", "gpt-4/single-v1", "judge", "8"),
    ]
    odd = {**person, "winner": "both"}
    assert faults(lines(tmp_path, odd)) == [(1, "winner", "the winner is 'both'")]


def test_a_judge_of_unknown_kind_needs_a_role(tmp_path):
    pair = {"question_id": 1, "model_a": "m1", "model_b": "m2", "winner": "tie", "judge": "somebody", "turn": 1}
    other = {**pair, "question_id": 2, "winner": "model_a"}
    assert "the role '' is unknown" in faults(lines(tmp_path, pair, other))[0][2]
    labels = read_labels(lines(tmp_path, pair, other), layout=Layout(constants={"role": "human"}))
    assert [(one[2], one[3], one[4]) for one in told(labels)] == [
        ("somebody", "human", "tie"),
        ("somebody", "human", "A"),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        {"instruction": "Q", "completions": [{"annotations": {"a": {"Rating": "1"}}}]},
        {"answer": "accept", "_task_hash": 1, "options": "none"},
        {"fields": {}, "responses": {"q": "x"}},
        {"traceId": "t", "name": "n", "value": None, "source": None},
        {"trace_id": "t", "assessments": ["x", {"feedback": {"value": [1, 2]}}]},
    ],
)
def test_a_damaged_record_is_refused_with_its_row(tmp_path, broken):
    with pytest.raises(BadInput):
        read_labels(lines(tmp_path, broken))
