"""POST /v1/score/batch: order, defaults, limits, and items that do not spoil each other."""

import json

import pytest

from tests.served import judged_by, served, settings_of
from tests.server.faults import only_for
from tests.stub_judge import Reply, faithful
from tests.submissions import RESPONSE, checking, rubric, submission

BAD = {
    "no object": (5, "bad_submission"),
    "null": (None, "bad_submission"),
    "no response": ({"prompt": "p"}, "bad_submission"),
    "empty prompt": (submission(prompt=" "), "bad_submission"),
    "wrong role": (submission(response=[{"role": "user", "content": "x"}]), "bad_submission"),
    "unknown role": (submission(prompt=[{"role": "wizard", "content": "x"}]), "bad_submission"),
    "unknown field": (submission(colour="blue"), "bad_submission"),
    "no rubric": (submission(rubric=None), "bad_submission"),
    "unknown rubric": (submission(rubric="medical/consultatoin"), "unknown_rubric"),
    "unknown version": (submission(rubric="medical/consultation@99.0.0"), "unknown_rubric"),
    "no name of a rubric": (submission(rubric="Ünknown Rubric"), "unknown_rubric"),
    "unknown judge": (submission(judge="nobody"), "unknown_judge"),
    "a judge's address": (submission(judge="http://127.0.0.1:1/v1"), "unknown_judge"),
    "missing reference": (
        submission(
            rubric=rubric(criteria=[{"id": "r", "statement": "Agrees with it.", "points": 1, "reference": "required"}])
        ),
        "bad_submission",
    ),
    "negative step": (submission(step=-1), "bad_submission"),
    "empty conversation": (submission(prompt=[]), "bad_submission"),
    "unknown field of a message": (
        submission(response=[{"role": "assistant", "content": "x", "pages": ["a text"]}]),
        "bad_submission",
    ),
    "image": (
        submission(prompt=[{"role": "user", "content": [{"type": "image_url", "image_url": "x"}]}]),
        "bad_submission",
    ),
    "pattern that is none": (
        submission(
            rubric=rubric(
                criteria=[
                    {
                        "id": "r",
                        "kind": "check",
                        "statement": "s",
                        "points": 1,
                        "check": {"kind": "regex", "pattern": "("},
                    }
                ]
            )
        ),
        "bad_rubric",
    ),
}
RAW = {
    "lone surrogate in the response": (b'{"rubric": %s, "prompt": "p", "response": "\\ud800"}', "bad_submission"),
    "lone surrogate in the id": (b'{"rubric": %s, "prompt": "p", "response": "r", "id": "\\udfff"}', "bad_submission"),
    "lone surrogate in the facts": (
        b'{"rubric": %s, "prompt": "p", "response": "r", "facts": {"\\ud800": 1}}',
        "bad_submission",
    ),
    "lone surrogate in a statement": (
        (
            b'{"rubric": {"id": "t/t", "version": "1.0.0", "title": "t", "criteria": [{"id": "a", '
            b'"points": 1}]}, "prompt": "p", "response": "r"}'
        ),
        "bad_submission",
    ),
    "lone surrogate in a message": (
        b'{"rubric": %s, "prompt": [{"role": "user", "content": "p", "name": "\\ud800"}], "response": "r"}',
        "bad_submission",
    ),
    "lone surrogate in a rubric's name": (b'{"rubric": "a\\ud800", "prompt": "p", "response": "r"}', "bad_submission"),
    "lone surrogate in a field's name": (b'{"rubric": %s, "prompt": "p", "respo\\ud800nse": "r"}', "bad_submission"),
    "endless points": (
        (
            b'{"rubric": {"id": "t/t", "version": "1.0.0", "title": "t", "criteria": [{"id": "a", "statement": "s", '
            b'"points": 1e999}]}, "prompt": "p", "response": "r"}'
        ),
        "bad_submission",
    ),
    "endless fact": (b'{"rubric": %s, "prompt": "p", "response": "r", "facts": {"a": -1e999}}', "bad_submission"),
    "deep facts": (
        b'{"rubric": %s, "prompt": "p", "response": "r", "facts": {"a": ' + b"[" * 90 + b"]" * 90 + b"}}",
        "bad_submission",
    ),
}


def test_results_and_rewards_stand_in_the_order_of_the_items(client):
    items = [submission(rubric=checking(word), id=word) for word in ("emergency", "banana", "number", "cherry")]
    answer = client.post("/v1/score/batch", json={"items": items}).json()
    assert answer["rewards"] == [1.0, 0.0, 1.0, 0.0]
    assert [result["reward"] for result in answer["results"]] == answer["rewards"]
    assert [result["submission"]["id"] for result in answer["results"]] == ["emergency", "banana", "number", "cherry"]


@pytest.mark.parametrize("name", BAD)
def test_one_bad_item_is_typed_and_never_spoils_the_others(client, name):
    item, slug = BAD[name]
    answer = client.post("/v1/score/batch", json={"items": [submission(), item, submission(rubric=checking())]})
    results = answer.json()["results"]
    assert answer.status_code == 200
    assert results[0]["reward"] == pytest.approx(0.9)
    assert results[2]["reward"] == 1.0
    assert results[1]["reward"] is None
    assert answer.json()["rewards"][1] is None
    assert results[1]["status"] == "failed"
    assert results[1]["error"]["type"] == slug
    assert len(results[1]["error"]["detail"]) > 20


def test_unknown_metadata_of_a_message_is_told_and_its_item_judged(client):
    item = submission(response=[{"role": "assistant", "content": RESPONSE, "latency_ms": 12, "trace": "t-1"}])
    result = client.post("/v1/score/batch", json={"items": [item]}).json()["results"][0]
    assert result["reward"] == pytest.approx(0.9)
    assert "unknown metadata of messages was left out: latency_ms (1), trace (1)" in result["notices"]


@pytest.mark.parametrize("name", RAW)
def test_what_only_raw_json_can_say_is_typed_too(client, name):
    raw, slug = RAW[name]
    if b"%s" in raw:
        raw = raw.replace(b"%s", json.dumps(rubric()).encode())
    body = b'{"items": [' + json.dumps(submission()).encode() + b"," + raw + b"]}"
    answer = client.post("/v1/score/batch", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["results"][0]["reward"] == pytest.approx(0.9)
    assert answer.json()["results"][1]["error"]["type"] == slug


def test_an_item_may_hold_a_nul_character(client):
    item = submission(response=f"{RESPONSE}\x00 And more.", prompt="What\x00now?")
    answer = client.post("/v1/score/batch", json={"items": [item]}).json()
    stored = client.get(f"/v1/judgments/{answer['results'][0]['id']}").json()
    assert answer["rewards"] == [pytest.approx(0.9)]
    assert stored["submitted"]["response"] == item["response"]


def test_the_batch_names_rubric_and_judge_for_items_that_name_none(client):
    items = [submission(rubric=None), submission(rubric=checking("banana"))]
    answer = client.post("/v1/score/batch", json={"items": items, "rubric": checking(), "judge": "default"}).json()
    assert answer["rewards"] == [1.0, 0.0]


def test_a_default_rubric_may_be_a_name(client):
    answer = client.post(
        "/v1/score/batch", json={"items": [submission(rubric=None)], "rubric": "format/tags_and_tools"}
    ).json()
    assert answer["results"][0]["rubric"]["id"] == "format/tags_and_tools"


@pytest.mark.parametrize("field", ["items", "responses"])
def test_an_empty_list_is_refused_by_name(client, field):
    path, body = ("batch", {"items": []}) if field == "items" else ("group", {"prompt": "p", "responses": []})
    answer = client.post(f"/v1/score/{path}", json=body)
    assert answer.status_code == 422
    assert field in answer.json()["detail"]
    assert answer.json()["remedy"]


def test_more_items_than_the_limit_are_refused_and_the_limit_is_named():
    with served(settings_of(max_batch_items=2)) as client:
        answer = client.post("/v1/score/batch", json={"items": [submission(rubric=checking())] * 3})
        fits = client.post("/v1/score/batch", json={"items": [submission(rubric=checking())] * 2})
    assert answer.status_code == 422
    assert "3 elements are more than the 2" in answer.json()["detail"]
    assert fits.json()["rewards"] == [1.0, 1.0]


def test_identical_items_ask_the_judge_once():
    with judged_by(lambda body: Reply(200, faithful()(body).body, delay_seconds=0.2)) as (client, judge):
        probes = judge.calls
        answer = client.post("/v1/score/batch", json={"items": [submission()] * 5}).json()
        assert judge.calls - probes == 2
    assert answer["rewards"] == [pytest.approx(0.9)] * 5
    assert sum(result["usage"]["calls"] for result in answer["results"]) == 2


def test_a_batch_whose_judge_fails_answers_200_with_typed_items():
    with judged_by(only_for("criterion-", Reply(500))) as (client, _):
        answer = client.post("/v1/score/batch", json={"items": [submission(), submission(rubric=checking())]})
    assert answer.status_code == 200
    assert answer.json()["rewards"] == [None, 1.0]
    assert answer.json()["results"][0]["error"]["type"] == "judge_unavailable"


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("failing", [["0"], ["0", "1", "2", "3", "4"], [str(n) for n in range(20)]])
def test_a_failed_judge_is_never_a_reward_whatever_fails_and_however_many(failing, sign):
    """Faults by the response's word, so that one server plays them all."""
    replies = {
        "slowness": Reply(delay_seconds=20.0),
        "garbage": Reply(200, b"<<<no json"),
        "truncation": Reply(200, cut=True, body={"choices": []}),
        "banana": Reply(200, {"choices": [{"message": {"role": "assistant", "content": "banana"}}]}),
        "crash": Reply(500, {"error": "boom"}),
    }

    def behave(body):
        said = json.dumps(body)
        fault = next((word for word in replies if f"Answer of {word}" in said), None)
        if fault and any(f"criterion-{number} " in said for number in failing):
            return replies[fault]
        return faithful()(body)

    points = [5.0] + [5.0 * sign] * 19
    items = [submission(rubric=rubric(*points), response=f"Answer of {word}. {RESPONSE}") for word in replies]
    with judged_by(behave) as (client, _):
        answer = client.post("/v1/score/batch", json={"items": items, "deadline_seconds": 3}).json()
    assert answer["rewards"] == [None] * len(replies)
    assert all(result["error"]["type"] for result in answer["results"])
    assert all(
        (verdict["value"] is None) == (verdict["status"] != "ok")
        for result in answer["results"]
        for verdict in result["verdicts"]
    )
