"""Readiness is true: it fails while the store, its disk or the judge cannot do their work, and recovers by itself."""

import sqlite3
import threading
from collections.abc import Callable

import httpx
import psycopg
import pytest

from tests.served import served, settings_of, until
from tests.server.keys import bearer, demanding, key_of, problem
from tests.stub_judge import Behaviour, Reply, StubJudge, faithful, text
from tests.submissions import rubric, submission

QUICK = {"health_seconds": 0.1}
SCORE, SCORING = key_of("trainer", "score")
SCRAPE, SCRAPING = key_of("prometheus", "metrics")


def _becomes(client: httpx.Client, status: int) -> httpx.Response:
    until(lambda: client.get("/readyz").status_code == status)
    return client.get("/readyz")


class _Switch:
    """A judge whose behaviour can be changed while it serves."""

    def __init__(self) -> None:
        self.now: Behaviour = faithful()

    def __call__(self, body):
        return self.now(body)


def test_a_store_that_takes_no_write_makes_the_server_unready_and_its_return_ready(tmp_path):
    file = tmp_path / "judge.db"
    with served(settings_of(database=f"sqlite:///{file}", **QUICK)) as client:
        assert client.get("/readyz").status_code == 200
        lock = sqlite3.connect(file, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        unready = _becomes(client, 503)
        assert unready.json()["type"] == "urn:judge-server:error:store_unavailable"
        assert "takes no write within" in unready.json()["detail"]
        assert int(unready.headers["retry-after"]) >= 5
        assert client.get("/healthz").status_code == 200
        lock.execute("ROLLBACK")
        lock.close()
        assert _becomes(client, 200).json()["status"] == "ready"


@pytest.mark.postgres
def test_a_locked_table_of_judgments_makes_the_server_unready(postgres):
    postgres_url = postgres.new_database()
    with served(settings_of(database=postgres_url, **QUICK)) as client:
        assert client.get("/readyz").status_code == 200
        with psycopg.connect(postgres_url) as other:
            other.execute("LOCK TABLE judgment IN ACCESS EXCLUSIVE MODE")
            problem(_becomes(client, 503), 503, "store_unavailable")
            other.rollback()
        assert _becomes(client, 200)


def test_a_disk_without_room_makes_the_server_unready(tmp_path):
    with served(settings_of(database=f"sqlite:///{tmp_path}/judge.db", least_free_mebibytes=1e12, **QUICK)) as client:
        unready = problem(client.get("/readyz"), 503, "store_unavailable")
        assert "MiB left" in unready["detail"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_judge_that_refuses_every_call_makes_the_server_unready_at_once_and_is_asked_again(status):
    switch = _Switch()
    with StubJudge(switch) as judge, served(settings_of(judge.specification, **QUICK)) as client:
        assert client.get("/readyz").status_code == 200
        switch.now = lambda _: Reply(status)
        answer = client.post("/v1/score", json=submission(rubric=rubric(1)))
        refused = problem(answer, 503, "judge_refused")
        assert "retry-after" not in answer.headers, "waiting does not help"
        assert str(status) in refused["detail"]
        unready = _becomes(client, 503)
        problem(unready, 503, "judge_refused")
        assert "retry-after" not in unready.headers
        assert client.get("/healthz").status_code == 200
        switch.now = faithful()
        assert _becomes(client, 200), "without any traffic"


def test_nothing_but_nulls_for_a_while_makes_the_server_unready_until_its_own_question_is_answered():
    switch = _Switch()
    with (
        StubJudge(switch) as judge,
        served(settings_of(judge.specification, unready_after_null_seconds=0.3, **QUICK)) as client,
    ):
        switch.now = lambda _: text("certainly")
        for _ in range(2):
            assert client.post("/v1/score", json=submission(rubric=rubric(1))).status_code == 502
        unready = problem(_becomes(client, 503), 503, "judge_unavailable")
        assert "gives no verdict" in unready["detail"]
        switch.now = faithful()
        assert _becomes(client, 200)


def test_nulls_of_one_caller_make_no_server_unready():
    switch = _Switch()
    with (
        StubJudge(switch) as judge,
        served(settings_of(judge.specification, unready_after_null_seconds=0.05, **QUICK)) as client,
    ):
        garbled = faithful()
        switch.now = lambda body: text("hm") if "zebra" in str(body) else garbled(body)
        calls = judge.calls
        for number in range(4):
            client.post("/v1/score", json=submission(rubric=rubric(1), response=f"A zebra {number} said this."))
            client.get("/readyz")
        until(lambda: any("Paris" in str(body) for body in judge.bodies[calls:]))
        assert client.get("/readyz").status_code == 200


def test_without_a_key_readiness_tells_neither_address_nor_database(tmp_path):
    file = tmp_path / "secret-place.db"
    switch = _Switch()
    with (
        StubJudge(switch) as judge,
        served(demanding(SCORING, model=judge.specification, database=f"sqlite:///{file}", **QUICK)) as client,
    ):
        assert client.get("/readyz").json() == {"status": "ready"}
        assert judge.address in client.get("/readyz", headers=bearer(SCORE)).json()["model"]
        assert client.get("/readyz", headers=bearer("jsk_nonsense")).json() == {"status": "ready"}
        lock = sqlite3.connect(file, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        untold = problem(_becomes(client, 503), 503, "store_unavailable")
        assert "write" not in untold["detail"]
        assert "secret-place" not in str(untold)
        assert "write" in client.get("/readyz", headers=bearer(SCORE)).json()["detail"]
        lock.close()


def _within(seconds: float, ask: Callable[[], httpx.Response]) -> httpx.Response:
    found: list[httpx.Response] = []
    thread = threading.Thread(target=lambda: found.append(ask()), daemon=True)
    thread.start()
    thread.join(seconds)
    assert found, f"no answer within {seconds} s"
    return found[0]


@pytest.mark.postgres
def test_metrics_answer_a_stored_key_while_the_database_hangs(postgres):
    postgres_url = postgres.new_database()
    with served(demanding(SCORING, SCRAPING, database=postgres_url, **QUICK)) as client:
        assert client.get("/metrics", headers=bearer(SCRAPE)).status_code == 200
        problem(client.get("/metrics", headers=bearer(SCORE)), 403, "forbidden")
        problem(client.get("/v1/judgments", headers=bearer(SCRAPE)), 403, "forbidden")
        with psycopg.connect(postgres_url) as other:
            other.execute("LOCK TABLE api_key, judgment IN ACCESS EXCLUSIVE MODE")
            _becomes(client, 503)
            answer = _within(3, lambda: client.get("/metrics", headers=bearer(SCRAPE)))
            assert answer.status_code == 200
            other.rollback()
