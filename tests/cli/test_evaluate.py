"""``judge-server eval`` from end to end, with models on the loopback."""

import json
import random

import pytest

from tests.cli.judged_labels import RUBRIC, run
from tests.stub_judge import Reply, StubJudge, faithful, labels, text

WATER = "Recommends drinking plenty of water."
GOOD = "It recommends drinking plenty of water, case {}."
BAD = "Take a walk and call your doctor, case {}."


def healthbench_row(number: int, response: str | None = None) -> dict:
    given = {} if response is None else {"completion": response.format(number)}
    return {
        "prompt_id": f"p{number}",
        "prompt": [{"role": "user", "content": f"My head aches ({number})."}],
        "rubrics": [{"criterion": WATER, "points": 5, "tags": ["level:example", "axis:completeness"]}],
        "example_tags": ["theme:hedging"],
        "ideal_completions_data": {
            "ideal_completion": GOOD.format("ideal"),
            "ideal_completions_group": "Group 2",
            "ideal_completions_ref_completions": [GOOD.format("a"), BAD.format("b")],
        }
        if number % 2
        else None,
        "canary": "x",
        **given,
    }


def write(folder, rows, name="rows.jsonl"):
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return name


def evaluated(folder, *words, status=0):
    return json.loads(run(folder, "eval", *words, "--json", status=status).stdout)


def overall(found, place=0):
    return found["models"][place]["scores"]["overall"]


def test_the_table_the_rewards_and_the_physicians(tmp_path):
    rows = [healthbench_row(number, GOOD if number % 4 else BAD) for number in range(32)]
    write(tmp_path, rows)
    told = run(tmp_path, "eval", "healthbench", "rows.jsonl", "--rewards", "judged.jsonl").stdout
    for name in ("overall", "length_adjusted", "theme:hedging", "axis:completeness", "level:example", "± bootstrap"):
        assert name in told
    rewards = [json.loads(line) for line in (tmp_path / "judged.jsonl").read_text().splitlines()]
    assert [one["submission"]["id"] for one in rewards] == [f"p{number}" for number in range(32)]
    assert all(one["reward"] is not None for one in rewards)
    found = evaluated(tmp_path, "healthbench", "rows.jsonl", "--versus", "ideal")
    assert overall(found)["value"] == pytest.approx(24 / 32)
    assert overall(found)["low"] < 0.75 < overall(found)["high"]
    assert (overall(found, 1)["value"], overall(found, 1)["n"]) == (1.0, 16)
    assert found["models"][1]["without_response"] == 16
    references = evaluated(tmp_path, "healthbench", "rows.jsonl", "--responses", "references")
    assert (overall(references)["n"], overall(references)["prompts"], overall(references)["value"]) == (32, 16, 0.5)


def test_no_reference_is_shown_as_no_grader_of_healthbench_sees_one(tmp_path):
    write(tmp_path, [healthbench_row(1, BAD)])
    with StubJudge() as judge:
        run(tmp_path, "eval", "healthbench", "rows.jsonl", "--model", judge.specification)
        asked = json.dumps([body["messages"] for body in judge.bodies])
    assert BAD.format(1) in asked
    assert GOOD.format("ideal") not in asked


def test_two_models_write_and_are_compared_and_a_second_run_asks_neither(tmp_path):
    write(tmp_path, [healthbench_row(number) for number in range(40)])
    with StubJudge(lambda body: text(GOOD.format(0))) as good, StubJudge(lambda body: text(BAD.format(0))) as bad:
        words = ("healthbench", "rows.jsonl", "--responses", good.specification, "--versus", bad.specification)
        first = evaluated(tmp_path, *words, "--keep", "kept.jsonl")
        again = evaluated(tmp_path, *words, "--keep", "kept.jsonl")
        assert (good.calls, bad.calls) == (40, 40)
    assert first == again
    assert (overall(first)["value"], overall(first, 1)["value"]) == (1.0, 0.0)
    assert first["differences"]["overall"]["first"] - first["differences"]["overall"]["second"] == 1.0
    kept = evaluated(tmp_path, "healthbench", "rows.jsonl", "--responses", "kept.jsonl")
    assert overall(kept)["n"] == 80, "what is kept is a file of responses: here of both"


def test_what_a_model_could_not_write_is_counted_and_no_zero(tmp_path):
    write(tmp_path, [healthbench_row(number) for number in range(4)])

    def behave(body):
        return Reply(400) if "(1)" in json.dumps(body) else text(GOOD.format(0))

    with StubJudge(behave) as policy:
        found = evaluated(tmp_path, "healthbench", "rows.jsonl", "--responses", policy.specification)
    assert overall(found)["value"] == 1.0
    assert sum(found["models"][0]["not_written"].values()) == 1


def test_a_criterion_without_a_verdict_leaves_the_response_without_a_score(tmp_path):
    write(tmp_path, [healthbench_row(number, GOOD) for number in range(3)])

    def behave(body):
        return labels(Perhaps=1.0) if "case" in json.dumps(body["messages"]) else faithful()(body)

    with StubJudge(behave) as judge:
        found = evaluated(tmp_path, "healthbench", "rows.jsonl", "--model", judge.specification, status=1)
    assert found["models"][0]["scores"] == {}
    assert sum(found["models"][0]["without_score"].values()) == 3


def test_responses_in_a_file_also_as_simple_evals_keeps_them(tmp_path):
    write(tmp_path, [healthbench_row(number) for number in range(3)])
    write(tmp_path, [{"prompt_id": f"p{number}", "completion": GOOD.format(number)} for number in (0, 2)], "two.jsonl")
    found = evaluated(tmp_path, "healthbench", "rows.jsonl", "--responses", "two.jsonl")
    assert (overall(found)["n"], found["models"][0]["without_response"]) == (2, 1)
    results = {
        "score": 1.0,
        "metadata": {
            "example_level_metadata": [
                {"prompt_id": "p1", "prompt": [], "completion": [{"role": "assistant", "content": BAD.format(1)}]}
            ]
        },
    }
    (tmp_path / "results.json").write_text(json.dumps(results), encoding="utf-8")
    found = evaluated(tmp_path, "healthbench", "rows.jsonl", "--responses", "results.json")
    assert (overall(found)["n"], overall(found)["value"]) == (1, 0.0)


def test_any_prompts_with_one_rubric(tmp_path):
    (tmp_path / "water.yaml").write_text(RUBRIC, encoding="utf-8")
    write(
        tmp_path,
        [
            {"prompt": f"My head aches ({number}).", "response": GOOD.format(number), "tags": ["short"], "note": 1}
            for number in range(3)
        ],
    )
    found = evaluated(tmp_path, "rows.jsonl", "--rubric", "water.yaml")
    scores = found["models"][0]["scores"]
    assert scores.keys() == {"overall", "short"}
    assert scores["overall"]["value"] == pytest.approx(found["models"][0]["mean_reward"])


def test_a_sample_is_the_one_of_simple_evals(tmp_path):
    write(tmp_path, [healthbench_row(number, GOOD) for number in range(12)])
    words = ("healthbench", "rows.jsonl", "--examples", 4, "--rewards", "judged.jsonl")
    run(tmp_path, "eval", *words)
    drawn = {json.loads(line)["submission"]["id"] for line in (tmp_path / "judged.jsonl").read_text().splitlines()}
    assert drawn == {f"p{number}" for number in random.Random(0).sample(range(12), 4)}


def test_the_cost_is_known_before_it_is_spent_if_the_responses_are(tmp_path):
    write(tmp_path, [healthbench_row(number, GOOD) for number in range(6)])
    with StubJudge() as judge:
        flags = ("healthbench", "rows.jsonl", "--model", judge.specification, "--estimate")
        found = evaluated(tmp_path, *flags, "--versus", "ideal")
        told = run(tmp_path, "eval", *flags, "--responses", judge.specification, status=2).output
    assert (found["submissions"], found["calls"]) == (9, 9)
    assert "are not written yet" in told


def test_the_meta_evaluation_certifies_the_judge(tmp_path):
    rows = [
        {
            "prompt_id": f"p{number}",
            "completion_id": f"c{number}",
            "prompt": [{"role": "user", "content": f"My head aches ({number})."}],
            "completion": (GOOD if number % 2 else BAD).format(number),
            "rubric": WATER,
            "category": "cluster:hydration_any",
            "binary_labels": [bool(number % 2) != (number % 40 == place) for place in (3, 8)],
            "anonymized_physician_ids": ["a", "b"],
        }
        for number in range(160)
    ]
    write(tmp_path, rows, "meta.jsonl")
    told = run(tmp_path, "eval", "healthbench", "meta.jsonl", "--out", "meta", "--database", "sqlite:///j.db").stdout
    assert "default: pass" in told
    assert "certificate crt_" in told
    listed = run(tmp_path, "calibrate", "certificates", "--database", "sqlite:///j.db", "--json").stdout
    assert "medical/healthbench-meta" in listed
    assert WATER in (tmp_path / "meta" / "rubric.yaml").read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("healthbench", "rows.jsonl", "more"), "give FILE, or healthbench FILE"),
        (("healthbench", "plain.jsonl"), "plain.jsonl:1 is no HealthBench row"),
        (("bare.jsonl",), "bare.jsonl:1 has no prompt"),
        (("healthbench", "rows.jsonl", "--responses", "nothing"), "is no file of responses, no model"),
        (("healthbench", "rows.jsonl", "--responses", "baseline:x"), "cannot write responses"),
        (("healthbench", "rows.jsonl", "--responses", "bare.jsonl"), "bare.jsonl:1 is no response"),
        (("nowhere.jsonl",), "nowhere.jsonl"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path, words, told):
    write(tmp_path, [healthbench_row(0, GOOD)])
    write(tmp_path, [{"prompt": "p", "response": "r"}], "plain.jsonl")
    write(tmp_path, [{"rubric": "x"}], "bare.jsonl")
    assert told in run(tmp_path, "eval", *words, status=2).output
