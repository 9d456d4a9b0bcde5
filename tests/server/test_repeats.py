"""A submission that its caller sends again gets the stored judgment, and never that of another text or caller."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.served import judged_by, served, settings_of
from tests.server.keys import bearer, demanding, key_of
from tests.stub_judge import Reply, StubJudge, faithful
from tests.submissions import rubric, submission

NAMED = {"id": "row-17", "rubric": rubric(1)}


@pytest.fixture(scope="module")
def asked():
    with StubJudge() as judge, served(settings_of(judge.specification, cache_entries=0)) as client:
        yield client, judge


def _once(client, **fields):
    return client.post("/v1/score", json=submission(**NAMED | fields)).json()


def _in_a_batch(client, **fields):
    return client.post("/v1/score/batch", json={"items": [submission(**NAMED | fields)]}).json()["results"][0]


@pytest.mark.parametrize("first", [_once, _in_a_batch])
@pytest.mark.parametrize("again", [_once, _in_a_batch])
def test_the_same_id_and_content_get_the_stored_judgment(asked, first, again):
    client, judge = asked
    made = first(client)
    calls = judge.calls
    assert again(client) == made
    assert judge.calls == calls
    listed = client.get("/v1/judgments").json()["judgments"]
    assert [one["id"] for one in listed].count(made["id"]) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"response": "Drink tea instead, and sleep until noon."},
        {"prompt": "Another question?"},
        {"reference": "Another reference."},
        {"facts": {"age": 7}},
        {"rubric": rubric(2)},
        {"run": "grpo-7"},
        {"step": 4},
        {"group": "g"},
        {"policy": "p"},
        {"explain": True},
        {"id": None},
    ],
    ids=lambda other: next(iter(other)),
)
def test_anything_else_under_the_same_id_is_judged(asked, other):
    client, _ = asked
    made = _once(client)
    assert _once(client, **other)["id"] != made["id"]
    assert _once(client)["id"] == made["id"]


def test_an_id_of_another_caller_is_another_submission():
    (one, first), (two, second) = key_of("one", "score"), key_of("two", "score")
    with served(demanding(first, second)) as client:
        made = [client.post("/v1/score", json=submission(**NAMED), headers=bearer(key)).json() for key in (one, two)]
    assert made[0]["id"] != made[1]["id"]


def test_a_null_is_not_repeated():
    down = [False]
    with judged_by(lambda body: Reply(500) if down[0] else faithful()(body)) as (client, _):
        down[0] = True
        assert _once(client).get("judgment", {}).get("reward") is None
        down[0] = False
        assert _once(client)["reward"] is not None


def test_requests_at_the_same_moment_get_one_judgment():
    slow = faithful()

    def behave(body):
        return Reply(body=slow(body).body, delay_seconds=0.2)

    with judged_by(behave) as (client, _), ThreadPoolExecutor(6) as threads:
        made = list(threads.map(lambda _: _once(client), range(6)))
        assert len({one["id"] for one in made}) == 1
        assert len({one["created_at"] for one in made}) == 1
        assert len(client.get("/v1/judgments").json()["judgments"]) == 1
