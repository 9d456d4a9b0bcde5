"""``rubric draft`` with a model on the loopback, ``rubric publish --tests`` and ``rubric watch``."""

import json
import re
import signal

import pytest

from judge_server.cli.running import INTERRUPTED
from tests.cli.judged_labels import run
from tests.command import start
from tests.stub_judge import Reply, StubJudge, text, wants_schema

EXAMPLES = [
    {"prompt": "My head aches.", "good": "Drink water. See a doctor if it lasts.", "bad": "No idea."},
    {"prompt": [{"role": "user", "content": "I feel dizzy."}], "chosen": "Sit down.", "rejected": "Run."},
    {"prompt": "I cough.", "response": "Rest.", "reference": "Rest, and see a doctor if you cough blood."},
]
RUBRIC = """\
id: clinic/advice
version: 1.0.0
title: Advice
criteria:
  - {id: flag, statement: Names a warning sign., points: 5}
tests:
  - id: cough
    prompt: I cough.
    cases:
      - {id: whole, grade: good, response: See a doctor if you cough blood., met: [flag], reward: [1, 1]}
      - {id: none, grade: bad, response: Take all of it., reward: [0, 0]}
"""
WRONG = RUBRIC.replace("reward: [1, 1]", "reward: [0, 0.5]")


def proposes(body: dict) -> Reply:
    if "criteria" not in (wants_schema(body) or {}).get("properties", {}):
        return text("{}")
    criteria = [
        {"statement": "Names a sign that needs a doctor.", "points": 7, "bad": False},
        {"statement": "Tells the reader to do something dangerous.", "points": 9, "bad": True},
    ]
    return text(json.dumps({"criteria": criteria if "cough" in json.dumps(body) else criteria[:1]}))


def write(folder, rows=EXAMPLES):
    (folder / "examples.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def draft(folder, judge, *more, status=0):
    words = ("rubric", "draft", "clinic/drafted", "--model", judge.specification, *more)
    return run(folder, *words, status=status)


def test_the_draft_names_the_examples_and_is_published_by_nobody(tmp_path):
    write(tmp_path)
    with StubJudge(proposes) as judge:
        told = draft(tmp_path, judge, "--from", "examples.jsonl", "--task", "Advise patients.", "-o", "drafted.yaml")
        asked = [body["messages"] for body in judge.bodies if wants_schema(body) and "task" in str(body["messages"])]
    assert "+7 Names a sign that needs a doctor. (item-1, item-2, item-3)" in told.stdout
    assert "-9 Tells the reader to do something dangerous. (item-3)" in told.stdout
    assert "2 proposals merged into others" in told.stdout
    assert "warning" not in told.stdout
    made = (tmp_path / "drafted.yaml").read_text()
    assert made.startswith("# A draft, proposed by stub from 3 examples.")
    assert 'version: "0.1.0-draft"' in made
    assert not (tmp_path / "rubrics.lock").exists()
    assert run(tmp_path, "rubric", "validate", "drafted.yaml").exit_code == 0
    assert len(asked) == 3
    assert all("Advise patients." in json.dumps(one) for one in asked)
    assert all(re.search(r"\[BEGIN EXAMPLE ([0-9a-f]{12})\].*\[END EXAMPLE \1\]", str(one)) for one in asked)
    with StubJudge(proposes) as judge:
        assert "drafted.yaml exists" in draft(tmp_path, judge, "--task", "x", "-o", "drafted.yaml", status=2).output


def test_examples_are_spread_over_the_file(tmp_path):
    write(tmp_path, [{"prompt": f"Question {number}."} for number in range(10)])
    with StubJudge(proposes) as judge:
        draft(tmp_path, judge, "--from", "examples.jsonl", "--items", 2)
        asked = json.dumps([body["messages"] for body in judge.bodies])
    assert [number for number in range(10) if f"Question {number}." in asked] == [0, 5]


def test_what_a_model_could_not_propose_is_counted(tmp_path):
    write(tmp_path)

    def behave(body):
        asked = json.dumps(body["messages"])
        return Reply(400) if "dizzy" in asked else text("no JSON") if "aches" in asked else proposes(body)

    with StubJudge(behave) as judge:
        told = draft(tmp_path, judge, "--from", "examples.jsonl")
    assert told.stderr.count("1 example without a proposal") == 2
    assert "unreadable answer" in told.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "say what is to be graded"),
        (("--from", "empty.jsonl"), "has no text that is known here"),
    ],
)
def test_what_cannot_be_drafted_from_is_named(tmp_path, words, told):
    write(tmp_path)
    (tmp_path / "empty.jsonl").write_text('{"note": "x"}\n', encoding="utf-8")
    with StubJudge(proposes) as judge:
        assert told in draft(tmp_path, judge, *words, status=2).output


def test_the_baseline_writes_nothing(tmp_path):
    told = run(tmp_path, "rubric", "draft", "a/b", "--task", "x", "--model", "baseline", status=2)
    assert "has no language model" in told.output


def test_nothing_is_published_if_a_case_fails(tmp_path):
    (tmp_path / "advice.yaml").write_text(WRONG, encoding="utf-8")
    told = run(tmp_path, "rubric", "publish", "advice.yaml", "--tests", status=1)
    assert "whole: the reward 1.000 is outside [0, 0.5]" in told.output
    assert "nothing was published" in told.output
    assert not (tmp_path / "rubrics.lock").exists()
    (tmp_path / "advice.yaml").write_text(RUBRIC, encoding="utf-8")
    assert "published clinic/advice@1.0.0" in run(tmp_path, "rubric", "publish", "advice.yaml", "--tests").output


def test_the_gate_can_be_a_judge(tmp_path):
    (tmp_path / "advice.yaml").write_text(RUBRIC, encoding="utf-8")
    with StubJudge() as judge:  # it says yes to everything, also to the bad answer
        words = ("rubric", "publish", "advice.yaml", "--tests", "--model", judge.specification)
        assert "none: the reward" in run(tmp_path, *words, status=1).output
    assert not (tmp_path / "rubrics.lock").exists()


def test_watching_tells_each_save_until_it_is_interrupted(tmp_path):
    path = tmp_path / "advice.yaml"
    path.write_text(WRONG, encoding="utf-8")
    process = start("rubric", "watch", ".", cwd=tmp_path)
    try:
        lines = iter(process.stdout.readline, b"")
        assert any(b"2 cases, 1 failed" in line for line in lines)
        path.write_text(RUBRIC, encoding="utf-8")
        assert any(b"2 cases, 0 failed" in line for line in lines)
        path.write_text(RUBRIC.replace("points: 5", "points: [5]"), encoding="utf-8")
        assert any(b"advice.yaml:5" in line for line in lines)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert process.returncode == INTERRUPTED
