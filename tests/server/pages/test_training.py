"""A training run on a page: its steps as curves and as a table, and from a missing reward to its cause."""

import pytest

from judge_server.core.judge import JudgeSpecification
from tests.served import judged_by, served, settings_of, until
from tests.server.pages.test_pages import sound
from tests.stub_judge import StubJudge, faithful, labels, text
from tests.submissions import rubric, submission


def failing_at_step_three(body):
    return text("no verdict") if "step-3" in str(body) else labels(Yes=0.8, No=0.2)


@pytest.fixture(scope="module")
def client():
    with judged_by(failing_at_step_three) as (client, _):
        items = [
            submission(rubric=rubric(), response=f"Answer step-{step} of {n}.", run="a/b", step=step, group="g")
            for step in range(5)
            for n in range(3)
        ]
        client.post("/v1/score/batch", json={"items": items}).raise_for_status()
        yield client


def test_a_run_is_drawn_over_its_steps(client):
    assert "/runs/one?run=a%2Fb" in {one["href"] for one in sound(client.get("/runs")).all("a")}
    page = sound(client.get("/runs/one", params={"run": "a/b"}), curves=6)
    mean, without, _, length, *criteria = (one["aria-label"] for one in page.all("svg"))
    assert mean == "Mean reward: 0.800 at first, 0.800 at last"
    assert without == "Share without a reward: 0.000 at first, 0.000 at last"
    assert length == "Mean length in characters: 19.000 at first, 19.000 at last"
    assert [one.partition(":")[0] for one in criteria] == ["Met", "Met"]
    assert "Means of 15 judgments" in page.text
    pieces = [one["points"].split() for one in page.all("polyline")]
    assert [len(points) for points in pieces[:4]] == [
        3,
        2,
        5,
        5,
    ]  # no reward at step 3; one point is drawn twice
    assert pieces[2][3] == "450.0,0.0"  # all of step 3


def test_where_a_run_is_stands_among_the_runs_and_on_the_first_page(client):
    assert "b 4 3 0.800 0 20" in " ".join(sound(client.get("/runs")).text.split())
    begun = " ".join(sound(client.get("/")).text.split())
    assert "Trainings that run now a/b : step 4, mean reward 0.800; judged last 20" in begun


def test_from_a_missing_reward_to_its_cause_in_three_clicks(client):
    page = sound(client.get("/runs/one", params={"run": "a/b"}), curves=6)
    (step,) = (one["href"] for one in page.all("a") if "step=3" in one["href"] and "rewarded=false" in one["href"])
    listed = sound(client.get(step))
    one = next(link["href"] for link in listed.all("a") if link["href"].startswith("/judgments/jdg_"))
    assert "unusable_verdict" in sound(client.get(one)).text


def test_an_unknown_run_is_a_page(client):
    assert client.get("/runs/one", params={"run": "none"}).status_code == 404


def test_equal_groups_of_each_prompt_and_what_rewarded_the_run_stand_on_its_page(client):
    shown = sound(client.get("/runs/one", params={"run": "a/b"}), curves=6).text
    assert "4 of 4 groups of at least two rewards are equal" in shown
    assert "0: 0.80= 1: 0.80= 2: 0.80= 3: none" in shown
    (source,) = client.get("/v1/runs/summary", params={"run": "a/b"}).json()["sources"]
    for known in (source["rubric"]["digest"][:19], source["fingerprint"][:19], source["guard"]):
        assert known in shown


def by_the_length_of_the_question(body):
    """Prefers Yes by another amount if Yes is named first."""
    asked = str(body)
    if "Answer " not in asked:
        return faithful()(body)
    met = (0.3 if "Answer 0" in asked or "Answer 2" in asked else 0.7) + (0.1 if "Yes or No" in asked else -0.1)
    return labels(Yes=met, No=1 - met)


def test_the_chance_of_the_judge_stands_on_the_page_of_the_run():
    with judged_by(by_the_length_of_the_question, reask=1.0) as (client, _):
        for number in range(24):
            place = {"prompt": f"Case {number % 6}?", "run": "noisy", "step": 0}
            asked = submission(rubric=rubric(1), response=f"Answer {number // 6}.", **place)
            client.post("/v1/score", json=asked).raise_for_status()
        until(lambda: asked_again(client) == 24)
        page = sound(client.get("/runs/one", params={"run": "noisy"}), curves=5)
        (found,) = client.get("/v1/runs/noise", params={"run": "noisy"}).json()["rubrics"]
    assert found["share"] > 0.05
    assert f"{found['rubric']}: {found['text']}" in page.text


def asked_again(client):
    return sum(one["pairs"] for one in client.get("/v1/runs/noise", params={"run": "noisy"}).json()["rubrics"])


def test_audits_of_a_run_stand_beside_its_steps():
    with StubJudge(faithful(0.8)) as first, StubJudge(lambda body: labels(Yes=0.1, No=0.9)) as second:
        settings = settings_of(first.specification, audit_judge="second", audit_share=1.0)
        other = JudgeSpecification(name="second", model=second.specification)
        settings = settings.model_copy(update={"judges": {**settings.judges, "second": other}})
        with served(settings) as client:
            item = submission(rubric=rubric(), run="r", step=1)
            client.post("/v1/score", json=item).raise_for_status()
            until(lambda: "audits decided 2 criteria" in client.get("/runs/one", params={"run": "r"}).text, 120)
            shown = client.get("/runs/one", params={"run": "r"})
    assert "Means of 1 judgment" in shown.text
    assert "Mean reward: 0.800 at first, 0.800 at last" in shown.text
    assert "Share decided as the audit did: 0.000 at first, 0.000 at last" in shown.text
