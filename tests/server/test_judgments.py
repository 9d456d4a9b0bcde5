"""GET /v1/judgments, GET /v1/judgments/{id} and POST /v1/rescore."""

from datetime import datetime, timedelta

import httpx
import pytest

from tests.served import served, settings_of
from tests.submissions import checking, rubric, submission


@pytest.fixture(scope="module")
def client():
    """A server that has judged three groups of two, and one submission that failed."""
    with served(settings_of()) as open_client:
        items = [
            submission(
                rubric=checking(),
                response=f"emergency number {place}",
                run="grpo-7",
                step=place,
                group=f"g{place // 2}",
                id=f"row-{place}",
            )
            for place in range(6)
        ]
        open_client.post("/v1/score/batch", json={"items": items})
        nothing = checking()
        nothing["criteria"][0]["when"] = {"facts.audience": "nobody"}
        open_client.post("/v1/score/batch", json={"items": [submission(rubric=nothing, group="failed")]})
        yield open_client


def listed(client: httpx.Client, **query) -> list[dict]:
    answer = client.get("/v1/judgments", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["judgments"]


def test_a_judgment_is_read_back_with_what_it_judged(client):
    (one,) = [found for found in listed(client, group="g1") if found["submission"]["id"] == "row-3"]
    whole = client.get(f"/v1/judgments/{one['id']}").json()
    assert whole["reward"] == 1.0
    assert whole["submitted"]["response"] == "emergency number 3"
    assert whole["submitted"]["rubric"]["id"] == "test/word"
    assert {name: whole[name] for name in one} == one


def test_an_unknown_judgment_is_a_404(client):
    answer = client.get("/v1/judgments/jdg_nobody")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:judge-server:error:unknown_judgment"


def test_judgments_are_filtered(client):
    assert len(listed(client)) == 7
    assert len(listed(client, group="g0")) == 2
    assert len(listed(client, rubric="test/word")) == 7
    assert len(listed(client, rubric="test/word@1.0.0")) == 7
    assert listed(client, rubric="test/word@2.0.0") == []
    assert len(listed(client, status="failed")) == 1
    assert listed(client, group="\x00") == []
    digest = listed(client, limit=1)[0]["rubric"]["digest"]
    assert all(one["rubric"]["digest"] == digest for one in listed(client, rubric=digest))


def test_judgments_of_a_run_are_filtered_by_step_reward_and_text(client):
    assert len(listed(client, run="grpo-7")) == 6
    assert [one["submission"]["id"] for one in listed(client, run="grpo-7", step=4)] == ["row-4"]
    assert listed(client, run="grpo-8") == []
    assert listed(client, reward_below=1.0) == []
    assert len(listed(client, reward_below=1.5)) == 6
    assert len(listed(client, reward_from=1.0)) == 6
    assert listed(client, reward_from=1.5) == []
    assert listed(client, policy="nobody") == []
    assert listed(client, flag="injection_suspected") == []
    assert [one["submission"]["step"] for one in listed(client, q="NUMBER 3")] == [3]


def test_a_listing_includes_the_texts_if_they_are_asked_for(client):
    (one,) = listed(client, q="number 3", include="text")
    assert one["submitted"]["response"] == "emergency number 3"
    assert "submitted" not in listed(client, q="number 3")[0]


def test_judgments_are_filtered_by_time(client):
    newest = datetime.fromisoformat(listed(client, limit=1)[0]["created_at"])
    assert len(listed(client, since=newest.isoformat())) == 1
    assert len(listed(client, until=newest.isoformat())) == 6
    assert listed(client, since=(newest + timedelta(seconds=1)).isoformat()) == []


def test_a_cursor_walks_all_pages_once(client):
    seen, cursor = [], None
    while True:
        page = client.get("/v1/judgments", params={"limit": 3} | ({"cursor": cursor} if cursor else {})).json()
        seen += [one["id"] for one in page["judgments"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"cursor": "rubbish"}, "cursor"),
        ({"limit": 0}, "limit"),
        ({"limit": 1_001}, "limit"),
        ({"since": "yesterday"}, "since"),
        ({"since": "2026-01-01T00:00:00"}, "since"),
        ({"status": "fine"}, "status"),
        ({"groop": "g0"}, "groop"),
        ({"step": -1}, "step"),
        ({"reward_below": "nan"}, "reward_below"),
        ({"q": "x"}, "q"),
        ({"include": "everything"}, "include"),
    ],
)
def test_a_filter_that_cannot_be_used_is_named(client, query, named):
    answer = client.get("/v1/judgments", params=query)
    assert answer.status_code == 422
    assert named in answer.json()["detail"]


def test_rescoring_gives_another_reward_from_the_same_verdicts(client):
    ids = [one["id"] for one in listed(client, group="g0")]
    heavier = checking(version="1.1.0", aggregate={"kind": "points", "scale": [0, 10]})
    answer = client.post("/v1/rescore", json={"judgments": ids, "rubric": heavier})
    results = answer.json()["results"]
    assert answer.status_code == 200
    assert [result["judgment"] for result in results] == ids
    assert all(result["rescored"]["reward_before"] == 1.0 for result in results)
    assert all(result["rescored"]["outcome"]["reward"] == 10.0 for result in results)
    assert all(result["rescored"]["difference"] == 9.0 for result in results)


def test_what_cannot_be_rescored_is_typed_and_spoils_nothing(client):
    (one, _) = listed(client, group="g2")
    body = {"judgments": [one["id"], "jdg_nobody"], "rubric": checking()}
    first, second = client.post("/v1/rescore", json=body).json()["results"]
    assert first["rescored"]["difference"] == 0.0
    assert second["error"]["type"] == "unknown_judgment"
    asked_more = client.post("/v1/rescore", json={"judgments": [one["id"]], "rubric": rubric()}).json()["results"]
    assert asked_more[0]["rescored"] is None
    assert "c0" in asked_more[0]["error"]["detail"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"judgments": [], "rubric": "medical/consultation"}, 422),
        ({"judgments": ["jdg_x"], "rubric": "medical/nothing"}, 404),
        ({"judgments": ["jdg_x"]}, 422),
        ({"judgments": ["jdg_x"], "rubric": {"id": "x"}}, 422),
    ],
)
def test_a_rescoring_that_names_nothing_usable_is_refused(client, body, status):
    answer = client.post("/v1/rescore", json=body)
    assert answer.status_code == status
    assert answer.json()["detail"]


def test_what_was_judged_is_read_back_without_the_terms_of_its_request(client):
    terms = {"deadline_seconds": 30, "priority": "training"}
    judged = client.post("/v1/score", json=submission(rubric=checking(), step=4) | terms).json()
    submitted = client.get(f"/v1/judgments/{judged['id']}").json()["submitted"]
    assert submitted["step"] == 4
    assert submitted["response"] == submission()["response"]
    assert terms.keys().isdisjoint(submitted)
