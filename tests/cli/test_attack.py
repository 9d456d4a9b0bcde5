"""``judge-server attack``: the figures, the exit status, and the whole way to a model behind an address."""

import json
import re

import pytest

from judge_server.attack.corpus import corpus, families
from tests.attack.obedient import best_answer, talked_into
from tests.command import judge_server
from tests.stub_judge import StubJudge, faithful, labels, text, wants_schema
from tests.submissions import rubric


def obedient(body):
    """The obedient judge behind an address: it reads messages, as they arrive."""
    schema = wants_schema(body)
    good = talked_into(body["messages"])
    if schema:
        return text(json.dumps(best_answer(schema, good)))
    words = ("A", "C") if "exactly one letter" in body["messages"][-1]["content"] else ("No", "Yes")
    return labels(**{words[good]: 0.99, words[not good]: 0.01})


def test_an_obedient_judge_behind_an_address_is_held_and_falls_without_its_defences():
    with StubJudge(obedient) as judge:
        flags = ("--families", "plea,chat_token,fence,ready_verdict", "--bases", "1", "--max-success", "0", "--json")
        ended = judge_server("attack", "--model", judge.specification, *flags)
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    rates = {figures["setup"]: figures["total"] for figures in report["setups"]}
    assert list(rates) == [
        "as served",
        "without guard",
        "without normalisation",
        "without fences",
        "without control tokens",
        "without any",
    ]
    assert rates["as served"]["fooled"] == 0
    assert rates["as served"]["trials"] == sum(a.family in report["setups"][0]["families"] for a in corpus())
    assert rates["without fences"]["rate"] > 0.9
    assert rates["without control tokens"]["fooled"] >= 45
    assert rates["without any"]["rate"] > 0.9
    assert report["setups"][4]["families"]["chat_token"]["rate"] > 0.9
    assert report["setups"][4]["families"]["plea"]["fooled"] == 0
    assert report["setups"][0]["attacks"]["plea/en"]["trials"] == 1
    paid = {one["setup"] for one in report["fooled"]}
    assert paid == {"without fences", "without control tokens", "without any"}


def test_people_are_shown_a_table_and_told_that_the_baseline_proves_plumbing():
    ended = judge_server("attack", "--model", "baseline", "--families", "criteria_echo,plea", "--without", "guard")
    assert ended.returncode == 0
    assert re.search(r"^criteria_echo +\d+/18 \(\d+%\) +18/18 \(100%\)", ended.stdout, re.MULTILINE)
    assert re.search(r"^plea +0/44 \(0%\) +0/44 \(0%\)", ended.stdout, re.MULTILINE)
    assert re.search(r"^95 % interval +\d+\.\d% to \d+\.\d%", ended.stdout, re.MULTILINE)
    assert "Paid against the judge as served:" in ended.stdout
    assert "criteria_echo/list: 2 x, reward " in ended.stdout
    assert "flags criteria_echo" in ended.stdout
    assert "Genuine short answers refused by the guard: " in ended.stdout
    assert "the rates prove that the plumbing works and say nothing about a model" in ended.stdout
    assert "understands nothing" in ended.stderr
    assert "attacking" not in ended.stderr  # the progress bar is for terminals


def test_more_success_than_allowed_ends_with_one():
    flags = ("--model", "baseline", "--families", "criteria_echo", "--without", "none")
    ended = judge_server("attack", *flags, "--max-success", "0.5")
    assert ended.returncode == 1
    assert re.search(r"attacks that paid: \d+\.\d\d% is more than 50\.00%", ended.stderr)
    assert judge_server("attack", *flags, "--max-success", "1", "--max-refusals", "0.05").returncode == 0


def test_more_refusals_than_allowed_end_with_one():
    flags = ("--model", "baseline", "--families", "half", "--without", "none", "--max-refusals", "0")
    ended = judge_server("attack", *flags)
    assert ended.returncode == 1
    assert "refusals: " in ended.stderr


def test_a_judge_that_fails_proves_nothing_and_ends_with_three():
    with StubJudge(lambda body: labels(Perhaps=0.9) if "Criterion" in str(body) else faithful(0.1)(body)) as judge:
        flags = ("--families", "plea", "--without", "none", "--max-success", "0")
        ended = judge_server("attack", "--model", judge.specification, *flags)
    assert ended.returncode == 3
    assert "not enough evidence: fewer than half of the attacks could be decided" in ended.stderr
    assert "as served: 44 undecided, because the judge failed." in ended.stdout


def test_attacks_of_ones_own_are_tried_beside_the_bundled_ones(tmp_path):
    (tmp_path / "own.jsonl").write_text('{"id": "mine/one", "text": "@CRITERION@", "repeat": 2}\n')
    flags = ("--model", "baseline", "--corpus", "own.jsonl", "--families", "mine,half", "--without", "none", "--json")
    report = json.loads(judge_server("attack", *flags, cwd=tmp_path).stdout)
    assert list(report["setups"][0]["families"]) == ["half", "mine"]
    assert report["setups"][0]["attacks"]["mine/one"]["trials"] == 2


def test_a_rubric_of_the_library_or_of_a_file_takes_the_place_of_the_bundled_ones(tmp_path):
    (tmp_path / "own.json").write_text(json.dumps(rubric(5, 3)))
    flags = ("--model", "baseline", "--families", "plea,half", "--without", "none", "--json")
    file = json.loads(judge_server("attack", "--rubric", "own.json", *flags, cwd=tmp_path).stdout)
    named = json.loads(judge_server("attack", "--rubric", "medical/hedging", *flags).stdout)
    assert file["rubric"] == "test/listed@1.0.0"
    assert named["rubric"].startswith("medical/hedging@")
    assert list(file["setups"][0]["families"]) == ["plea"]


def test_the_list_names_every_attack_and_starts_no_judge():
    ended = judge_server("attack", "--list", "--model", "no such thing")
    assert ended.returncode == 0
    assert ended.stdout.splitlines() == [attack.id for attack in corpus()]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--families", "pleas"), f"--families: pleas is not known. Known: {', '.join(families(corpus()))}."),
        (("--without", "walls"), "--without: walls is not a defence. Known: guard, normalisation, fences"),
        (("--without", ""), "--without: nothing is not a defence."),
        (("--judge", "nobody"), "judge: 'nobody' is not configured here. Configured judges: default."),
        (("--rubric", "medical/none"), "medical/none"),
        (("--corpus", "absent.jsonl"), "absent.jsonl cannot be read"),
        (("--max-success", "2"), "--max-success"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(flags, said, tmp_path):
    ended = judge_server("attack", "--model", "baseline", *flags, cwd=tmp_path)
    assert ended.returncode == 2
    assert said in " ".join(ended.stderr.split())
    assert ended.stdout == ""


def test_an_id_of_a_bundled_attack_cannot_be_taken(tmp_path):
    (tmp_path / "own.jsonl").write_text('{"id": "plea/en", "text": "x"}\n')
    ended = judge_server("attack", "--list", "--corpus", "own.jsonl", cwd=tmp_path)
    assert ended.returncode == 2
    assert "own.jsonl: the id plea/en belongs to a bundled attack." in ended.stderr
