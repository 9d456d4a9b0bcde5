"""POST /v1/score over real HTTP, against a real OpenAI-compatible judge."""

import pytest

from tests.served import HangsUp, judged_by, until
from tests.server.faults import only_for
from tests.stub_judge import Reply, labels, text
from tests.submissions import RESPONSE, checking, rubric, submission
from tests.yardstick import HANG_SECONDS


def test_a_submission_becomes_a_judgment(client):
    answer = client.post("/v1/score", json=submission(id="row-1", run="night", group="g", step=3, policy="p"))
    judgment = answer.json()
    assert answer.status_code == 200
    assert judgment["reward"] == pytest.approx(0.9)
    assert judgment["status"] == "ok"
    assert [verdict["criterion"] for verdict in judgment["verdicts"]] == ["c0", "c1"]
    assert judgment["submission"] == {"id": "row-1", "run": "night", "group": "g", "step": 3, "policy": "p"}
    assert judgment["judge"]["mode"] == "direct"
    assert judgment["rubric"]["digest"].startswith("sha256:")


def test_a_rubric_of_the_library_is_named(client):
    named = submission(rubric="medical/emergency_referral@3.0.1", facts={"emergency": True})
    judgment = client.post("/v1/score", json=named).json()
    assert judgment["rubric"]["id"] == "medical/emergency_referral"
    assert judgment["reward"] is not None


def test_a_rubric_of_checks_asks_no_judge(client, judge):
    before = judge.calls
    judgment = client.post("/v1/score", json=submission(rubric=checking())).json()
    assert judgment["reward"] == 1.0
    assert judge.calls == before


def test_the_same_request_again_is_answered_from_the_cache(client, judge):
    item = submission(response=f"{RESPONSE} A twin.")
    first = client.post("/v1/score", json=item).json()
    asked = judge.calls
    second = client.post("/v1/score", json=item).json()
    assert second["reward"] == first["reward"]
    assert second["id"] != first["id"]
    assert judge.calls == asked
    assert all(verdict["cached"] for verdict in second["verdicts"])


def test_messages_with_tool_calls_and_reasoning_are_judged(client):
    call = {"id": "1", "type": "function", "function": {"name": "look_up", "arguments": '{"what": "stroke"}'}}
    response = [
        {"role": "assistant", "content": None, "reasoning": "It sounds like a stroke.", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "Stroke: call at once."},
        {"role": "assistant", "content": [{"type": "text", "text": RESPONSE}]},
    ]
    answer = client.post("/v1/score", json=submission(prompt=[{"role": "user", "content": "Help"}], response=response))
    assert answer.status_code == 200
    assert answer.json()["reward"] == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("reply", "status", "slug"),
    [
        (Reply(500, {"error": "boom"}), 503, "judge_unavailable"),
        (text("banana"), 502, "unusable_verdict"),
        (Reply(200, b"<<<no json"), 502, "unusable_verdict"),
        (labels(banana=1.0), 502, "judge_failure"),
    ],
    ids=["http-500", "no-probabilities", "garbage", "wrong-label"],
)
def test_a_judge_that_fails_on_everything_is_a_problem_with_the_judgment_inside(reply, status, slug):
    with judged_by(only_for("criterion-", reply)) as (client, _):
        answer = client.post("/v1/score", json=submission())
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, problem["type"]) == (status, f"urn:judge-server:error:{slug}")
    assert problem["judgment"]["reward"] is None
    assert problem["judgment"]["status"] == "failed"
    assert problem["error_type"] == problem["judgment"]["error"]["type"]
    assert int(answer.headers["retry-after"]) >= 1


def test_a_judge_that_fails_on_some_criteria_is_a_partial_judgment():
    skipping = {"missing": {"policy": "skip", "min_coverage": 0.5}}
    with judged_by(only_for("criterion-1 ", Reply(500))) as (client, _):
        strict = client.post("/v1/score", json=submission())
        lenient = client.post("/v1/score", json=submission(rubric=rubric(5, 3, **skipping)))
    assert strict.status_code == lenient.status_code == 200
    assert strict.json()["status"] == lenient.json()["status"] == "partial"
    assert strict.json()["reward"] is None
    assert strict.json()["error"]["type"]
    assert lenient.json()["reward"] == pytest.approx(0.9)
    assert lenient.json()["coverage"] == pytest.approx(5 / 8)


@pytest.mark.parametrize("where", ["body", "header"])
def test_what_is_not_decided_by_the_deadline_times_out(where):
    with judged_by(only_for("criterion-", Reply(delay_seconds=HANG_SECONDS))) as (client, judge):
        body = submission(**({"deadline_seconds": 0.3} if where == "body" else {}))
        answer = client.post("/v1/score", json=body, headers={"Deadline-Seconds": "0.3"} if where == "header" else {})
        until(lambda: judge.disconnects == 2)
    assert answer.status_code == 504
    assert answer.json()["type"] == "urn:judge-server:error:timeout"
    assert answer.json()["judgment"]["reward"] is None
    assert answer.headers["retry-after"]


def test_what_was_decided_before_the_deadline_is_returned():
    with judged_by(only_for("criterion-1 ", Reply(delay_seconds=HANG_SECONDS))) as (client, _judge):
        answer = client.post("/v1/score", json=submission(deadline_seconds=4))
    judgment = answer.json()
    assert answer.status_code == 200
    assert judgment["status"] == "partial"
    assert judgment["reward"] is None
    assert judgment["error"]["type"] == "timeout"
    assert [verdict["status"] for verdict in judgment["verdicts"]] == ["ok", "unavailable"]


def test_a_caller_that_hangs_up_takes_its_model_calls_along():
    with judged_by(only_for("criterion-", Reply(delay_seconds=HANG_SECONDS))) as (client, judge):
        before = judge.calls
        caller = HangsUp(client, "/v1/score", submission())
        until(lambda: judge.calls - before == 2)
        caller.leave()
        until(lambda: judge.disconnects == 2)
        assert client.get("/readyz").status_code == 200
        assert "judge_server_submissions_under_way 0.0" in client.get("/metrics").text


def test_a_full_server_answers_429_and_when_to_come_back():
    with (
        judged_by(only_for("criterion-", Reply(delay_seconds=HANG_SECONDS)), max_under_way=1) as (client, _judge),
    ):
        waiting = HangsUp(client, "/v1/score", submission())
        until(lambda: "judge_server_submissions_under_way 1.0" in client.get("/metrics").text)
        refused = client.post("/v1/score", json=submission())
        not_ready = client.get("/readyz")
        waiting.leave()
    assert refused.status_code == not_ready.status_code == 429
    assert refused.json()["type"] == "urn:judge-server:error:overloaded"
    assert int(refused.headers["retry-after"]) >= 1


def test_a_degenerate_response_gets_the_lowest_reward_and_no_judge(client, judge):
    before = judge.calls
    judgment = client.post("/v1/score", json=submission(response=" ")).json()
    assert judgment["status"] == "ok"
    assert judgment["reward"] == 0.0
    assert judgment["flags"]
    assert judge.calls == before


def test_a_submission_that_wants_reasons_gets_them_from_a_direct_judge_too(client):
    plain = client.post("/v1/score", json=submission(response=f"{RESPONSE} Reasons.")).json()
    explained = client.post("/v1/score", json=submission(response=f"{RESPONSE} Reasons.", explain=True)).json()
    assert [verdict["reason"] for verdict in plain["verdicts"]] == [None, None]
    assert all(verdict["reason"] for verdict in explained["verdicts"])
    assert (plain["judge"]["mode"], explained["judge"]["mode"]) == ("direct", "reason")
    assert plain["judge"]["name"] == explained["judge"]["name"]
    assert plain["judge"]["fingerprint"] != explained["judge"]["fingerprint"]
    assert explained["reward"] == 1.0
