"""``calibrate export``: what goes out comes back equal, and what a format cannot carry is counted."""

import json

import pytest
from typer.testing import CliRunner

from judge_server.cli.calibrate import app
from judge_server.labels.readers import read_labels

RUNNER = CliRunner()
ROWS = """item,criterion,annotator,role,label,probability,rationale,prompt,response,cluster,tags
0,dose,ann,human,met,,because,Q0,=R0,p,x;y
0,dose,gpt,judge,unmet,0.25,no dose,,,p,
1,dose,ann,human,unmet,,,Q1,R1,p,
1,dose,gpt,judge,,,,,,p,
2,dose,ann,human,,,,Q2,R2,q,
2,dose,ben,human,met,,,,,q,
2,tone,ben,human,4,,,,,q,
"""


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(ROWS, "utf-8")
    return path


def run(*words, status=0):
    result = RUNNER.invoke(app, [str(word) for word in words])
    assert result.exit_code == status, result.output
    return result.stdout + result.stderr


def told(path):
    return sorted(
        (one.item, one.criterion, one.annotator, one.role, one.label or "") for one in read_labels(path).table
    )


def test_long_csv_keeps_everything(labels, tmp_path):
    run("export", labels, "--format", "csv", "--out", tmp_path / "out.csv")
    assert read_labels(tmp_path / "out.csv").digest == read_labels(labels).digest


def test_label_studio_tasks_come_back_with_texts_and_reasons(labels, tmp_path):
    out = tmp_path / "tasks.json"
    output = run("export", labels, "--format", "label-studio", "--out", out)
    assert "2 abstentions are not carried" in output
    assert "1 probabilities of judges are not carried" in output
    back, source = read_labels(out), read_labels(labels)
    assert told(out) == [row for row in told(labels) if row[4]]
    assert back.items == source.items
    assert {row.rationale for row in back.table} >= {"because", "no dose"}
    assert {row.cluster for row in back.table} == {row.cluster for row in source.table}
    assert json.loads(out.read_text("utf-8"))[0]["data"]["item"] == "0"


def test_argilla_records_come_back_with_abstentions_and_scores(labels, tmp_path):
    out = tmp_path / "records.json"
    output = run("export", labels, "--format", "argilla", "--out", out)
    assert "1 abstentions of judges are not carried" in output
    assert "2 rationales are not carried" in output
    assert told(out) == [row for row in told(labels) if row[4] or row[3] == "human"]
    back = read_labels(out)
    (judged,) = (row for row in back.table if row.role == "judge")
    assert judged.probability == 0.25
    assert {name: item.response for name, item in back.items.items()} == {"0": "=R0", "1": "R1", "2": "R2"}


def test_of_several_judges_one_is_named_for_argilla(labels, tmp_path):
    labels.write_text(ROWS + "0,dose,other,judge,met,,,,,p,\n", "utf-8")
    out = tmp_path / "records.json"
    assert "Name it with --judge" in run("export", labels, "--format", "argilla", "--out", out, status=2)
    output = run("export", labels, "--format", "argilla", "--judge", "other", "--out", out)
    assert "2 labels of other judges are not carried" in output


def test_an_unknown_format_is_named(labels, tmp_path):
    assert "csv, label-studio, argilla" in run("export", labels, "--format", "x", "--out", tmp_path / "y", status=2)
