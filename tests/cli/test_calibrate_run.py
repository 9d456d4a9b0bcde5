"""calibrate run: from a file of labels to the judge's labels beside them."""

import csv
import json

import pytest

from judge_server.authoring.publication import load_unchanged
from judge_server.labels.readers import read_labels
from tests.cli import judged_labels
from tests.cli.judged_labels import write
from tests.server.faults import only_for
from tests.stub_judge import StubJudge, text


def run(folder, *flags, status: int = 0):
    return judged_labels.run(folder, "calibrate", "run", *flags, status=status)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write(folder, 60)
    done = run(folder, "--labels", "labels.csv", "--rubric", "water.yaml", "--model", "baseline", "--out", "judged.csv")
    return folder, done


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_judges_rows_stand_beside_the_peoples(judged):
    folder, done = judged
    rows = rows_of(folder / "judged.csv")
    own = [row for row in rows if row["role"] == "judge"]
    assert len(own) == 60
    assert len(rows) == 180
    assert {row["annotator"] for row in own} == {"default"}
    assert {row["label"] for row in own} == {"yes", "no"}
    assert all(0 <= float(row["probability"]) <= 1 for row in own)
    assert "60 items, verdicts: 60 ok" in done.stdout
    assert "next: judge-server calibrate report judged.csv" in done.stdout
    assert "lexical baseline" in done.stderr
    assert not (folder / "judged.csv.partial.jsonl").exists()


def test_a_report_of_the_run_names_the_kind_of_judge_and_states_the_criteria_without_a_flag(judged):
    folder, _ = judged
    labels = read_labels(folder / "judged.csv")
    assert "counts shared words and understands nothing" in labels.judges["default"]
    rubric = load_unchanged(folder / "water.yaml").rubric
    assert labels.rubric.digest == rubric.digest
    told = " ".join(judged_labels.run(folder, "calibrate", "report", "judged.csv").stdout.split())
    assert "default: the embedded baseline, which counts shared words and understands nothing" in told
    for leaf in rubric.leaves:
        assert leaf.statement.rstrip(".") in told


def test_the_record_is_printed_for_programs_and_a_second_run_says_the_same(judged):
    folder, _ = judged
    flags = [
        "--labels",
        "labels.csv",
        "--rubric",
        "water.yaml",
        "--model",
        "baseline",
        "--out",
        "again.jsonl",
        "--json",
    ]
    record = json.loads(run(folder, *flags).stdout)
    assert record["statuses"] == {"ok": 60}
    assert record["summary"]["overall"]["accuracy"]["clusters"] > 40
    assert record["summary"]["overall"]["human_ceiling"]["value"] > 0.5
    again = json.loads(run(folder, *flags).stdout)
    assert again["rows"] == record["rows"]
    assert again["id"] != record["id"]


def test_items_without_text_are_named(tmp_path):
    write(tmp_path, 10, texts=False)
    done = run(tmp_path, "--labels", "labels.csv", "--rubric", "water.yaml", "--model", "baseline", status=2)
    assert "10 of 10 items have no text to judge: i0, i1" in done.stderr
    assert "prompt and response" in done.stderr


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--rubric", "medical/consultation"], "labels for water, which medical/consultation"),
        (["--rubric", "water.yaml", "--judge", "nobody"], "judge: 'nobody' is not configured here"),
        (["--rubric", "water.yaml", "--split", "test"], "no test split"),
        (["--rubric", "water.yaml", "--split", "tset"], "'tset' is none of dev, test and all"),
        (["--rubric", "water.yaml", "--out", "x.xlsx"], "written as .csv or .jsonl"),
        (["--rubric", "water.yaml", "--labels", "nothing.csv"], "neither a file nor a label set"),
    ],
)
def test_what_cannot_be_run_says_why(flags, said, tmp_path):
    write(tmp_path, 4)
    labels = [] if "--labels" in flags else ["--labels", "labels.csv"]
    assert said in run(tmp_path, *labels, *flags, "--model", "baseline", status=2).stderr


def test_a_judge_that_never_gives_a_verdict_ends_with_status_1_and_typed_causes(tmp_path):
    write(tmp_path, 4)
    flags = ["--labels", "labels.csv", "--rubric", "water.yaml", "--out", "o.csv"]
    with StubJudge(only_for("My head aches", text("I would rather not say."))) as stub:
        told = run(tmp_path, *flags, "--model", stub.specification, "--mode", "reason", status=1).stdout
    assert "4 unusable" in told
    assert "no label: 4 x unusable_verdict" in told


def test_reading_the_locked_split_needs_a_name_and_a_reason(tmp_path):
    write(tmp_path, 60)
    words = ["labels.csv", "--test-share", 0.5, "--out", "split.csv"]
    judged_labels.run(tmp_path, "calibrate", "import", *words)
    flags = ["--labels", "split.csv", "--rubric", "water.yaml", "--model", "baseline", "--split", "test"]
    assert "reading" in run(tmp_path, *flags, status=2).stderr.lower()
    done = run(tmp_path, *flags, "--reader", "Ann", "--reason", "the final measurement", "--out", "test.csv")
    assert "verdicts:" in done.stdout
    assert 10 < len([row for row in rows_of(tmp_path / "test.csv") if row["role"] == "judge"]) < 50


RUBRIC_WITH_A_CONDITION = """
id: t/conditional
version: 1.0.0
title: A conditional criterion
criteria:
  - {id: water, statement: Names water., points: 2}
  - {id: alternative, statement: Names an alternative for the allergy., points: 2, when: {facts.allergy: true}}
"""


def test_facts_of_the_label_file_decide_what_the_judge_is_asked(tmp_path):
    (tmp_path / "r.yaml").write_text(RUBRIC_WITH_A_CONDITION, "utf-8")
    lines = ["item,criterion,annotator,role,label,prompt,response,facts.Allergy"]
    for number in range(4):
        for criterion in ("water", "alternative"):
            label = "met" if number % 2 else "unmet"
            lines.append(f"i{number},{criterion},ann,human,{label},Question {number}?,Drink water {number}.,Yes")
    (tmp_path / "l.csv").write_text("\n".join(lines) + "\n", "utf-8")
    words = ["--labels", "l.csv", "--rubric", "r.yaml", "--model", "baseline", "--out", "o.csv"]
    run(tmp_path, *words)
    judged = [label for label in read_labels(tmp_path / "o.csv").table if label.role == "judge"]
    assert [label.status for label in judged if label.criterion == "alternative"] == ["ok"] * 4
