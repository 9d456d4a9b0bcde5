"""POST /v1/admin/sleep and /v1/admin/wake with a judge on a vLLM server."""

import threading

import httpx
import pytest

from tests.served import served, settings_of
from tests.server.keys import problem
from tests.stub_judge import StubJudge
from tests.submissions import rubric, submission


@pytest.fixture
def judge():
    with StubJudge(sleeps=True) as one:
        yield one


@pytest.fixture
def client(judge):
    with served(settings_of(judge.specification, health_seconds=0.05)) as one:
        yield one


def told(name):
    return submission(rubric=rubric(2), response=f"Rain falls on hill {name} because air cools.")


def test_a_submission_waits_while_the_engine_sleeps(client, judge):
    assert client.post("/v1/score", json=told("one")).json()["reward"] is not None
    (engine,) = client.post("/v1/admin/sleep", json={}).json()["engines"]
    assert (engine["model"], engine["asleep"], engine["level"]) == ("stub", True, 1)
    assert "sent to sleep" in problem(client.get("/readyz"), 503, "judge_asleep")["detail"]
    assert client.get("/healthz").status_code == 200
    assert client.get("/v1/judges").json()["judges"][0]["healthy"]
    assert 'judge_server_engine_asleep{model="stub"} 1.0' in client.get("/metrics").text
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(client.post("/v1/score", json=told("two"))))
    waiting.start()
    problem(client.post("/v1/score", json=told("three") | {"deadline_seconds": 0.3}), 504, "timeout")
    assert not answers
    assert not client.post("/v1/admin/wake", json={}).json()["engines"][0]["asleep"]
    waiting.join()
    assert answers[0].json()["reward"] is not None
    assert client.get("/readyz").status_code == 200
    assert judge.calls_asleep == 0
    assert judge.orders == ["/sleep?level=1", "/wake_up"]


def test_a_submission_is_refused_without_a_reward_if_so_ordered(client, judge):
    client.post("/v1/admin/sleep", json={"level": 2, "waiting": "refuse"})
    refused = client.post("/v1/score", json=told("one"))
    assert problem(refused, 503, "judge_asleep")["error_type"] == "judge_asleep"
    assert int(refused.headers["retry-after"]) >= 1
    client.post("/v1/admin/wake", json={})
    assert client.post("/v1/score", json=told("one")).json()["reward"] is not None
    assert judge.calls_asleep == 0
    assert judge.orders == [
        "/sleep?level=2", "/wake_up?tags=weights", "/collective_rpc", "/wake_up?tags=kv_cache"
    ]  # fmt: skip


def test_a_server_without_these_routes_says_how_to_start_it():
    with StubJudge() as judge, served(settings_of(judge.specification)) as client:
        refused = problem(client.post("/v1/admin/sleep", json={}), 409, "cannot_sleep")
        assert "--enable-sleep-mode" in refused["remedy"]
        assert client.post("/v1/score", json=told("one")).json()["reward"] is not None


def test_a_judge_without_an_engine_cannot_sleep():
    with served(settings_of()) as client:
        problem(client.post("/v1/admin/sleep", json={}), 409, "cannot_sleep")
        (engine,) = client.get("/v1/admin/engines").json()["engines"]
        assert not engine["can_sleep"]


def test_an_engine_that_went_away_in_its_sleep_cannot_be_woken(client, judge):
    client.post("/v1/admin/sleep", json={})
    judge.stop()
    problem(client.post("/v1/admin/wake", json={}), 503, "judge_unavailable")
    assert client.get("/v1/admin/engines").json()["engines"][0]["asleep"]


@pytest.mark.parametrize(
    "body", [{"level": 3}, {"waiting": "never"}, {"drain_seconds": -1}, {"holder": ""}, {"modle": 1}]
)
def test_an_order_with_a_wrong_field_is_refused(client: httpx.Client, body):
    problem(client.post("/v1/admin/sleep", json=body), 422, "bad_input")
