"""A key sees its own judgments, jobs and runs; the scope read_all, and views = shared, see all."""

import pytest

from tests.served import served, until
from tests.server.keys import bearer, demanding, key_of, problem
from tests.submissions import rubric, submission

ONE, FIRST = key_of("one", "score")
TWO, SECOND = key_of("two", "score")
ALL, READER = key_of("reader", "score", "read_all")
ADMIN, ADMINISTRATING = key_of("admin", "admin")
KEYS = (FIRST, SECOND, READER, ADMINISTRATING)


@pytest.fixture(scope="module")
def client():
    with served(demanding(*KEYS)) as opened:
        yield opened


@pytest.fixture(scope="module")
def judgment(client):
    """Of the first caller."""
    item = submission(rubric=rubric(1), run="grpo-7", step=1)
    return client.post("/v1/score", json=item, headers=bearer(ONE)).json()["id"]


@pytest.mark.parametrize(
    ("key", "seen"),
    [(ONE, True), (TWO, False), (ALL, True), (ADMIN, True)],
    ids=["own", "other", "read_all", "admin"],
)
def test_judgments_and_runs_are_shown_to_their_caller_and_to_readers_of_all(client, judgment, key, seen):
    shown = bearer(key)
    listed = client.get("/v1/judgments", headers=shown).json()["judgments"]
    assert (judgment in [one["id"] for one in listed]) == seen
    by_id = client.get(f"/v1/judgments/{judgment}", headers=shown)
    assert by_id.status_code == (200 if seen else 404)
    body = {"judgments": [judgment], "rubric": rubric(3)}
    (rescored,) = client.post("/v1/rescore", json=body, headers=shown).json()["results"]
    assert (rescored["error"] is None) == seen
    assert ("grpo-7" in client.get("/v1/runs", headers=shown).json()["runs"]) == seen
    for path in ("summary", "prompts", "noise"):
        answer = client.get(f"/v1/runs/{path}", params={"run": "grpo-7"}, headers=shown)
        assert answer.status_code == (200 if seen else 404), path


def test_nobody_gives_up_the_pins_of_a_run_that_is_not_his(client, judgment):
    body = {"run": "grpo-7", "reason": "mine now"}
    problem(client.post("/v1/runs/repin", json=body, headers=bearer(TWO)), 404, "unknown_run")
    assert client.post("/v1/runs/repin", json=body, headers=bearer(ONE)).status_code == 200


def test_jobs_are_shown_to_their_caller_and_ended_by_no_other(client):
    body = {"items": [submission(rubric=rubric(1))]}
    job = client.post("/v1/jobs", json=body, headers=bearer(ONE)).json()["id"]
    for path in ("", "/events", "/results"):
        problem(client.get(f"/v1/jobs/{job}{path}", headers=bearer(TWO)), 404, "unknown_job")
    problem(client.delete(f"/v1/jobs/{job}", headers=bearer(TWO)), 404, "unknown_job")
    assert client.get("/v1/jobs", headers=bearer(TWO)).json()["jobs"] == []
    until(lambda: client.get(f"/v1/jobs/{job}", headers=bearer(ONE)).json()["status"] == "done")
    (made,) = client.get(f"/v1/jobs/{job}/results", headers=bearer(ALL)).text.splitlines()
    assert job in [one["id"] for one in client.get("/v1/jobs", headers=bearer(ALL)).json()["jobs"]]
    assert "reward" in made


def test_views_can_be_shared():
    with served(demanding(*KEYS, views="shared")) as client:
        made = client.post("/v1/score", json=submission(rubric=rubric(1)), headers=bearer(ONE)).json()["id"]
        assert client.get(f"/v1/judgments/{made}", headers=bearer(TWO)).status_code == 200


def test_what_a_caller_sent_is_erased_by_its_name():
    with served(demanding(*KEYS)) as client:
        for key in (ONE, TWO):
            client.post("/v1/score", json=submission(rubric=rubric(1)), headers=bearer(key))
        wish = {"caller": "one", "reason": "asked for"}
        assert client.post("/v1/erasures", json=wish, headers=bearer(ADMIN)).json()["judgments"] == 1
        assert len(client.get("/v1/judgments", headers=bearer(ALL)).json()["judgments"]) == 1
