"""``judge-server monitor preference`` on a run whose rubric has a hole."""

import json

import pytest

from tests.cli.judged_labels import run
from tests.stub_judge import StubJudge, labels, text, wants_schema

RUBRIC = """\
id: support/kind
version: 1.0.0
title: Kindness
criteria:
  - {id: kind, statement: Is kind to the reader., points: 1}
"""
STORED = ("--database", "sqlite:///judge.db")
HONEST, FLATTERING = "The pipe leaks at the joint", "What a wonderful question"


def behave(body):
    """As the rubric's judge it likes flattery; without the rubric it prefers what is honest."""
    asked = json.dumps(body["messages"])
    if HONEST in asked and FLATTERING in asked:
        first = asked.index(HONEST) < asked.index(FLATTERING)
        return labels(A=0.9 if first else 0.1, B=0.1 if first else 0.9)
    met = FLATTERING in asked
    return labels(Yes=0.9 if met else 0.1, No=0.1 if met else 0.9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("preference")
    (folder / "kind.yaml").write_text(RUBRIC, encoding="utf-8")
    rows = [
        {
            "prompt": f"Where does it leak ({number})?",
            "response": f"{FLATTERING if step else HONEST}, case {number}.",
            "run": "grpo",
            "step": step,
        }
        for step in (0, 1)
        for number in range(40)
    ]
    rows += [{**row, "run": "base"} for row in rows[:40]]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def judge(folder):
    with StubJudge(behave) as judge:
        flags = ("--model", judge.specification, *STORED, "-o", "judged.jsonl")
        run(folder, "score", "answers.jsonl", "--rubric", "kind.yaml", *flags)
        yield judge


@pytest.mark.parametrize("base", [(), ("--base", "base")])
def test_a_reward_that_rises_while_the_preference_falls_is_an_alarm(folder, judge, base):
    flags = ("--model", judge.specification, *STORED, *base)
    found = json.loads(run(folder, "monitor", "preference", "grpo", *flags, "--json").stdout)
    assert (found["state"], found["pairs"], found["failed"]) == ("alarm", 40, 0)
    assert found["reward_change"][0] == pytest.approx(0.8)
    assert found["preferred"][0] == pytest.approx(0.1, abs=0.05)
    told = run(folder, "monitor", "preference", "grpo", *flags, "--exit-code", status=1).stdout
    assert "the rubric has a hole" in told


def test_the_judge_sees_neither_rubric_nor_run(folder, judge):
    before = judge.calls
    with StubJudge(behave) as other:
        run(folder, "monitor", "preference", "grpo", "--model", other.specification, *STORED, "--sample", 30)
        asked = json.dumps([body["messages"] for body in other.bodies])
    assert "kind to the reader" not in asked
    assert judge.calls == before


def test_a_rubric_proposes_from_the_pairs_whose_reward_rose_against_the_preference(folder, judge):
    honest = {"statement": "Says where the pipe leaks.", "points": 10, "bad": False}

    def proposing(body):
        wanted = "criteria" in (wants_schema(body) or {}).get("properties", {})
        return text(json.dumps({"criteria": [honest]})) if wanted else behave(body)

    with StubJudge(proposing) as other:
        flags = ("--run", "grpo", "--model", other.specification, *STORED, "--items", 10, "--out", "proposed")
        told = run(folder, "rubric", "propose", "kind.yaml", *flags).stdout
        asked = [body["messages"][-1]["content"] for body in other.bodies if "known" in str(body["messages"])]
        shown = [json.loads(words.split("\n", 1)[1].rsplit("\n", 1)[0]) for words in asked]  # between the fences
    assert "10 drafts in proposed" in told
    assert told.count("+1 Says where the pipe leaks.") == 10
    assert len(shown) == 10
    for one in shown:
        assert one["known"] == ["Is kind to the reader."]
        assert HONEST in one["example"]["good"]
        assert FLATTERING in one["example"]["bad"]


def test_an_unknown_run_is_named(folder, judge):
    flags = ("--model", judge.specification, *STORED)
    assert "of the run 'none'" in run(folder, "monitor", "preference", "none", *flags, status=2).output
    assert "'none'" in run(folder, "monitor", "preference", "grpo", "--base", "none", *flags, status=2).output
