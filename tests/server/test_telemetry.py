"""What an operator sees of the server at work: requests, calls of models, distributions of rewards."""

import time
from dataclasses import replace
from typing import Any

from judge_server.models.protocol import Priority
from tests.served import judged_by, served, settings_of
from tests.server.keys import demanding, key_of
from tests.server.test_operations import samples
from tests.stub_judge import Reply, faithful
from tests.submissions import submission


def _metrics(client) -> dict[str, float]:
    return samples(client.get("/metrics").text)


def test_requests_are_counted_by_route_and_status_and_never_by_what_was_asked_for():
    with served(settings_of()) as client:
        client.post("/v1/score", json=submission())
        client.get("/v1/judgments/no-such-id")
        client.get("/nowhere/near?key=secret")
        client.request("BREW", "/healthz")
        counted = _metrics(client)
    assert counted['judge_server_http_requests_total{"method": "POST", "route": "/v1/score", "status": "200"}'] == 1
    judgment = '{"method": "GET", "route": "/v1/judgments/{judgment_id}", "status": "404"}'
    assert counted[f"judge_server_http_requests_total{judgment}"] == 1
    assert counted['judge_server_http_requests_total{"method": "GET", "route": "unmatched", "status": "404"}'] == 1
    assert counted['judge_server_http_seconds_count{"route": "/v1/score"}'] == 1
    assert not [name for name in counted if "secret" in name or "BREW" in name or "no-such-id" in name]


def test_a_request_that_the_door_refuses_is_counted_by_the_route_that_it_asked_for():
    with served(demanding(key_of()[1], public_metrics=True)) as client:
        client.get("/v1/judgments/no-such-id")
        client.post("/v1/score", json=submission())
        client.get("/v1/nowhere")
        counted = _metrics(client)
    refused = {name.split("total")[1] for name in counted if name.startswith("judge_server_http_requests_total")}
    assert refused == {
        '{"method": "GET", "route": "/v1/judgments/{judgment_id}", "status": "401"}',
        '{"method": "POST", "route": "/v1/score", "status": "401"}',
        '{"method": "GET", "route": "unmatched", "status": "401"}',
    }


def _slowly(body: dict[str, Any]) -> Reply:
    return replace(faithful()(body), delay_seconds=0.05)


def test_calls_of_a_model_are_counted_with_their_wait_and_their_time():
    with judged_by(faithful()) as (client, judge):
        before = _metrics(client)
        judge.behave = _slowly
        client.post("/v1/score", json=submission())
        after = _metrics(client)
    model = judge.specification.split(":", 1)[1].split("@")[0]
    name = f'{{"model": "{model}"}}'
    count, total = f"judge_server_call_seconds_count{name}", f"judge_server_call_seconds_sum{name}"
    assert after[count] - before.get(count, 0) == 2
    assert after[total] - before.get(total, 0) >= 0.1
    waits = [name for name in after if name.startswith("judge_server_call_wait_seconds_count")]
    assert len(waits) == len(Priority)
    assert sum(after[name] for name in waits) == after[count]


def test_a_call_that_failed_is_counted_by_its_cause():
    with judged_by(faithful()) as (client, judge):
        judge.stop()
        assert client.post("/v1/score", json=submission()).status_code == 503
        counted = _metrics(client)
    series = {name: value for name, value in counted.items() if name.startswith("judge_server_call_failures_total")}
    failed = {name: value for name, value in series.items() if value}  # every cause begins at 0
    assert sum(failed.values()) >= 1
    assert all('"type": "judge_unavailable"' in name for name in failed)


def test_rewards_and_verdicts_are_told_by_rubric_but_not_by_names_that_requests_made_up():
    with served(settings_of()) as client:
        client.post("/v1/score", json=submission(rubric="medical/consultation"))
        client.post("/v1/score", json=submission())
        counted = _metrics(client)
    assert counted['judge_server_reward_count{"rubric": "medical/consultation"}'] == 1
    assert counted['judge_server_reward_count{"rubric": "inline"}'] == 1
    assert counted['judge_server_verdict_value_count{"rubric": "medical/consultation", "source": "judge"}'] > 5


def test_the_process_shows_its_memory_and_version():
    with served(settings_of()) as client:
        counted = _metrics(client)
    assert counted["process_resident_memory_bytes{}"] > 1e6
    assert any(name.startswith("judge_server_build_info") for name in counted)
    assert counted["process_start_time_seconds{}"] <= time.time()
