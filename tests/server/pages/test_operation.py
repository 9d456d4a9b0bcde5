"""What an operator sees: jobs with their progress, judges, keys that are made and revoked, settings without secrets."""

import re

import pytest

from tests.served import judged_by, served, settings_of, until
from tests.server.pages.test_pages import Page, sound, token
from tests.stub_judge import faithful, labels, text
from tests.submissions import rubric, submission


@pytest.fixture(scope="module")
def client():
    with judged_by(faithful(0.8)) as (client, _):
        yield client


def job(client, count=2):
    items = [submission(rubric=rubric(), response=f"Answer {n}.") for n in range(count)]
    return client.post("/v1/jobs", json={"items": items}).raise_for_status().json()["id"]


def test_a_job_shows_its_progress_until_it_has_ended(client):
    found = job(client)
    until(lambda: client.get(f"/v1/jobs/{found}").json()["status"] == "done", 120)
    page = sound(client.get(f"/jobs/{found}"))
    assert "2 of 2 judged" in page.text
    assert "Cancel" not in page.text
    assert f"/jobs/{found}" in {one["href"] for one in sound(client.get("/jobs")).all("a")}
    progress = client.get(f"/jobs/{found}", headers={"HX-Request": "true"})
    assert "<html" not in progress.text
    assert "every 2s" not in progress.text
    assert client.get("/jobs", params={"status": "asleep"}).status_code == 422
    assert client.get(f"/jobs/job_{'0' * 24}").status_code == 404


def test_a_job_says_why_items_have_no_reward():
    def behave(body):
        return text("no verdict") if "the odd one" in str(body) else labels(Yes=0.8, No=0.2)

    with judged_by(behave) as (client, _):
        items = [submission(rubric=rubric(), response=said) for said in ("plain", "the odd one")]
        items.append(submission(rubric="no/such", response="of no rubric"))  # nothing is stored of it
        found = client.post("/v1/jobs", json={"items": items}).raise_for_status().json()["id"]
        until(lambda: client.get(f"/v1/jobs/{found}").json()["status"] == "done", 120)
        page = sound(client.get(f"/jobs/{found}"))
        (link,) = (one for one in page.all("a") if one["href"].startswith("/judgments/jdg_"))
        assert link["aria-label"] == "Judgment of item 2"
        assert sound(client.get(link["href"])).text.count("no reward") == 1
    assert "Item 2: unusable verdict: 2 criteria have no verdict" in page.text
    assert "Item 3: unknown rubric: " in page.text
    assert "Item 1" not in page.text


def test_a_job_is_cancelled(client):
    found = job(client, 40)
    answer = client.post(f"/jobs/{found}/cancel", data={"token": token(client, "/keys")})
    assert answer.headers["location"] == f"/jobs/{found}"
    until(lambda: client.get(f"/v1/jobs/{found}").json()["status"] in ("cancelled", "done"), 120)


def test_every_judge_says_what_it_is_and_that_nobody_measured_it(client):
    page = sound(client.get("/judges"))
    assert "default: answers" in page.text
    assert "No certificate" in page.text


def test_every_judge_says_how_long_it_takes_what_it_costs_and_what_it_does_now(client):
    with judged_by(faithful(0.8)) as (own, _):
        assert "It has judged nothing yet." in sound(own.get("/judges")).text
    client.post("/v1/score", json=submission(rubric=rubric())).raise_for_status()
    text = sound(client.get("/judges")).text
    assert re.search(r"Of its newest \d+ judgments half take up to \d+\.\d\d s", text)
    assert "no cost" in text
    assert re.search(r"\d+ calls under way, \d+ waiting", text)


def test_a_key_is_shown_once_and_revoked():
    with judged_by(faithful(0.8), authentication="off") as (client, _):
        form = {"token": token(client, "/keys"), "name": "ward", "scope.score": "yes"}
        made = sound(client.post("/keys", data=form))
        text = re.search(r"jsk_[0-9a-f]{12}_[0-9a-f]{64}", made.text)[0]
        shown = sound(client.get("/keys"))
        assert text not in shown.text
        assert "ward" in shown.text
        key = text.split("_")[1]
        answer = client.post(f"/keys/{key}/revoke", data={"token": form["token"]})
        assert answer.headers["location"] == "/keys"
        assert "was revoked" in sound(client.get("/keys")).text
        assert client.post("/keys", data=form | {"scope.score": "no"}).status_code == 422
        assert client.post("/keys", data=form | {"name": "<b>"}).status_code == 422
        assert client.post("/keys/none/revoke", data={"token": form["token"]}).status_code == 404
        assert client.post("/keys", data=form | {"token": "0"}).status_code == 403


def test_settings_are_shown_without_secrets():
    secret = "s3cret-of-the-webhook"
    settings = settings_of(alarm_webhook_secret=secret, alarm_webhook_url="http://127.0.0.1:9/hook-7f3a9c1b2d")
    with served(settings) as client:
        page = sound(client.get("/settings"))
    assert "default_judge" in page.text
    assert secret not in page.text
    assert "hook-7f3a9c1b2d" not in page.text


def test_every_page_is_in_the_navigation(client):
    links = {one["href"] for one in Page(client.get("/").text).all("a")}
    assert {"/drafts", "/jobs", "/judges", "/keys", "/settings", "/label"} <= links
