"""POST /v1/score/group: rollouts of one prompt beside each other."""

import math

import pytest

from tests.served import judged_by
from tests.server.faults import only_for
from tests.stub_judge import Reply
from tests.submissions import PROMPT, RESPONSE, checking, rubric

GOOD, BAD = "Call the emergency number now.", "Wait until tomorrow and see."


def group(client, *responses, **fields):
    body = {"prompt": PROMPT, "responses": list(responses), "rubric": checking()} | fields
    return client.post("/v1/score/group", json=body)


def test_a_group_has_its_mean_its_deviation_and_its_advantages(client):
    answer = group(client, GOOD, BAD, GOOD, GOOD, advantages=True).json()
    std = math.sqrt(3 / 16)
    assert answer["rewards"] == [1.0, 0.0, 1.0, 1.0]
    assert answer["group"]["count"] == 4
    assert answer["group"]["mean"] == pytest.approx(0.75)
    assert answer["group"]["std"] == pytest.approx(std)
    assert answer["group"]["zero_variance"] is False
    assert answer["group"]["advantages"] == pytest.approx(
        [0.25 / (std + 1e-4), -0.75 / (std + 1e-4), 0.25 / (std + 1e-4), 0.25 / (std + 1e-4)]
    )


def test_a_group_of_equals_teaches_nothing_and_says_so(client):
    statistics = group(client, GOOD, GOOD).json()["group"]
    assert statistics["zero_variance"] is True
    assert statistics["std"] == 0.0
    assert statistics["advantages"] is None


def test_a_rollout_without_a_reward_is_left_out_of_the_statistics():
    with judged_by(only_for("Answer of doom", Reply(500))) as (client, _):
        responses = [RESPONSE, f"Answer of doom. {RESPONSE}", 17]
        answer = group(client, *responses, rubric=rubric(), advantages=True).json()
    assert answer["rewards"] == [pytest.approx(0.9), None, None]
    assert [result["status"] for result in answer["results"]] == ["ok", "failed", "failed"]
    assert answer["group"]["count"] == 1
    assert answer["group"]["mean"] == pytest.approx(0.9)
    assert answer["group"]["advantages"] == [0.0, None, None]


def test_a_group_without_any_reward_has_no_mean(client):
    answer = group(client, 1, 2, advantages=True).json()
    assert answer["rewards"] == [None, None]
    assert answer["group"] == {
        "count": 0,
        "mean": None,
        "std": None,
        "zero_variance": True,
        "advantages": [None, None],
        "expected": 2,
        "collected": 2,
        "complete": True,
        "relative": None,
    }
    assert [error["type"] for error in answer["errors"]] == ["bad_submission", "bad_submission"]


def test_coordinates_reference_and_facts_hold_for_every_rollout(client):
    wanted = rubric(
        criteria=[{"id": "c", "statement": "Fits criterion-7 .", "points": 1, "when": {"facts.audience": "patient"}}]
    )
    fields = {"group": "prompt-9", "step": 12, "policy": "v3", "facts": {"audience": "patient"}, "reference": "Call."}
    answer = group(client, GOOD, BAD, rubric=wanted, **fields).json()
    assert [result["submission"]["group"] for result in answer["results"]] == ["prompt-9", "prompt-9"]
    assert answer["results"][1]["submission"]["step"] == 12
    assert answer["rewards"] == [pytest.approx(0.9)] * 2
    stored = client.get("/v1/judgments", params={"group": "prompt-9"}).json()["judgments"]
    assert {one["id"] for one in stored} == {result["id"] for result in answer["results"]}


def test_a_prompt_that_cannot_be_used_is_refused_for_the_whole_group(client):
    answer = group(client, GOOD, prompt=[{"role": "wizard", "content": "x"}])
    assert answer.status_code == 422
    assert "prompt.0.role" in answer.json()["detail"]
