"""Durable jobs over HTTP."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from judge_server.core.caller import Caller, current_caller
from judge_server.core.errors import AllowanceSpent
from judge_server.core.job import Job, JobStatus, JobTerms
from judge_server.server.job_events import JobEvents
from tests.served import judged_by, served, settings_of, until
from tests.server.keys import bearer, demanding, key_of
from tests.stub_judge import Reply, faithful
from tests.submissions import rubric, submission


def sent(count):
    return [submission(response=f"Answer {number}: call for help now.", id=number) for number in range(count)]


def never(body):
    return Reply(delay_seconds=60)


def ended(client, job_id):
    until(lambda: client.get(f"/v1/jobs/{job_id}").json()["status"] in ("done", "cancelled"))
    return client.get(f"/v1/jobs/{job_id}").json()


def lines(response):
    return [json.loads(line) for line in response.text.splitlines()]


def test_a_job_is_accepted_judged_and_read_back_in_order(client):
    begun = client.post("/v1/jobs", json={"items": sent(12)})
    assert begun.status_code == 202
    assert begun.headers["location"] == f"/v1/jobs/{begun.json()['id']}"
    done = ended(client, begun.json()["id"])
    assert (done["status"], done["total"], done["ok"]) == ("done", 12, 12)
    results = client.get(f"/v1/jobs/{done['id']}/results")
    assert results.headers["x-job-status"] == "done"
    assert [one["index"] for one in lines(results)] == list(range(12))
    assert [one["submission"]["id"] for one in lines(results)] == [str(number) for number in range(12)]
    assert [one["index"] for one in lines(client.get(f"/v1/jobs/{done['id']}/results?after=9"))] == [10, 11]


def test_an_upload_of_lines_is_a_job_with_its_wishes_in_the_query(client):
    plain = [submission(rubric=None, response=f"Call now, {number}.") for number in range(5)]
    body = "\n\n".join(json.dumps(one) for one in plain)
    begun = client.post(
        "/v1/jobs",
        params={"rubric": "medical/consultation", "priority": "audit"},
        content=body,
        headers={"content-type": "application/jsonl"},
    )
    assert begun.status_code == 202, begun.text
    assert begun.json()["terms"]["rubric"].startswith("medical/consultation@")
    assert begun.json()["terms"]["priority"] == "audit"
    assert ended(client, begun.json()["id"])["total"] == 5


def test_a_job_that_names_no_deadline_waits_for_its_judge_as_long_as_it_takes():
    def late(body):
        return replace(faithful()(body), delay_seconds=0.4)

    with judged_by(faithful(), default_deadline_seconds=0.2, job_attempts=1) as (client, judge):
        judge.behave = late
        assert client.post("/v1/score", json=submission()).status_code in {503, 504}
        patient = client.post("/v1/jobs", json={"items": sent(3)}).json()
        hurried = client.post("/v1/jobs", json={"items": sent(3), "deadline_seconds": 0.2}).json()
        assert patient["terms"]["deadline_seconds"] is None
        assert ended(client, patient["id"])["ok"] == 3
        assert hurried["terms"]["deadline_seconds"] == 0.2


def test_one_bad_item_is_a_typed_failure_among_the_results(client):
    begun = client.post("/v1/jobs", json={"items": [*sent(1), {"prompt": "x"}, 7], "rubric": rubric()})
    done = ended(client, begun.json()["id"])
    assert (done["ok"], done["failed"]) == (1, 2)
    found = lines(client.get(f"/v1/jobs/{done['id']}/results"))
    assert [one["reward"] is None for one in found] == [False, True, True]
    assert [one["error"] and one["error"]["type"] for one in found] == [None, "bad_submission", "bad_submission"]


def test_the_same_idempotency_key_is_the_same_job(client):
    keyed = {"Idempotency-Key": "run-7"}
    first = client.post("/v1/jobs", json={"items": sent(2)}, headers=keyed)
    again = client.post("/v1/jobs", json={"items": sent(2)}, headers=keyed)
    assert again.status_code == 202
    assert again.json()["id"] == first.json()["id"]
    other = client.post("/v1/jobs", json={"items": sent(3)}, headers=keyed)
    assert other.status_code == 409
    assert other.json()["type"] == "urn:judge-server:error:job_conflict"
    assert other.json()["job"] == first.json()["id"]


def test_an_idempotency_key_is_its_callers_own():
    (one, first), (two, second) = key_of("one"), key_of("two")
    with served(demanding(first, second)) as client:
        answers = [
            client.post("/v1/jobs", json={"items": sent(2)}, headers=bearer(text) | {"Idempotency-Key": "nightly"})
            for text in (one, two, one)
        ]
    assert [answer.status_code for answer in answers] == [202, 202, 202]
    ids = [answer.json()["id"] for answer in answers]
    assert ids[0] == ids[2] != ids[1]


@pytest.mark.parametrize(
    ("content", "kind", "status", "says"),
    [
        (b'{"items": []}', "application/json", 422, "empty"),
        (b'{"items": 3}', "application/json", 422, "items"),
        (b'{"items": [NaN]}', "application/json", 422, "NaN"),
        (b"", "application/jsonl", 422, "empty"),
        (b'{"prompt": "a"}\nnonsense\n', "application/jsonl", 422, "line 2"),
        (b'{"prompt": "a"}\n[1]\n', "application/jsonl", 422, "line 2"),
        (b'{"prompt": "\xff"}\n', "application/jsonl", 422, "UTF-8"),
        (b'{"items": [1], "priority": "soon"}', "application/json", 422, "priority"),
        (b'{"items": [1], "rubric": "no/such"}', "application/json", 404, "no/such"),
        (b'{"items": [1], "judge": "nobody"}', "application/json", 404, "nobody"),
    ],
)
def test_what_cannot_be_a_job_is_refused_whole(client, content, kind, status, says):
    before = client.get("/v1/jobs").json()["jobs"]
    refused = client.post("/v1/jobs", content=content, headers={"content-type": kind})
    assert refused.status_code == status
    assert says in refused.text
    assert client.get("/v1/jobs").json()["jobs"] == before


def test_limits_hold_while_the_upload_comes_in():
    settings = settings_of(max_job_bytes=5_000, max_body_bytes=2_000, max_job_items=20)
    kind = {"content-type": "application/x-ndjson"}
    with served(settings) as client:
        endless = (b'{"a": 1}\n' * 100 for _ in range(100))
        assert client.post("/v1/jobs", content=endless, headers=kind).status_code == 413
        assert client.post("/v1/jobs", content=b'{"a": "' + b"x" * 3_000, headers=kind).status_code == 413
        refused = client.post("/v1/jobs", content=b"{}\n" * 21, headers=kind)
        assert refused.status_code == 413
        assert refused.json()["max_items"] == 20
        assert client.get("/v1/jobs").json()["jobs"] == []


def test_events_follow_a_job_to_its_end(client):
    begun = client.post("/v1/jobs", json={"items": sent(3)}).json()
    with client.stream("GET", f"/v1/jobs/{begun['id']}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        text = "".join(stream.iter_text())
    last = text.strip().split("\n\n")[-1].splitlines()
    assert last[0] == "event: end"
    assert json.loads(last[1].removeprefix("data: "))["ok"] == 3


def test_a_caller_has_so_many_event_streams_and_others_have_theirs():
    job = Job(id="job_" + "0" * 24, status=JobStatus.RUNNING, created_at=datetime.now(UTC), terms=JobTerms(caller="a"))

    async def found(ids: Sequence[str]) -> dict[str, Job]:
        return {job.id: job.model_copy(update={"ok": 1, "status": JobStatus.DONE})} if ids else {}

    async def run() -> list[str]:
        events = JobEvents(found, most_streams=2)
        open_ones = [events.follow(job) for _ in range(2)]
        for stream in open_ones:
            assert (await anext(stream)).startswith("event: progress")
        with pytest.raises(AllowanceSpent, match="2 event streams"):
            events.require_room()
        before = current_caller.set(Caller("another", frozenset({"score"})))
        events.require_room()
        current_caller.reset(before)
        told = [await anext(stream) for stream in open_ones]
        for stream in open_ones:
            assert [event async for event in stream] == []
        events.require_room()
        return told

    assert all(event.startswith("event: end") for event in asyncio.run(run()))


def test_a_job_can_be_cancelled_and_stays_so():
    with judged_by(faithful()) as (client, judge):
        judge.behave = never
        started = judge.calls
        begun = client.post("/v1/jobs", json={"items": sent(5)}).json()
        until(lambda: judge.calls > started)
        assert client.delete(f"/v1/jobs/{begun['id']}").json()["status"] == "cancelled"
        assert client.delete(f"/v1/jobs/{begun['id']}").json()["status"] == "cancelled"
        until(lambda: judge.disconnects == judge.calls - started)
        assert lines(client.get(f"/v1/jobs/{begun['id']}/results")) == []


@pytest.mark.parametrize("path", ["", "/events", "/results"])
@pytest.mark.parametrize("job_id", ["job_" + "0" * 24, "..%2f..%2fetc", "job_1"])
def test_an_unknown_job_is_told_so(client, job_id, path):
    answer = client.get(f"/v1/jobs/{job_id}{path}")
    assert answer.status_code in (404, 422)
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_job_outlives_the_server_that_took_it_in(tmp_path):
    database = f"sqlite:///{tmp_path / 'judge.db'}"
    with judged_by(faithful(), database=database, job_lease_seconds=0.5) as (client, judge):
        judge.behave = never
        begun = client.post("/v1/jobs", json={"items": sent(6)}).json()
        assert client.get(f"/v1/jobs/{begun['id']}").json()["ok"] == 0
    with judged_by(faithful(), database=database, job_lease_seconds=0.5) as (client, _):
        assert ended(client, begun["id"])["ok"] == 6
