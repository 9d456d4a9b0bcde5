"""``judge-server rubric audit`` on a store that ``score`` filled."""

import json

import pytest

from tests.cli.judged_labels import run
from tests.stub_judge import StubJudge, labels

RUBRIC = """\
id: medical/advice
version: 1.0.0
title: Advice
criteria:
  - {id: water, statement: Recommends drinking plenty of water., points: 5}
  - {id: drinking, statement: Tells the patient to drink enough., points: 5}
  - {id: doctor, statement: Tells the patient to see a doctor., points: 3}
  - {id: polite, statement: Is written in words., points: 1}
"""
STORED = ("--database", "sqlite:///judge.db")


def behave(body):
    """Water and drinking are one question, and everything is written in words."""
    asked = json.dumps(body["messages"])
    wanted = "Names a doctor" if "see a doctor" in asked else "Recommends water"
    met = wanted in asked or "Is written in words" in asked
    return labels(Yes=0.9 if met else 0.1, No=0.1 if met else 0.9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit")
    (folder / "advice.yaml").write_text(RUBRIC, encoding="utf-8")
    rows = [
        {
            "prompt": f"My head aches ({number // 4}).",
            "response": ("Recommends water" if number % 2 else "Take a walk")
            + (". Names a doctor" if number % 3 else ". Rest")
            + f", case {number}.",
        }
        for number in range(160)
    ]
    (folder / "answers.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def judge(folder):
    with StubJudge(behave) as judge:
        flags = ("--model", judge.specification, *STORED, "-o", "judged.jsonl")
        run(folder, "score", "answers.jsonl", "--rubric", "advice.yaml", *flags)
        yield judge


def test_the_same_question_twice_and_one_that_tells_nothing_apart_are_named(folder, judge):
    told = run(folder, "rubric", "audit", "advice.yaml", *STORED).stdout
    assert "medical/advice@1.0.0, default: 160 judgments of 40 prompts" in told
    assert "water and drinking: they agree on 160 of 160 responses" in told
    assert "polite: it carries 0.0%" in told
    found = json.loads(run(folder, "rubric", "audit", "advice.yaml", *STORED, "--json").stdout)
    assert {(one["kind"], *one["criteria"]) for one in found["remarks"]} == {
        ("redundant", "water", "drinking"),
        ("idle", "polite"),
    }
    shares = [one["carried"]["value"] for one in found["criteria"]]
    assert sum(shares) == pytest.approx(1)
    assert found["rest"] == pytest.approx(0, abs=1e-9)


def test_asking_again_asks_past_the_cache_in_both_orders(folder, judge):
    before = judge.calls
    flags = ("--model", judge.specification, *STORED, "--ask", 10, "--json")
    found = json.loads(run(folder, "rubric", "audit", "advice.yaml", *flags).stdout)
    assert judge.calls - before >= 2 * 10 * 4
    assert all(one["repeated"]["n"] == one["reordered"]["n"] == 10 for one in found["criteria"])
    assert all(one["repeated"]["value"] == 0 for one in found["criteria"])


def test_another_judge_than_the_one_that_judged_is_not_asked(folder, judge):
    flags = ("--model", judge.specification, "--votes", 3, *STORED, "--ask", 10)
    assert "when it judged and is" in run(folder, "rubric", "audit", "advice.yaml", *flags, status=2).stderr


def test_labels_show_what_people_and_judge_disagree_on(folder, judge):
    rows = ["item,criterion,annotator,role,label"]
    for number in range(120):
        said = number % 2
        for person, own in (("ann", said), ("bob", said if number % 3 else 1 - said)):
            rows.append(f"i{number},doctor,{person},human,{'yes' if own else 'no'}")
            rows.append(f"i{number},water,{person},human,{'yes' if said else 'no'}")
        rows.append(f"i{number},water,gpt,judge,{'yes' if number % 4 < 2 else 'no'}")
    (folder / "labels.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    flags = (*STORED, "--labels", "labels.csv", "--json")
    found = json.loads(run(folder, "rubric", "audit", "advice.yaml", *flags).stdout)
    named = {(one["kind"], *one["criteria"]) for one in found["remarks"]}
    assert {("people_disagree", "doctor"), ("judge_disagrees", "water")} <= named
    assert ("people_disagree", "water") not in named
    assert found["remarks"][0]["kind"] == "people_disagree", "people come first"


def test_without_judgments_of_the_rubric_the_judges_are_named(folder, judge):
    (folder / "other.yaml").write_text(RUBRIC.replace("medical/advice", "medical/other"), encoding="utf-8")
    told = run(folder, "rubric", "audit", "other.yaml", *STORED, status=2).stderr
    assert "no judgment of these is stored under medical/other; judges: none" in told
    told = run(folder, "rubric", "audit", "advice.yaml", "--judge", "strong", *STORED, status=2).stderr
    assert "judges: default" in told


def test_asking_in_other_words_says_how_often_the_verdict_flips(folder, judge):
    """By hand: the judge reads a wording with "physician" as it reads no other, so it says no to each."""
    other = RUBRIC.replace("1.0.0", "1.1.0").replace("to see a doctor", "to see a physician")
    (folder / "other-words.yaml").write_text(other, encoding="utf-8")
    flags = ("--model", judge.specification, *STORED, "--ask", 160, "--json")
    found = json.loads(run(folder, "rubric", "audit", "advice.yaml", *flags, "--against", "other-words.yaml").stdout)
    by_name = {one["criterion"]: one for one in found["criteria"]}
    assert {name: one["reworded"] is not None for name, one in by_name.items()} == {
        "water": False,
        "drinking": False,
        "doctor": True,
        "polite": False,
    }
    assert found["wordings"] == [
        {"criterion": "doctor", "statement": "Tells the patient to see a physician.", "guidance": None}
    ]
    flipped = sum(bool(number % 3) != bool(number % 2) for number in range(160))  # asked for water instead
    assert by_name["doctor"]["reworded"]["value"] == pytest.approx(flipped / 160)
    assert by_name["doctor"]["repeated"]["value"] == 0
    (remark,) = (one for one in found["remarks"] if one["kind"] == "wording")
    assert remark["criteria"] == ["doctor"]
    assert "hang on the wording" in remark["advice"]
    assert not list(folder.glob("*.asked.jsonl"))


def test_what_other_words_need_is_told(folder, judge):
    flags = ("rubric", "audit", "advice.yaml", "--model", judge.specification, *STORED)
    assert "say with --ask about how many" in run(folder, *flags, "--against", "advice.yaml", status=2).stderr
    told = run(folder, *flags, "--ask", 4, "--against", "advice.yaml", status=2).stderr
    assert "words no criterion" in told
