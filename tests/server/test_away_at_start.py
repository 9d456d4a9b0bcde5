"""A judge or a database that is away when the server starts is waited for; jobs are taken in meanwhile."""

import asyncio
import socket
import threading
import time

import pytest

from judge_server.core.errors import ModelUnavailable, StoreUnavailable
from judge_server.wiring.service import open_service
from judge_server.wiring.storage import wait_for_database
from tests.postgres import cluster
from tests.served import served, settings_of, until
from tests.server.keys import problem
from tests.stub_judge import StubJudge
from tests.submissions import checking, rubric, submission

QUICK = {"health_seconds": 0.1}
TOLD = submission(rubric=rubric(1))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _away(port: int, **more):
    engine = {"connect_timeout_seconds": 0.5}
    return settings_of(f"openai:stub@http://127.0.0.1:{port}/v1", judge={"engine": engine}, **QUICK, **more)


@pytest.mark.parametrize("canary", ["off", "warn"])
def test_a_judge_that_is_away_at_start_is_waited_for_and_jobs_are_taken_in(canary):
    port = _free_port()
    with served(_away(port, canary=canary, job_attempts=1)) as client:
        unready = problem(client.get("/readyz"), 503, "judge_unavailable")
        assert client.get("/healthz").status_code == 200
        refused = client.post("/v1/score", json=TOLD)
        assert "is waited for" in problem(refused, 503, "judge_unavailable")["remedy"]
        assert "accepts no connection" in unready["detail"]
        assert "Check that the server runs" in unready["remedy"]
        assert int(refused.headers["retry-after"]) >= 1
        (judge,) = client.get("/v1/judges").json()["judges"]
        assert (judge["healthy"], judge["fingerprint"]) == (False, "unknown")
        assert client.get("/").status_code == 200
        assert client.post("/v1/score", json=submission(rubric=checking())).status_code in (200, 503)
        items = [submission(rubric=rubric(1), response=f"Rain falls on hill {n} because air cools.") for n in range(3)]
        job = client.post("/v1/jobs", json={"items": items})
        assert job.status_code == 202, job.text
        assert unready["retry_after_seconds"] >= 1
        with StubJudge(port=port):
            until(lambda: client.get("/readyz").status_code == 200)
            assert client.post("/v1/score", json=TOLD).json()["reward"] is not None
            where = f"/v1/jobs/{job.json()['id']}"
            until(lambda: client.get(where).json()["status"] == "done")
            assert client.get(f"{where}/results").text.count('"status":"ok"') >= 3
            assert client.get("/v1/judges").json()["judges"][0]["fingerprint"] != "unknown"


@pytest.mark.parametrize("more", [{"wait_for_judge": False}, {"canary": "refuse"}], ids=["unwaited", "strict"])
async def test_without_waiting_the_start_ends_with_the_error(more):
    with pytest.raises(ModelUnavailable):
        async with open_service(_away(_free_port(), **more), serving=True):
            pass


@pytest.mark.postgres
def test_a_database_that_is_away_at_start_is_waited_for():
    with cluster() as database:
        url = database.new_database()
        database.stop()

        def later() -> None:
            time.sleep(1.5)
            database.start()

        starting = threading.Thread(target=later)
        starting.start()
        with served(settings_of(database=url)) as client:
            assert client.get("/readyz").status_code == 200
        starting.join()
        database.stop()
        stopped = settings_of(database=url)
        with pytest.raises(StoreUnavailable):
            asyncio.run(wait_for_database(stopped, lambda: True))
        unwaited = settings_of(database=url, wait_for_database_seconds=0)
        with pytest.raises(StoreUnavailable):
            asyncio.run(wait_for_database(unwaited, lambda: False))
