"""A text is shown to no judge but those that its rubric or its key names: the refusal comes before any call."""

import pytest

from judge_server.core.caller import Allowance
from judge_server.core.judge import JudgeSpecification
from judge_server.settings.settings import Settings
from tests.served import served, until
from tests.server.keys import bearer, demanding, key_of, problem
from tests.stub_judge import StubJudge
from tests.submissions import rubric, submission

LOCAL = rubric(1) | {"judges": ["local"]}


def _settings(hosted: StubJudge, **more) -> Settings:
    judges = {
        "hosted": JudgeSpecification(name="hosted", model=hosted.specification),
        "local": JudgeSpecification(name="local", model="baseline"),
        "second": JudgeSpecification(name="second", model="baseline", mode="reason"),
        "both": JudgeSpecification(name="both", panel=("local", "second")),
        "mixed": JudgeSpecification(name="mixed", panel=("local", "hosted")),
    }
    quiet = {"canary": "off", "database_url": "sqlite://", "reask": 0, "log_level": "error"}
    return Settings(judges=judges, default_judge="hosted", **(quiet | more))


@pytest.fixture(scope="module")
def hosted():
    with StubJudge() as judge:
        yield judge


def test_a_rubric_is_judged_by_the_judges_that_it_names_only(hosted):
    with served(_settings(hosted)) as client:
        calls = hosted.calls

        def asked(judge, names=("local",)):
            item = submission(rubric=rubric(1) | {"judges": list(names)})
            return client.post("/v1/score", json=item if judge is None else item | {"judge": judge})

        for judge in (None, "hosted", "mixed", "second"):
            refused = problem(asked(judge), 403, "judge_not_allowed")
            assert refused["judges"] == ["local"]
        assert asked("local").status_code == 200
        assert asked("both", ("local", "second")).status_code == 200
        assert asked("both", ("both",)).status_code == 200
        items = [submission(rubric=LOCAL), submission(rubric=LOCAL, judge="local")]
        results = client.post("/v1/score/batch", json={"items": items}).json()["results"]
        assert [(one["error"] or {}).get("type") for one in results] == ["judge_not_allowed", None]
        group = {"prompt": "p", "responses": ["One.", "Two."], "rubric": LOCAL, "relative": True}
        assert "judge_not_allowed" in client.post("/v1/score/group", json=group).text
        assert hosted.calls == calls


def test_an_audit_shows_a_text_to_no_other_judge(hosted):
    with served(_settings(hosted, audit_judge="hosted", audit_share=1.0)) as client:
        calls = hosted.calls
        made = client.post("/v1/score", json=submission(rubric=LOCAL, judge="local"))
        assert made.status_code == 200
        client.post("/v1/score", json=submission(rubric=rubric(1), judge="local", response="This may be audited."))
        until(lambda: any("may be audited" in str(body) for body in hosted.bodies[calls:]))
        assert not any(submission()["response"] in str(body) for body in hosted.bodies[calls:])


def test_a_calibration_under_a_rubric_that_names_other_judges_is_refused_and_not_measured(hosted):
    label = {"criterion": LOCAL["criteria"][0]["id"], "annotator": "ann", "prompt": "May I fly?"}
    labels = [label | {"item": f"i{n}", "label": "yes", "response": f"Ask number {n}."} for n in range(4)]
    with served(_settings(hosted)) as client:
        calls = hosted.calls
        assert client.post("/v1/labels", json={"label_set": "few", "labels": labels}).status_code == 201
        begun = client.post("/v1/calibrations", json={"labels": "few", "rubric": LOCAL, "judge": "hosted"})
        where = f"/v1/calibrations/{begun.json()['id']}"
        until(lambda: client.get(where).json()["status"] != "running")
        ended = client.get(where).json()
        assert (ended["status"], ended["error"]["type"]) == ("failed", "judge_not_allowed")
        assert hosted.calls == calls


def test_a_key_asks_the_judges_that_it_names_only(hosted):
    text, key = key_of("clinic", "score", "author", allowance=Allowance(judges=("local",)))
    keyed = demanding(key)
    with served(_settings(hosted, authentication="required", api_keys=keyed.api_keys)) as client:
        calls, headers = hosted.calls, bearer(text)
        problem(client.post("/v1/score", json=submission(rubric=rubric(1)), headers=headers), 403, "judge_not_allowed")
        local = submission(rubric=rubric(1), judge="local")
        assert client.post("/v1/score", json=local, headers=headers).status_code == 200
        job = client.post(
            "/v1/jobs", json={"items": [local, local | {"judge": "hosted"}], "judge": "local"}, headers=headers
        )
        where = f"/v1/jobs/{job.json()['id']}"
        until(lambda: client.get(where, headers=headers).json()["status"] == "done")
        assert client.get(f"{where}/results", headers=headers).text.count("judge_not_allowed") == 1
        ask = [{"role": "user", "content": "{{sample.output_text}}"}]
        model = {"type": "score_model", "name": "g", "model": "hosted", "input": ask, "range": [0, 1]}
        sample = {"grader": model, "model_sample": "x"}
        graded = client.post("/v1/fine_tuning/alpha/graders/run", json=sample, headers=headers)
        assert "judge_not_allowed" in graded.text
        assert hosted.calls == calls


def test_what_a_key_sent_is_audited_by_the_judges_that_it_names_only(hosted):
    text, key = key_of("ward", "score", allowance=Allowance(judges=("local",)))
    other, free = key_of("open", "score")
    keys = demanding(key, free).api_keys
    settings = _settings(hosted, authentication="required", api_keys=keys, audit_judge="hosted", audit_share=1.0)
    with served(settings) as client:
        calls = hosted.calls
        for bearing, said in ((text, "Kept by its key from every hosted judge."), (other, "Nobody keeps this answer.")):
            item = submission(rubric=rubric(1), judge="local", response=said)
            assert client.post("/v1/score", json=item, headers=bearer(bearing)).status_code == 200
        until(lambda: any("Nobody keeps" in str(body) for body in hosted.bodies[calls:]))
        assert not any("Kept by its key" in str(body) for body in hosted.bodies[calls:])


def test_labelled_texts_that_a_key_sent_are_calibrated_by_the_judges_that_it_names_only(hosted):
    text, key = key_of("ward", "score", allowance=Allowance(judges=("local",)))
    owner, admin = key_of("owner", "admin", "label", "author", "score")
    keys = demanding(key, admin).api_keys
    with served(_settings(hosted, authentication="required", api_keys=keys)) as client:
        calls, all_scopes = hosted.calls, bearer(owner)
        item = submission(rubric=rubric(1), judge="local")
        sent = client.post("/v1/score", json=item, headers=bearer(text)).json()["id"]
        label = {"item": sent, "criterion": rubric(1)["criteria"][0]["id"], "annotator": "ann", "label": "yes"}
        label |= {"prompt": item["prompt"], "response": item["response"]}
        labels = {"label_set": "drawn", "labels": [label]}
        assert client.post("/v1/labels", json=labels, headers=all_scopes).status_code == 201

        def ended(judge):
            terms = {"labels": "drawn", "rubric": rubric(1), "judge": judge}
            begun = client.post("/v1/calibrations", json=terms, headers=all_scopes)
            where = f"/v1/calibrations/{begun.json()['id']}"
            until(lambda: client.get(where, headers=all_scopes).json()["status"] != "running")
            found = client.get(where, headers=all_scopes).json()
            return found["status"], (found.get("error") or {}).get("type")

        assert ended("hosted") == ("failed", "judge_not_allowed")
        assert hosted.calls == calls
        assert ended("local") == ("done", None)


@pytest.mark.parametrize("who", ["judge", "second", "tuned", "proposer"])
def test_an_improvement_with_a_judge_that_the_rubric_does_not_name_is_refused_at_once(hosted, who):
    label = {"criterion": LOCAL["criteria"][0]["id"], "annotator": "ann", "prompt": "May I fly?"}
    labels = [label | {"item": f"i{n}", "label": "yes", "response": f"Ask number {n}."} for n in range(4)]
    with served(_settings(hosted)) as client:
        calls = hosted.calls
        assert client.post("/v1/labels", json={"label_set": "few", "labels": labels}).status_code == 201
        asked = {"labels": "few", "rubric": LOCAL, "judge": "local", who: "hosted"}
        refused = problem(client.post("/v1/improvements", json=asked), 403, "judge_not_allowed")
        assert refused["judges"] == ["local"]
        assert client.get("/v1/improvements").json()["improvements"] == []
        assert hosted.calls == calls
