"""Health, readiness, metrics, judges and the OpenAPI document."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from prometheus_client.parser import text_string_to_metric_families

from judge_server.core.judge import JudgeSpecification
from judge_server.settings.settings import Settings
from tests.served import judged_by, served, settings_of, until
from tests.stub_judge import faithful
from tests.submissions import checking, rubric, submission


def test_the_server_is_alive_and_ready(client):
    assert client.get("/healthz").json() == {"status": "alive"}
    ready = client.get("/readyz").json()
    assert ready["status"] == "ready"
    assert ready["judge"] == "default"


RUBRIC = """id: t/hot
version: {version}
title: t
criteria:
  - id: short
    kind: check
    {points}: 3
    check: {{kind: length, unit: words, max: {most}}}
  - {{id: q, kind: check, check: {{kind: regex, pattern: "[?]"}}}}
"""


def test_a_rubric_file_that_changes_or_breaks_under_a_served_version_is_told_and_never_changes_a_reward(tmp_path):
    (tmp_path / "t").mkdir()
    file = tmp_path / "t" / "hot.yaml"
    file.write_text(RUBRIC.format(version="1.0.0", points="points", most=10))
    asked = submission(rubric="t/hot@1.0.0", response="one two three four five?")
    with served(settings_of(rubrics=(tmp_path,))) as client:
        assert client.post("/v1/score", json=asked).json()["reward"] == 1.0
        assert client.get("/readyz").json()["rubric_faults"] == []
        file.write_text(RUBRIC.format(version="1.0.0", points="points", most=3))
        until(lambda: client.post("/v1/score", json=asked).status_code == 409)
        refused = client.post("/v1/score", json=asked).json()
        assert refused["type"] == "urn:judge-server:error:rubric_conflict"
        assert "next version" in refused["remedy"]
        assert client.get("/readyz").json()["rubric_faults"][0].startswith("t/hot@1.0.0: ")
        file.write_text(RUBRIC.format(version="1.0.0", points="points", most=10))
        until(lambda: client.post("/v1/score", json=asked).status_code == 200)
        assert client.get("/readyz").json()["rubric_faults"] == []
        file.write_text(RUBRIC.format(version="1.1.0", points="pionts", most=3))
        until(lambda: client.get("/readyz").json()["rubric_faults"])
        assert client.post("/v1/score", json=asked).json()["reward"] == 1.0
        assert client.get("/readyz").json()["rubric_faults"][0].startswith("t/hot: line 7: ")
        newer = client.post("/v1/score", json=asked | {"rubric": "t/hot@1.1.0"}).json()
        assert newer["detail"].startswith("t/hot: line 7: ")


def test_a_file_that_was_never_readable_is_told_to_whoever_asks_and_suggested(tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "hot.yaml").write_text(RUBRIC.format(version="1.0.0", points="pionts", most=3))
    published = RUBRIC.format(version="2.0.0", points="points", most=3).replace("t/hot", "t/published")
    with served(settings_of(rubrics=(tmp_path,))) as client:
        client.post("/v1/rubrics", content=published, headers={"content-type": "application/yaml"})

        def refused(rubric):
            return client.post("/v1/score", json=submission(rubric=rubric)).json()

        assert refused("t/hot")["detail"].startswith("t/hot: line 7: unknown field 'pionts'")
        assert "t/hot" in refused("t/hto")["remedy"]
        other = refused("t/published@3.0.0")
        assert (other["detail"], other["remedy"]) == ("t/published has no version 3.0.0.", "Known: 2.0.0.")
        assert client.get("/readyz").json()["rubric_faults"][0].startswith("t/hot: line 7: ")
        assert samples(client.get("/metrics").text)["judge_server_broken_rubric_files{}"] == 1


def test_a_prerelease_version_says_in_every_judgment_that_it_may_change(tmp_path):
    (tmp_path / "t").mkdir()
    file = tmp_path / "t" / "hot.yaml"
    asked = submission(rubric="t/hot@1.1.0-draft", response="one two three four five?")
    with served(settings_of(rubrics=(tmp_path,))) as client:
        for most, reward in ((10, 1.0), (3, 0.25)):
            file.write_text(RUBRIC.format(version="1.1.0-draft", points="points", most=most))
            until(lambda reward=reward: client.post("/v1/score", json=asked).json().get("reward") == reward)
            assert "prerelease" in client.post("/v1/score", json=asked).json()["notices"][0]


def test_a_judge_that_is_down_makes_the_server_unready_but_alive():
    with judged_by(faithful()) as (client, judge):
        assert client.get("/readyz").status_code == 200
        judge.stop()
        until(lambda: client.get("/readyz").status_code == 503)
        unready = client.get("/readyz")
        assert client.get("/healthz").status_code == 200
        assert client.get("/v1/judges").json()["judges"][0]["healthy"] is False
    assert unready.json()["type"] == "urn:judge-server:error:judge_unavailable"
    assert unready.headers["retry-after"]


def test_judges_show_fingerprint_calibration_and_notice():
    judges = {
        "words": JudgeSpecification(name="words", model="baseline"),
        "aloud": JudgeSpecification(name="aloud", model="baseline", mode="reason"),
        "both": JudgeSpecification(name="both", panel=("words", "aloud"), combine="min"),
    }
    with served(Settings(judges=judges, default_judge="both", database_url="sqlite://")) as client:
        listed = {judge["name"]: judge for judge in client.get("/v1/judges").json()["judges"]}
        judged = client.post("/v1/score", json=submission()).json()
        alone = client.post("/v1/score", json=submission(judge="aloud")).json()
    assert set(listed) == set(judges)
    assert [name for name, judge in listed.items() if judge["default"]] == ["both"]
    assert len({judge["fingerprint"] for judge in listed.values()}) == 3
    assert all("understands nothing" in judge["notice"] for judge in listed.values())
    assert all(judge["calibration"] is None for judge in listed.values())
    assert judged["judge"]["mode"] == "panel"
    assert {opinion["judge"] for opinion in judged["verdicts"][0]["panel"]} == {"words", "aloud"}
    assert alone["judge"]["name"] == "aloud"
    assert alone["verdicts"][0]["reason"]


def samples(text: str) -> dict[str, float]:
    families = text_string_to_metric_families(text)
    return {
        sample.name + json.dumps(sample.labels, sort_keys=True): sample.value
        for family in families
        for sample in family.samples
    }


def test_metrics_count_judgments_verdicts_and_tokens():
    with served(settings_of()) as client:
        client.post("/v1/score/batch", json={"items": [submission(), submission(), submission(response="")]})
        answer = client.get("/metrics")
    counted = samples(answer.text)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert counted['judge_server_judgments_total{"judge": "default", "status": "ok"}'] == 2
    assert counted['judge_server_judgments_total{"judge": "none", "status": "ok"}'] == 1
    assert counted['judge_server_verdicts_total{"source": "judge", "status": "ok"}'] == 4
    assert counted['judge_server_verdicts_total{"source": "guard", "status": "ok"}'] == 2
    assert counted['judge_server_reward_count{"rubric": "inline"}'] == 3
    assert counted["judge_server_submissions_under_way{}"] == 0
    assert counted["judge_server_questions_in_flight{}"] == 0


def test_nothing_that_a_request_names_becomes_a_label():
    mark = "zebra"
    criteria = [{"id": mark, "statement": f"Names a {mark}.", "points": 1, "tags": [f"axis:{mark}"]}]
    named = rubric(id=f"test/{mark}", title=mark, criteria=criteria)
    names = {"id": mark, "group": mark, "policy": mark, "facts": {mark: mark}}
    with served(settings_of()) as client:
        client.post("/v1/score", json=submission(rubric=named, **names), headers={"X-Request-Id": mark})
        client.post("/v1/score", json=submission(judge=mark))
        client.post("/v1/score", json=submission(rubric=f"{mark}/{mark}"))
        client.get(f"/{mark}")
        assert mark not in client.get("/metrics").text


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


ROUTES = {
    "POST /v1/score",
    "POST /v1/score/batch",
    "POST /v1/score/group",
    "GET /v1/judgments",
    "GET /v1/judgments/{judgment_id}",
    "POST /v1/rescore",
    "GET /v1/rubrics",
    "POST /v1/rubrics",
    "POST /v1/rubrics/validate",
    "GET /v1/rubrics/{rubric_id}/diff",
    "GET /v1/rubrics/{name}",
    "GET /v1/judges",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
}


@pytest.fixture(scope="module")
def openapi(client) -> dict[str, Any]:
    return client.get("/openapi.json").json()


def test_openapi_has_every_route_with_a_description_and_its_problems(openapi):
    known = {f"{method.upper()} {path}" for path, method, _ in operations(openapi)}
    assert known >= ROUTES
    for path, method, operation in operations(openapi):
        assert operation.get("description"), (method, path)
        for status, response in operation["responses"].items():
            if int(status) >= 400:
                own = path in ("/v1/systemone", "/v1/decisions")  # errors in the shape of their format
                shape = "application/json" if own else "application/problem+json"
                assert list(response["content"]) == [shape], (method, path, status)


def test_every_reference_of_openapi_leads_somewhere(openapi):
    schemas = openapi["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(openapi)))
    assert named <= set(schemas)
    assert "HTTPValidationError" not in schemas
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/batch", "/v1/score/group"])
def test_what_the_server_answers_is_what_openapi_promises(client, openapi, path):
    item = submission(rubric=checking())
    bodies = {
        "/v1/score": item,
        "/v1/score/batch": {"items": [item, {}]},
        "/v1/score/group": {"prompt": "p", "responses": ["one", "two"], "rubric": checking(), "advantages": True},
    }
    promised = openapi["paths"][path]["post"]
    answer = client.post(path, json=bodies[path]).json()
    schema = promised["responses"]["200"]["content"]["application/json"]["schema"]
    Draft202012Validator({**schema, "components": openapi["components"]}).validate(answer)
    asked = promised["requestBody"]["content"]["application/json"]["schema"]
    if path != "/v1/score/batch":
        Draft202012Validator({**asked, "components": openapi["components"]}).validate(bodies[path])


def test_a_problem_is_what_openapi_promises(client, openapi):
    problem = client.post("/v1/score", json={}).json()
    Draft202012Validator({"$ref": "#/components/schemas/Problem", "components": openapi["components"]}).validate(
        problem
    )


def test_the_documentation_page_is_served(client):
    assert "openapi.json" in client.get("/docs").text
