from tests.served import served, settings_of, until
from tests.stub_judge import StubJudge, faithful


def findings(client) -> dict:
    (judge,) = client.get("/v1/judges").json()["judges"]
    return {finding["canary"]: finding["passed"] for finding in judge["canaries"]}


def test_canaries_stand_beside_the_judge_and_in_the_metrics():
    with StubJudge(faithful(0.9)) as judge, served(settings_of(judge.specification, canary="warn")) as client:
        until(lambda: findings(client))
        assert findings(client)["known_bad"] is False
        assert findings(client)["constrained_output"] is True
        assert client.get("/v1/judges").json()["judges"][0]["canaries_at"]
        metrics = client.get("/metrics").text
        assert 'judge_server_canary_failed{canary="known_bad",judge="default"} 1.0' in metrics
        assert 'judge_server_canary_failed{canary="raw_probabilities",judge="default"} 0.0' in metrics
        assert 'judge_server_canary_timestamp_seconds{judge="default"}' in metrics


def test_a_server_without_canaries_asks_its_judge_nothing():
    with StubJudge() as judge, served(settings_of(judge.specification, canary="off")) as client:
        before = judge.calls
        assert findings(client) == {}
        assert judge.calls == before


def test_the_baseline_starts_under_the_strictest_setting():
    with served(settings_of(canary="refuse")) as client:
        assert findings(client)["constrained_output"] is True
