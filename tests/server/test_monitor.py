"""GET /v1/monitor/…: findings, alarms, and the gauges of both."""

import asyncio
import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from judge_server.core.errors import BadConfiguration
from judge_server.core.judge import JudgeSpecification
from judge_server.core.monitor import MonitorLimits
from judge_server.monitoring.survey import MONITORS
from judge_server.server.app import create_app
from judge_server.settings.settings import Settings
from judge_server.store import Store
from tests.monitoring.simulated import RUBRIC, Run
from tests.served import served, settings_of, until
from tests.stub_judge import StubJudge, faithful
from tests.yardstick import PATIENCE_SECONDS

LIMITS = MonitorLimits(window=400, horizon_seconds=3_600)


def judged(path, bias):
    """A database of a run that has just ended."""

    async def keep():
        run = Run(21, bias, groups=120, begin=datetime.now(UTC) - timedelta(seconds=970))
        store = await Store.open(url)
        await store.save_many([(one.judgment, one.submission, RUBRIC) for one in run.rollouts()])
        await store.close()

    url = f"sqlite:///{path}"
    asyncio.run(keep())
    return url


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """A server that has looked at a run which drifted into repetition."""
    url = judged(tmp_path_factory.mktemp("monitor") / "judge.db", "repetition")
    with served(settings_of(database=url, monitor=LIMITS, monitor_seconds=0.3)) as client:
        until(lambda: client.get("/v1/monitor/alarms").json()["alarms"])
        until(lambda: "judge_server_alarm{" in client.get("/metrics").text)
        yield client


def test_the_findings_of_every_monitor_are_listed(watched):
    findings = watched.get("/v1/monitor/findings").json()["findings"]
    assert {one["monitor"] for one in findings} == set(MONITORS)
    assert {one["state"] for one in findings if one["monitor"].startswith("audit")} == {"not_enough_evidence"}


@pytest.mark.parametrize(
    ("query", "found"),
    [("state=alarm", 1), ("monitor=flags", 1), ("rubric=other", 0), ("judge=trainer&state=alarm", 1), ("policy=p", 0)],
)
def test_findings_can_be_chosen(watched, query, found):
    assert len(watched.get(f"/v1/monitor/findings?{query}").json()["findings"]) == found


def test_an_alarm_is_raised_once(watched):
    (alarm,) = watched.get("/v1/monitor/alarms?raised=true").json()["alarms"]
    assert (alarm["finding"]["monitor"], alarm["finding"]["subject"]) == ("flags", "repetition")
    (transition,) = watched.get("/v1/monitor/transitions").json()["transitions"]
    assert transition["raised"]
    assert watched.get("/v1/monitor/alarms?raised=false").json() == {"alarms": []}


def test_alarms_are_gauges_and_no_request_names_a_label(watched):
    lines = watched.get("/metrics").text.splitlines()
    assert 'judge_server_alarm{monitor="flags",rubric="inline"} 1.0' in lines
    assert 'judge_server_alarm{monitor="vocabulary",rubric="inline"} 0.0' in lines
    assert any(line.startswith('judge_server_monitor_value{judge="trainer",monitor="flags",rubric=') for line in lines)
    assert RUBRIC.id not in "\n".join(lines)


@pytest.mark.parametrize("query", ["state=bad", "monitor=none", "surprise=1"])
def test_what_cannot_be_asked_is_refused(watched, query):
    assert watched.get(f"/v1/monitor/findings?{query}").status_code == 422


def test_without_monitor_seconds_the_server_looks_when_asked_only(tmp_path):
    url = judged(tmp_path / "judge.db", "repetition")
    with served(settings_of(database=url, monitor=LIMITS, monitor_seconds=0)) as client:
        assert len(client.get("/v1/monitor/findings?state=alarm").json()["findings"]) == 1
        assert client.get("/v1/monitor/alarms").json() == {"alarms": []}


def test_a_new_server_has_nothing_to_say():
    with served(settings_of()) as client:
        assert client.get("/v1/monitor/findings").json() == {"findings": []}
        assert client.get("/v1/monitor/transitions").json() == {"transitions": []}


@contextmanager
def receiver():
    """A webhook's other end: its address, and what it was sent."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((dict(self.headers), json.loads(body)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", received
        server.shutdown()
        thread.join(PATIENCE_SECONDS)


def test_the_webhook_of_the_settings_is_told_of_an_alarm(tmp_path):
    url = judged(tmp_path / "judge.db", "repetition")
    with receiver() as (address, received):
        settings = settings_of(
            database=url,
            monitor=LIMITS,
            monitor_seconds=0.3,
            alarm_webhook_url=address,
            alarm_webhook_secret="a secret of the operator",
        )
        with served(settings) as client:
            until(lambda: received)
            ((headers, told),) = received
            assert told["id"] == client.get("/v1/monitor/transitions").json()["transitions"][0]["id"]
    assert told["finding"]["subject"] == "repetition"
    assert headers["X-Judge-Server-Signature"].startswith("t=")


def with_audits(**more):
    judges = {name: JudgeSpecification(name=name, model="baseline", votes=votes) for votes, name in enumerate("ab", 1)}
    return Settings(judges=judges, database_url="sqlite://", log_level="error", default_judge="a", **more)


def test_a_random_sample_is_judged_once_more_by_the_audit_judge():
    with served(with_audits(audit_judge="b", audit_share=1.0)) as client:
        body = {"rubric": "medical/consultation", "prompt": "My head aches.", "response": "Rest, and drink water."}
        assert client.post("/v1/score", json=body).status_code == 200
        until(lambda: client.get("/v1/judgments?judge=b").json()["judgments"])
        assert len(client.get("/v1/judgments?judge=a").json()["judgments"]) == 1


async def test_an_audit_judge_that_is_not_configured_is_refused_at_start():
    app = create_app(with_audits(audit_judge="c"))
    with pytest.raises(BadConfiguration, match="audit_judge: 'c'"):
        async with app.router.lifespan_context(app):
            pass


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
