"""POST /v1/calibrations: measured beside the scoring, fitted, gated, and asked for by a strict server."""

import pytest

from judge_server.authoring.parsing import parse
from tests.cli.judged_labels import HELPFUL, OTHER, RUBRIC
from tests.served import served, settings_of, until

ITEMS = 150
WATER = parse(RUBRIC.encode()).rubric.model_dump(mode="json", exclude_defaults=True)
SUBMISSION = {"prompt": "My head aches.", "response": HELPFUL.format("case 0"), "rubric": WATER}


def labels():
    for number in range(ITEMS):
        there = number % 2 == 0
        for place, person in enumerate(("ann", "bob", "cleo")):
            said = there != (number % 7 == place)
            yield {
                "item": f"i{number}",
                "criterion": "water",
                "annotator": person,
                "label": "yes" if said else "no",
                "prompt": f"My head aches ({number}).",
                "response": (HELPFUL if there else OTHER).format(f"case {number}"),
            }


@pytest.fixture(scope="module")
def client():
    with served(settings_of("baseline")) as opened:
        assert opened.post("/v1/labels", json={"label_set": "water", "labels": list(labels())}).status_code == 201
        yield opened


def calibrated(client, **more):
    answer = client.post("/v1/calibrations", json={"labels": "water", "rubric": WATER} | more)
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "running"
    address = f"/v1/calibrations/{answer.json()['id']}"
    until(lambda: client.get(address).json()["status"] != "running")
    return client.get(address).json()


def test_a_judge_is_measured_and_the_calibration_is_remembered(client):
    told = calibrated(client)
    assert (told["status"], told["done"], told["items"]) == ("done", ITEMS, ITEMS)
    record = told["calibration"]
    assert record["id"] == told["id"]
    assert record["statuses"] == {"ok": ITEMS}
    assert told["mapping"] == record["mapping"] == ["water: your 'yes' counts as met, 'no' as unmet"]
    assert record["summary"]["overall"]["human_ceiling"]["value"] > 0.4
    newest = client.get("/v1/calibrations", params={"limit": 1}).json()["calibrations"][0]
    assert newest["id"] == told["id"]
    judgments = client.get("/v1/judgments").json()
    assert not judgments.get("judgments", judgments.get("items"))


def test_a_fit_is_used_from_then_on_and_shown_with_the_judge(client):
    told = calibrated(client, fit=True)
    assert told["fits"][0]["outcome"] == "fitted"
    assert told["fits"][0]["fitted"]["quality"]["brier_after"] < told["fits"][0]["brier"]
    judgment = client.post("/v1/score", json=SUBMISSION).json()
    assert judgment["judge"]["calibration"] == told["maps"]
    assert judgment["verdicts"][0]["raw"] is not None
    (judge,) = client.get("/v1/judges").json()["judges"]
    assert [maps["id"] for maps in judge["fitted"]] == [told["maps"]]
    again = calibrated(client, fit=True)
    assert again["status"] == "failed"
    assert "applied in this run already" in again["error"]["detail"]
    assert calibrated(client, fit=True, raw=True)["status"] == "done"


def test_a_strict_server_serves_after_the_gate(tmp_path):
    with served(settings_of("baseline", require_calibrated=True)) as strict:
        refused = strict.post("/v1/score", json=SUBMISSION)
        assert refused.status_code == 409
        assert refused.json()["rubric"] == "medical/water@1.0.0"
        strict.post("/v1/labels", json={"label_set": "water", "labels": list(labels())})
        told = calibrated(strict, gate=True)
        assert told["certificate"]["decision"] == "pass"
        assert strict.post("/v1/score", json=SUBMISSION).status_code == 200
        (judge,) = strict.get("/v1/judges").json()["judges"]
        assert [(one["decision"], one["stale"]) for one in judge["gated"]] == [("pass", None)]
        check = {"id": "a", "kind": "check", "check": {"kind": "regex", "pattern": "water"}}
        checks = {"id": "a/b", "version": "1.0.0", "title": "Checks", "criteria": [check]}
        assert strict.post("/v1/score", json=SUBMISSION | {"rubric": checks}).json()["reward"] == 1.0


def test_certificates_of_another_policy_do_not_count(tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text('name = "own"\n[[rules]]\nmetric = "cohen_kappa"\nmin_low = 0.3\n', encoding="utf-8")
    database = f"sqlite:///{tmp_path / 'judge.db'}"
    with served(settings_of("baseline", database=database)) as lenient:
        lenient.post("/v1/labels", json={"label_set": "water", "labels": list(labels())})
        assert calibrated(lenient, gate=True)["certificate"]["decision"] == "pass"
    settings = settings_of("baseline", database=database, require_calibrated=True, gate_policy=policy)
    with served(settings) as strict:
        refused = strict.post("/v1/score", json=SUBMISSION)
        assert refused.status_code == 409
        assert "another policy" in refused.json()["detail"]
        assert calibrated(strict, gate=True)["certificate"]["decision"] == "pass"
        assert strict.post("/v1/score", json=SUBMISSION).status_code == 200


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": "nothing"}, "there is no label set 'nothing'"),
        ({"split": "test"}, "no test split"),
        ({"rubric": {**WATER, "criteria": [{"id": "other", "statement": "Says something else."}]}}, "labels for water"),
    ],
    ids=str,
)
def test_what_cannot_be_measured_says_why(client, change, said):
    told = calibrated(client, **change)
    assert told["status"] == "failed"
    assert said in told["error"]["detail"]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"judge": "nobody"}, 404),
        ({"rubric": "medical/nothing"}, 404),
        ({"fit": True, "split": "test"}, 422),
        ({"split": "train"}, 422),
        ({"surprise": 1}, 422),
    ],
    ids=str,
)
def test_a_request_that_cannot_stand_is_refused_at_once(client, change, status):
    answer = client.post("/v1/calibrations", json={"labels": "water", "rubric": WATER} | change)
    assert answer.status_code == status, answer.text


def test_an_unknown_calibration_is_not_found(client):
    answer = client.get("/v1/calibrations/cal_nothing")
    assert answer.status_code == 404
    assert "start it again" in answer.json()["remedy"]
