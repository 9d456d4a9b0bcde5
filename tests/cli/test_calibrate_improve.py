"""``calibrate improve`` from end to end with a judge and a proposer on the loopback."""

import csv
import json

import pytest

from judge_server.settings.settings import DEFAULT_JUDGE
from tests.cli.judged_labels import run, write
from tests.stub_judge import Reply, StubJudge, labels, text, wants_schema

BETTER = "Tells the patient to drink plenty of water."


def proposes(body: dict) -> bool:
    return "wordings" in (wants_schema(body) or {}).get("properties", {})


def behave(body: dict) -> Reply:
    """Proposes one wording; as a judge it takes every other walk for water, unless the statement is the better one."""
    asked = json.dumps(body["messages"])
    if proposes(body):
        return text(json.dumps({"wordings": [{"statement": BETTER}, {"statement": "Recommends a walk."}]}))
    met = "recommends drinking plenty of water, case" in asked
    if "Take a walk" in asked and BETTER not in asked:
        met = any(f"case {number}." in asked for number in range(1, 400, 4))
    return labels(Yes=0.9 if met else 0.1, No=0.1 if met else 0.9)


@pytest.fixture(scope="module")
def improved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("improve")
    write(folder, 160, right=1.0)
    run(folder, "calibrate", "import", "labels.csv", "--test-share", 0.4, "--out", "split.csv")
    with StubJudge(behave) as judge:
        yield folder, judge, improve(folder, judge)


def improve(folder, judge, *more, status=0):
    command = ("calibrate", "improve", "split.csv", "--rubric", "water.yaml", "--out", "better")
    return run(folder, *command, "--proposer", DEFAULT_JUDGE, "--model", judge.specification, *more, status=status)


def judged(judge) -> int:
    return sum("case" in json.dumps(body["messages"]) for body in judge.bodies)


def readings(folder) -> list[str]:
    """Without the outcomes of their tests."""
    lines = (folder / "split.csv.readings.jsonl").read_text().splitlines()
    return [line for line in lines if json.loads(line).get("p") is None]


def test_a_misread_criterion_is_reworded_drafted_and_confirmed(improved):
    folder, _, done = improved
    assert "The judge agrees better with wording 1 of water" in done.stdout
    assert "1.0.0-draft.1" in done.stdout
    assert BETTER in (folder / "better" / "rubric.yaml").read_text()
    found = json.loads((folder / "better" / "improvement.json").read_text())
    assert found["outcome"] == "improved"
    assert found["final"]["fixed"] > 0 == found["final"]["broken"]
    assert "What did not help" in (folder / "better" / "improvement.md").read_text()
    assert len(readings(folder)) == 1


def test_no_item_of_the_test_split_reaches_the_proposer(improved):
    folder, judge, _ = improved
    with (folder / "split.csv").open(encoding="utf-8", newline="") as file:
        locked = {row["response"] for row in csv.DictReader(file) if row["split"] == "test" and row["response"]}
    proposed = [json.dumps(body["messages"]) for body in judge.bodies if proposes(body)]
    assert len(locked) > 20
    assert proposed
    assert not any(response in asked for response in locked for asked in proposed)


def test_a_finished_run_is_shown_again_and_an_interrupted_one_resumes_without_asking(improved):
    folder, judge, done = improved
    before = judged(judge)
    assert improve(folder, judge).stdout == done.stdout
    assert judged(judge) == before
    for path in [*(folder / "better").glob("????????????.json"), folder / "judge-server.db"]:
        path.unlink()
    assert improve(folder, judge).stdout == done.stdout
    assert judged(judge) == before
    assert len(readings(folder)) == 1


def test_the_test_split_is_not_read_again_without_a_reason(improved):
    folder, judge, _ = improved
    refused = improve(folder, judge, "--seed", 1, status=2)
    assert "The test split was read before (1 time," in refused.stderr
    again = improve(folder, judge, "--seed", 1, "--reader", "ann", "--reason", "another seed")
    assert "The judge agrees better" in again.stdout
    assert "another seed" in readings(folder)[1]


def test_nothing_better_is_an_answer(tmp_path):
    write(tmp_path, 160, right=1.0)
    done = run(tmp_path, "calibrate", "improve", "labels.csv", "--rubric", "water.yaml", "--out", "better")
    assert "Nothing better was found" in done.stdout
    assert "no proposer was named" in done.stdout
    command = ("calibrate", "improve", "labels.csv", "--rubric", "water.yaml", "--out", "other")
    refused = run(tmp_path, *command, "--proposer", DEFAULT_JUDGE, status=2)
    assert "no language model of its own" in refused.stderr
