"""The judge is replaced by another model behind the same address while the server runs on."""

import pytest

from tests.served import served, settings_of, until
from tests.stub_judge import StubJudge, faithful
from tests.submissions import rubric, submission

RUN = "night-9"
RUBRIC = "t/kind"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "kind.yaml").write_text(
        "id: t/kind\nversion: 1.0.0\ntitle: t\ncriteria: [{id: kind, statement: Is kind., points: 1}]\n"
    )
    return tmp_path


def asked(number, **other):
    return submission(rubric=RUBRIC, response=f"Kind text {number}.", run=RUN, step=number) | other


def test_a_run_stops_when_another_model_answers_and_everything_says_so(folder):
    with StubJudge(faithful(0.8)) as judge:
        settings = settings_of(judge.specification, canary="warn", rubrics=(folder,), recognition_seconds=0.2)
        with served(settings) as client:
            first = client.post("/v1/score", json=asked(1)).json()
            assert first["reward"] == pytest.approx(0.8)
            judge.behave = faithful(0.3)
            client.post("/v1/score", json=asked(2))  # in doubt: it may come from either model
            until(lambda: client.get("/readyz").json()["judge_changes"])

            refused = client.post("/v1/score", json=asked(3))
            assert refused.status_code == 409
            assert refused.json()["type"] == "urn:judge-server:error:reward_changed"
            assert "another model answers since" in client.get("/readyz").json()["judge_changes"][0]
            assert 'judge_server_judge_changes_total{model="stub"} 1.0' in client.get("/metrics").text
            (alarm,) = client.get("/v1/monitor/alarms").json()["alarms"]
            assert alarm["finding"]["monitor"] == "judge_changed"
            listed = client.get("/v1/judges").json()["judges"][0]
            assert listed["fingerprint"] != first["judge"]["fingerprint"]

            until(lambda: client.get("/v1/runs/summary", params={"run": RUN}).json()["changes"])
            (doubted,) = client.get("/v1/runs/summary", params={"run": RUN}).json()["changes"]
            assert doubted["act"] == "doubted"
            assert doubted["before"] == first["judge"]["fingerprint"]
            assert "up to step 2" in doubted["reason"]

            warned = client.post("/v1/score", json=asked(2, on_change="warn", run="other")).json()
            assert warned["reward"] == pytest.approx(0.3), "what was remembered of the time in doubt is dropped"

            judge.behave = faithful(0.8)
            until(lambda: not client.get("/readyz").json()["judge_changes"])
            assert client.post("/v1/score", json=asked(4)).json()["reward"] == pytest.approx(0.8)
            assert client.post("/v1/score", json=asked(2)).json()["reward"] == pytest.approx(0.8)


def test_after_a_restart_of_the_judge_at_its_address_no_reward_is_another_models(folder):
    with (
        StubJudge(faithful(0.8)) as judge,
        served(settings_of(judge.specification, canary="warn", rubrics=(folder,), recognition_seconds=0)) as client,
    ):
        assert client.post("/v1/score", json=asked(1)).json()["reward"] == pytest.approx(0.8)
        judge.stop()
        with StubJudge(faithful(0.3), port=judge.port):
            failed = client.post("/v1/score", json=asked(2))
            assert failed.status_code == 503
            assert failed.json()["judgment"]["error"]["type"] == "judge_changed"
            assert client.post("/v1/score", json=asked(3)).status_code == 409


def test_with_canaries_off_nothing_is_asked_and_the_page_says_that_nothing_is_noticed():
    with StubJudge() as judge, served(settings_of(judge.specification)) as client:
        before = judge.calls
        client.post("/v1/score", json=submission(rubric=rubric()))
        assert client.get("/readyz").json()["judge_changes"] == []
        assert judge.calls - before <= 4
