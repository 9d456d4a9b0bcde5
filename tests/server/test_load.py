"""Limits of classes, and what the door says where they are reached, over real HTTP."""

import re

import httpx

from judge_server.core.caller import ClassLimit
from tests.served import HangsUp, judged_by, until
from tests.server.faults import only_for
from tests.stub_judge import Reply
from tests.submissions import rubric, submission
from tests.yardstick import HANG_SECONDS

SLOW = only_for("criterion-", Reply(delay_seconds=HANG_SECONDS))


def gauge(client: httpx.Client, name: str, priority: str) -> float:
    found = re.search(rf'judge_server_class_{name}{{priority="{priority}"}} (\S+)', client.get("/metrics").text)
    assert found is not None, name
    return float(found[1])


def test_a_class_that_is_full_sends_away_and_the_others_do_not():
    limits = {"batch": ClassLimit(submissions=2), "audit": ClassLimit(questions=5)}
    with judged_by(SLOW, class_limits=limits, max_under_way=7, max_questions=50) as (client, _):
        waiting = [
            HangsUp(client, "/v1/score", submission(response=f"Answer {n}.", priority="batch")) for n in range(2)
        ]
        until(lambda: gauge(client, "submissions", "batch") == 2)
        assert gauge(client, "questions", "batch") == 4
        refused = client.post("/v1/score", json=submission(priority="batch"))
        audit = client.post(
            "/v1/score", json=submission(rubric=rubric(*[1] * 9), priority="audit", deadline_seconds=0.2)
        )
        training = client.post("/v1/score", json=submission(priority="training", deadline_seconds=0.2))
        limits_shown = [gauge(client, "submissions_limit", name) for name in ("training", "batch")]
        questions_shown = [gauge(client, "questions_limit", name) for name in ("training", "audit")]
        for one in waiting:
            one.leave()
    assert refused.status_code == 429
    assert refused.json()["priority"] == "batch"
    assert int(refused.headers["retry-after"]) >= 1
    assert {training.status_code, audit.status_code} <= {503, 504}  # let in, and the judge or a busy disk too slow
    assert (limits_shown, questions_shown) == ([7, 2], [50, 5])


def test_questions_fill_a_class_too():
    with judged_by(SLOW, class_limits={"training": ClassLimit(questions=12)}) as (client, _):
        waiting = HangsUp(client, "/v1/score", submission(rubric=rubric(*[1] * 12), priority="training"))
        until(lambda: gauge(client, "questions", "training") == 12)
        refused = client.post("/v1/score", json=submission(priority="training"))
        waiting.leave()
    assert refused.status_code == 429
    assert "questions" in refused.json()["detail"]


def test_a_full_house_takes_jobs_in_all_the_same():
    with judged_by(SLOW, max_under_way=1) as (client, _):
        waiting = HangsUp(client, "/v1/score", submission())
        until(lambda: gauge(client, "submissions", "interactive") == 1)
        assert client.post("/v1/score", json=submission()).status_code == 429
        assert client.post("/v1/jobs", json={"items": [submission()]}).status_code == 202
        waiting.leave()


def test_bodies_that_are_too_much_together_are_sent_away_before_they_are_read():
    """Each takes 53 kB of 200 kB: the first two fit, the third would be more than what is free."""
    with judged_by(SLOW, max_body_bytes=100_000, max_bodies_bytes=200_000) as (client, _):
        body = submission(response=" ".join(f"word{n}" for n in range(6_000)))
        waiting = [HangsUp(client, "/v1/score", body) for _ in range(2)]
        until(lambda: gauge(client, "submissions", "interactive") == 2)
        refused = client.post("/v1/score", json=body)
        assert client.get("/healthz").status_code == 200
        for one in waiting:
            one.leave()
        until(lambda: client.post("/v1/score", json=body | {"deadline_seconds": 0.2}).status_code in {503, 504})
    assert refused.status_code == 429
    assert refused.json()["type"] == "urn:judge-server:error:overloaded"
