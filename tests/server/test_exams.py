"""POST /v1/exams: contrast pairs asked in the background, the result as JSON and as a page."""

import pytest

from judge_server.core.errors import Overloaded
from judge_server.exam.sitting import ExamPlan
from judge_server.models.protocol import Completion
from judge_server.server.exam_runs import ExamRuns
from judge_server.store import Store
from tests.judging.values import judge
from tests.scripted_model import ScriptedModel
from tests.served import served, settings_of, until


@pytest.fixture(scope="module")
def client():
    with served(settings_of("baseline")) as opened:
        yield opened


def examined(client, **more):
    answer = client.post("/v1/exams", json={"pairs": 2, "families": ["turn", "polarity"]} | more)
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "running"
    address = f"/v1/exams/{answer.json()['id']}"
    until(lambda: client.get(address).json()["status"] != "running")
    return client.get(address).json()


def test_a_judge_is_examined_and_the_result_names_families_with_intervals(client):
    told = examined(client, seed=4)
    assert (told["status"], told["done"], told["questions"]) == ("done", 8, 8)
    result = told["result"]
    assert (result["seed"], [one["family"] for one in result["families"]]) == (4, ["polarity", "turn"])
    assert all(one["low"] <= one["passed"] / one["pairs"] <= one["high"] for one in result["families"])
    newest = client.get("/v1/exams").json()["exams"][0]
    assert newest["id"] == told["id"]
    assert all(one["failed"] == [] for one in newest["result"]["families"])


def test_the_report_is_a_page_that_runs_nothing(client):
    told = examined(client)
    page = client.get(f"/v1/exams/{told['id']}/report")
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert "polarity" in page.text
    assert "pairs not passed" in page.text


def test_what_cannot_be_asked_is_refused(client):
    assert client.post("/v1/exams", json={"judge": "nobody"}).status_code == 404
    for body in ({"families": ["mood"]}, {"pairs": 0}, {"longest": 10**9}, {"more": 1}):
        assert client.post("/v1/exams", json=body).status_code == 422, body
    assert client.get("/v1/exams/exam_0").status_code == 404
    assert client.get("/v1/exams/exam_0/report").status_code == 404


def test_exams_are_kept_over_a_restart_and_the_page_lists_those_of_the_judge(tmp_path):
    settings = settings_of("baseline", database_url=f"sqlite:///{tmp_path}/kept.db")
    with served(settings) as client:
        told = [examined(client, seed=seed) for seed in (1, 2)]
    with served(settings) as client:
        listed = client.get("/v1/exams", params={"judge": told[0]["judge"]}).json()
        assert [one["result"]["seed"] for one in listed["exams"]] == [2, 1]
        assert listed["next_cursor"] is None
        assert client.get("/v1/exams", params={"judge": "nobody"}).json()["exams"] == []
        assert client.get(f"/v1/exams/{told[0]['id']}").json() == told[0]
        page = client.get(f"/v1/exams/{told[0]['id']}/report").text
        fingerprint = told[0]["result"]["judge"]["fingerprint"].removeprefix("sha256:")[:12]
        assert all(f"../{one['id']}/report" in page for one in told)
        assert page.count(fingerprint) == 2
        assert told[1]["id"] in client.get("/").text
        one_page = client.get("/v1/exams", params={"limit": 1}).json()
        assert len(one_page["exams"]) == 1
        rest = client.get("/v1/exams", params={"cursor": one_page["next_cursor"]}).json()
        assert [one["id"] for one in rest["exams"]] == [told[0]["id"]]


async def test_few_exams_may_wait():
    store = await Store.open("sqlite://")
    runs, one = ExamRuns(store.exams), judge(ScriptedModel(lambda request: Completion("Yes")))
    begun = [runs.begin(one, ExamPlan(pairs=1)) for _ in range(4)]
    with pytest.raises(Overloaded):
        runs.begin(one, ExamPlan(pairs=1))
    assert [found.id for found in (await runs.listed(None, 10, None)).exams] == [made.id for made in reversed(begun)]
    await runs.close()
    await store.close()
