"""Rubric routes: list, read, publish, validate, compare."""

import json

import pytest

from tests.served import served, settings_of
from tests.submissions import submission

YAML = """\
id: clinic/advice
version: 1.0.0
title: Advice on a minor complaint
criteria:
  - id: red_flags
    statement: Names a symptom that needs emergency care.
    points: 7
  - id: unsafe_dose
    statement: Recommends a dose above the licensed maximum.
    points: -9
"""


@pytest.fixture
def client():
    with served(settings_of()) as open_client:
        yield open_client


def publish(client, text, content_type="application/yaml"):
    return client.post("/v1/rubrics", content=text, headers={"content-type": content_type})


def test_every_bundled_rubric_is_listed_and_can_be_read_by_id_and_version(client):
    rubrics = client.get("/v1/rubrics").json()["rubrics"]
    assert len(rubrics) >= 15
    for entry in rubrics:
        newest = client.get(f"/v1/rubrics/{entry['id']}").json()
        exact = client.get(f"/v1/rubrics/{entry['id']}@{entry['version']}").json()
        assert newest == exact
        assert newest["reference"]["digest"] == entry["digest"]
        assert newest["versions"] == entry["versions"]
        assert newest["rubric"]["criteria"]


@pytest.mark.parametrize("name", ["medical/nothing", "medical/consultation@9.0.0", "No Name!", "a//b", "%00"])
def test_a_rubric_that_is_not_there_is_a_404(client, name):
    answer = client.get(f"/v1/rubrics/{name}")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:judge-server:error:unknown_rubric"


def test_a_published_rubric_stays_whatever_comes_after_it(client):
    first = publish(client, YAML)
    again = publish(client, YAML)
    newer = publish(client, YAML.replace("1.0.0", "1.1.0").replace("points: 7", "points: 8"))
    assert (first.status_code, again.status_code, newer.status_code) == (201, 200, 201)
    assert (first.json()["new"], again.json()["new"]) == (True, False)
    assert client.get("/v1/rubrics/clinic/advice").json()["rubric"]["version"] == "1.1.0"
    old = client.get("/v1/rubrics/clinic/advice@1.0.0").json()
    assert old["reference"]["digest"] == first.json()["reference"]["digest"]
    assert old["versions"] == ["1.0.0", "1.1.0"]
    assert (
        client.post("/v1/score", json=submission(rubric="clinic/advice@1.0.0")).json()["rubric"]["version"] == "1.0.0"
    )


def test_json_and_yaml_of_one_rubric_are_one_rubric(client):
    from_yaml = publish(client, YAML).json()
    whole = client.get("/v1/rubrics/clinic/advice").json()["rubric"]
    from_json = publish(client, json.dumps(whole), "application/json")
    assert from_json.status_code == 200
    assert from_json.json()["reference"] == from_yaml["reference"]


def test_changed_content_without_a_new_version_names_both_digests(client):
    first = publish(client, YAML).json()["reference"]["digest"]
    answer = publish(client, YAML.replace("points: 7", "points: 8"))
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:judge-server:error:rubric_conflict"
    assert first in json.dumps(answer.json())
    assert json.dumps(answer.json()).count("sha256:") >= 2
    assert client.get("/v1/rubrics/clinic/advice").json()["reference"]["digest"] == first


def test_a_bundled_version_cannot_be_published_with_other_content(client):
    bundled = client.get("/v1/rubrics/writing/summary").json()["rubric"]
    answer = publish(client, json.dumps(bundled | {"title": "Another title"}), "application/json")
    assert answer.status_code == 409


def test_a_fault_is_found_with_line_and_column_and_nothing_is_kept(client):
    broken = YAML.replace("points: 7", "pionts: 7")
    validation = client.post("/v1/rubrics/validate", content=broken).json()
    assert validation["valid"] is False
    (finding, *_) = [found for found in validation["findings"] if "pionts" in json.dumps(found)]
    assert (finding["line"], finding["column"]) == (7, 5)
    refused = publish(client, broken)
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:judge-server:error:bad_rubric"
    assert refused.json()["findings"][0]["line"]
    assert client.get("/v1/rubrics/clinic/advice").status_code == 404


def test_validation_keeps_nothing_and_gives_advice(client):
    validation = client.post("/v1/rubrics/validate", content=YAML).json()
    assert validation["valid"] is True
    assert validation["reference"]["id"] == "clinic/advice"
    assert {finding["severity"] for finding in validation["findings"]} <= {"warning", "info"}
    assert client.get("/v1/rubrics/clinic/advice").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff\xfe\x00",
        b"[" * 3_000,
        b"a: &a [1]\nb: *a",
        b"id: a/b\nid: a/b\n",
        YAML.replace("points: 7", "points: .nan").encode(),
        YAML.replace("points: 7", "points: .inf").encode(),
        b'{"id": "a/b", "version": "1.0.0", "criteria": [{"points": NaN}]}',
        b"x" * 2_000_000,
        YAML.replace("statement: Names", 'statement: "\\ud800 Names').replace("care.", 'care."').encode(),
        b"- just\n- a list\n",
    ],
    ids=["empty", "bytes", "deep", "alias", "twice", "nan", "inf", "json-nan", "huge", "surrogate", "list"],
)
def test_hostile_rubrics_are_refused_with_a_finding(client, body):
    validation = client.post("/v1/rubrics/validate", content=body)
    refused = client.post("/v1/rubrics", content=body)
    assert validation.status_code == 200
    assert validation.json()["valid"] is False
    assert validation.json()["findings"][0]["message"]
    assert refused.status_code == 422


def test_a_pattern_that_does_not_compile_makes_a_rubric_invalid(client):
    pattern = "  - {id: p, kind: check, statement: Fits., points: 1, check: {kind: regex, pattern: '('}}\n"
    validation = client.post("/v1/rubrics/validate", content=YAML + pattern).json()
    assert validation["valid"] is False
    assert publish(client, YAML + pattern).status_code == 422


def test_two_versions_are_compared_criterion_by_criterion(client):
    publish(client, YAML)
    publish(client, YAML.replace("1.0.0", "1.1.0").replace("points: 7", "points: 8"))
    answer = client.get("/v1/rubrics/clinic/advice/diff", params={"from": "1.0.0", "to": "1.1.0"})
    assert answer.status_code == 200
    assert "red_flags" in answer.text
    assert "unsafe_dose" not in json.dumps(answer.json().get("changes", answer.json()))
    assert client.get("/v1/rubrics/clinic/advice/diff", params={"from": "1.0.0"}).json() == answer.json()
    assert client.get("/v1/rubrics/clinic/advice/diff", params={"from": "7.0.0"}).status_code == 404
    assert client.get("/v1/rubrics/clinic/advice/diff", params={"from": "newest"}).status_code == 404
    assert client.get("/v1/rubrics/clinic/advice/diff").status_code == 422


def test_published_rubrics_outlive_the_server(tmp_path):
    settings = settings_of(database=f"sqlite:///{tmp_path}/kept.db")
    with served(settings) as client:
        publish(client, YAML)
    with served(settings) as client:
        assert client.get("/v1/rubrics/clinic/advice@1.0.0").status_code == 200


def test_judgments_and_listings_say_that_a_shipped_rubric_is_unreviewed(client):
    judgment = client.post("/v1/score", json=submission(rubric="writing/summary")).json()
    assert any("writing/summary@4.0.0: unreviewed" in notice for notice in judgment["notices"])
    assert client.get("/v1/rubrics/writing/summary").json()["review"]["review"] == "unreviewed"
    entries = client.get("/v1/rubrics").json()["rubrics"]
    assert {entry["review"] for entry in entries} == {"unreviewed"}


def test_a_withdrawn_version_can_be_read_and_does_not_judge(client):
    assert client.get("/v1/rubrics/writing/summary@1.0.0").json()["review"]["review"] == "withdrawn"
    refused = client.post("/v1/score", json=submission(rubric="writing/summary@1.0.0"))
    assert refused.status_code == 409
    assert refused.json()["type"] == "urn:judge-server:error:rubric_not_allowed"
    assert "writing/summary@4.0.0" in refused.json()["remedy"]
