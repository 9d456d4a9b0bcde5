"""Another key's data stays invisible: every page is asked with one key for what another one has made."""

import asyncio
import re

import pytest
from fastapi.routing import APIRoute

from judge_server.core.monitor import MonitorFinding, Series
from judge_server.server.app import create_app
from judge_server.server.middleware.session import is_page
from judge_server.store import Store
from tests.served import served, settings_of
from tests.server.keys import bearer, demanding, key_of
from tests.submissions import rubric, submission

SECRET = "zqxj7secret"  # in every text of the first key
COMMON = {  # what all keys of a scope share, each with the reason
    "/signin": "public",
    "/signout": "of the own session",
    "/rubrics": "published rubrics are for everybody",
    "/rubrics/diff": "published rubrics are for everybody",
    "/rubrics/{name:path}": "published rubrics are for everybody",
    "/judges": "of the server",
    "/keys": "needs admin",
    "/keys/{key_id}/revoke": "needs admin",
    "/settings": "needs admin",
    "/calibrations": "label sets and what is measured on them are shared by those who write rubrics",
    "/calibrations/compare": "likewise",
    "/calibrations/{calibration_id}": "likewise",
    "/calibrations/{calibration_id}/certificate": "likewise",
    "/calibrations/{calibration_id}/items": "likewise",
    "/calibrations/{calibration_id}/wording": "likewise",
    "/calibrations/improve": "likewise",
    "/calibrations/improve/{improvement_id}": "likewise",
    "/calibrations/improve/{improvement_id}/cancel": "likewise",
    "/calibrations/improve/{improvement_id}/draft": "likewise; the draft is of the key that asks for it",
    "/label": "needs label, which shows responses of all callers",
    "/label/import": "needs label",
    "/label/item": "needs label",
    "/label/show": "needs label",
    "/label/export": "needs label",
}
LISTED = ("/", "/try", "/judgments", "/groups", "/runs", "/runs/one", "/jobs", "/drafts")


def page_routes():
    for route in create_app(settings_of()).routes:
        if isinstance(route, APIRoute) and is_page(route.path):
            yield from ((method, route.path) for method in sorted(route.methods))


@pytest.fixture(scope="module")
def keys():
    return [key_of(name, "score", "author") for name in ("ann", "bob")]


@pytest.fixture(scope="module")
def client(keys):
    with served(demanding(*(key for _, key in keys))) as opened:
        yield opened


@pytest.fixture(scope="module")
def ann(keys):
    return bearer(keys[0][0])


@pytest.fixture(scope="module")
def bob(keys):
    return bearer(keys[1][0])


def token(client, headers, path="/try"):
    return re.search(r'name="token" value="([0-9a-f]+)"', client.get(path, headers=headers).text)[1]


@pytest.fixture(scope="module")
def made(client, ann):
    """What ann has: a judgment of a group in a run, a job, a draft with a sample. By the name in a route."""
    one = submission(rubric=rubric(), response=f"{SECRET} response", group=f"{SECRET}g", run=f"{SECRET}r", step=1)
    judged = client.post("/v1/score", json=one, headers=ann).raise_for_status().json()
    job = client.post("/v1/jobs", json={"items": [one]}, headers=ann).raise_for_status().json()
    form = {"token": token(client, ann)}
    begun = client.post("/drafts", data=form | {"id": f"own/{SECRET}", "base": ""}, headers=ann)
    assert begun.status_code == 303, begun.text
    draft = begun.headers["location"].rpartition("/")[2]
    sample = {"act": "add", "prompt": f"{SECRET} prompt", "response": f"{SECRET} sample", "reference": ""}
    client.post(f"/drafts/{draft}/samples", data=form | sample, headers=ann)
    return {"judgment_id": judged["id"], "job_id": job["id"], "draft_id": draft}


def state(client, headers, made):
    """What ann sees of her things: whether they are there, and how often her texts stand on their pages."""
    paths = (f"/drafts/{made['draft_id']}", f"/judgments/{made['judgment_id']}", f"/jobs/{made['job_id']}", "/drafts")
    answers = [client.get(path, headers=headers) for path in paths]
    return [(answer.status_code, answer.text.count(SECRET)) for answer in answers]


def test_every_page_route_is_of_one_key_or_shared_for_a_reason():
    paths = {path for _, path in page_routes()}
    assert set(COMMON) <= paths
    named = {path for path in paths if re.search(r"{(judgment|job|draft)_id}", path)}
    assert paths - set(COMMON) == named | set(LISTED)


def test_ann_sees_her_own(client, ann, made):
    for path in (f"/judgments/{made['judgment_id']}", f"/drafts/{made['draft_id']}", "/drafts", "/judgments", "/runs"):
        answer = client.get(path, headers=ann)
        assert answer.status_code == 200, path
        assert SECRET in answer.text, path


def asked_by_another(client, bob, made, method, route):
    """What is wrong with the answer to a key for an id or a name of another key, in words."""
    address = re.sub(r"{(\w+)(?::path)?}", lambda found: made.get(found[1], "x"), route)
    own = {"run": f"{SECRET}r", "group": f"{SECRET}g", "step": "1", "q": "secret", "again": made["judgment_id"]}
    asked = own if method == "GET" and route not in COMMON else {}
    form = {"token": token(client, bob), "act": "form", "text": "id: own/other", "note": "n", "sure": "yes"}
    sent = {"params": asked} if method == "GET" else {"data": form | {"again": made["judgment_id"]}}
    answer = client.request(method, address, headers=bob, **sent)
    shown = answer.text
    for text in asked.values():  # a form repeats what its URL asks for
        shown = shown.replace(text, "")
    if answer.status_code >= 500 or SECRET in shown:
        yield f"{method} {route}: {answer.status_code}, or a text of the other key"
    if any(found in shown.replace(address, "") for found in made.values()):
        yield f"{method} {route}: an id of the other key"
    if any(f"{{{name}}}" in route for name in made) and answer.status_code != 404:
        yield f"{method} {route}: {answer.status_code} instead of 404"


def test_no_page_shows_or_changes_what_another_key_has(client, ann, bob, made):
    before = state(client, ann, made)
    assert all(status == 200 for status, _ in before)
    every = sorted({*page_routes()} - {("POST", "/signin"), ("POST", "/signout")})
    assert [wrong for route in every for wrong in asked_by_another(client, bob, made, *route)] == []
    assert state(client, ann, made) == before


def test_routes_of_programs_hide_them_as_well(client, bob, made):
    for path in ("/v1/judgments", "/v1/jobs", "/v1/runs"):
        assert SECRET not in client.get(path, headers=bob).text, path
    for path in (f"/v1/judgments/{made['judgment_id']}", f"/v1/jobs/{made['job_id']}"):
        assert client.get(path, headers=bob).status_code == 404


def test_a_rubric_published_from_a_draft_does_not_show_its_samples(client, ann, bob, made):
    form = {"token": token(client, ann)}
    done = client.post(f"/drafts/{made['draft_id']}/publish", data=form | {"note": "first", "sure": "yes"}, headers=ann)
    assert done.status_code == 303, done.text
    begun = client.post("/drafts", data={"token": token(client, bob), "base": f"own/{SECRET}", "id": ""}, headers=bob)
    text = client.get(begun.headers["location"], headers=bob).text
    assert f"{SECRET} sample" not in text
    assert f"{SECRET} prompt" not in text


def test_of_a_run_that_two_keys_share_each_sees_its_own(client, ann, bob):
    for headers, mark, count in ((ann, SECRET, 3), (bob, "plain", 2)):
        for number in range(count):
            place = {"run": "common", "group": "g", "step": 1, "policy": f"{mark}-policy"}
            one = submission(rubric=rubric(), prompt=f"{mark} prompt", response=f"{mark} {number}", **place)
            client.post("/v1/score", json=one, headers=headers).raise_for_status()
    summary = client.get("/v1/runs/summary", params={"run": "common"}, headers=bob).json()
    assert [one["judgments"] for one in summary["sources"]] == [2]
    prompts = client.get("/v1/runs/prompts", params={"run": "common"}, headers=bob).json()
    assert [prompts["prompts"], prompts["groups"]] == [1, 1]
    assert prompts["listed"][0]["steps"][0]["rewards"] == 2
    shown = client.get("/runs/one", params={"run": "common"}, headers=bob)
    assert shown.status_code == 200
    assert SECRET not in shown.text
    assert "plain prompt" in shown.text
    assert f"{SECRET} prompt" in client.get("/runs/one", params={"run": "common"}, headers=ann).text
    assert "1 2 " in " ".join(re.sub("<[^>]+>", " ", client.get("/runs", headers=bob).text).split())


def test_an_alarm_about_a_run_is_told_to_those_alone_who_may_see_the_run(keys, ann, bob, tmp_path):
    url = f"sqlite:///{tmp_path}/judge.db"

    async def alarm():
        store = await Store.open(url)
        series = Series(rubric="own/plan", judge="default")
        about = {"subject": f"run {SECRET}r", "text": f"Run {SECRET}r: much is chance."}
        found = MonitorFinding(monitor="reward_noise", series=series, state="alarm", **about)
        await store.alarms.settle([found], tell=False, forget_seconds=3_600)
        await store.close()

    asyncio.run(alarm())
    with served(demanding(*(key for _, key in keys), database=url)) as client:
        one = submission(rubric=rubric(), run=f"{SECRET}r", step=1)
        client.post("/v1/score", json=one, headers=ann).raise_for_status()
        paths = ("/", "/v1/monitor/alarms", "/v1/monitor/transitions")
        assert [SECRET in client.get(path, headers=bob).text for path in paths] == [False] * 3
        assert [SECRET in client.get(path, headers=ann).text for path in paths] == [True] * 3
