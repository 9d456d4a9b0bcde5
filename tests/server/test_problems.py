"""Every error is a problem document that names the fault and the remedy."""

import json
import re
import socket
from pathlib import Path

import httpx
import pytest

from judge_server.core.verdict import Failure
from judge_server.server.problems import failure_of
from tests.served import served, settings_of
from tests.submissions import checking, rubric, submission
from tests.yardstick import work_within

JSON = {"content-type": "application/json"}


def problem(answer: httpx.Response, status: int, slug: str) -> dict:
    document = answer.json()
    assert answer.status_code == status == document["status"]
    assert answer.headers["content-type"] == "application/problem+json"
    assert document["type"] == f"urn:judge-server:error:{slug}"
    assert document["title"]
    assert document["detail"]
    assert answer.headers["x-request-id"]
    return document


def test_an_unknown_route_is_a_problem_that_says_where_the_routes_stand(client):
    assert "/openapi.json" in problem(client.get("/v1/scores"), 404, "not_found")["remedy"]


def test_an_unknown_method_is_a_problem_and_tells_the_known_ones(client):
    answer = client.get("/v1/score")
    problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b'{"prompt": ', "line 1 column"),
        (b"\xff\xfe{}", "not valid UTF-8 at byte 0"),
        ('{"prompt": "ü"}'.encode("latin-1"), "not valid UTF-8 at byte 12"),
        (b'{"prompt": "p", "deadline_seconds": NaN}', "NaN is not JSON"),
        (b'{"prompt": "p", "facts": {"a": -Infinity}}', "-Infinity is not JSON"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[" * 200_000, "nested too deeply"),
    ],
    ids=["cut", "utf-16", "latin-1", "nan", "infinity", "deep-objects", "deep-lists"],
)
def test_a_body_that_is_no_json_is_refused_with_the_place(client, body, told):
    assert told in problem(client.post("/v1/score", content=body, headers=JSON), 400, "bad_request")["detail"]
    assert told in problem(client.post("/v1/rescore", content=body, headers=JSON), 400, "bad_request")["detail"]


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"3", b'"text"'])
def test_a_body_that_is_no_object_is_refused(client, body):
    problem(client.post("/v1/score", content=body, headers=JSON), 422, "bad_input")


@pytest.mark.parametrize("content_type", [None, "application/x-www-form-urlencoded", "text/plain"])
def test_a_body_without_its_content_type_is_told_which_header_is_missing(client, content_type):
    headers = {"content-type": content_type} if content_type else {}
    answer = client.post("/v1/score", content=json.dumps(submission()), headers=headers)
    assert "Content-Type: application/json" in problem(answer, 422, "bad_input")["remedy"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"colour": "blue"}, "colour"),
        ({"prompt": None}, "prompt"),
        ({"prompt": 3}, "prompt"),
        ({"prompt": [{"role": "wizard", "content": "x"}]}, "prompt.0.role"),
        ({"prompt": []}, "prompt"),
        ({"response": [{"role": "user", "content": "x"}]}, "not user"),
        ({"deadline_seconds": 0}, "deadline_seconds"),
        ({"deadline_seconds": "soon"}, "deadline_seconds"),
        ({"priority": "first"}, "priority"),
        ({"step": -1}, "step"),
        ({"facts": []}, "facts"),
        ({"rubric": 7}, "rubric"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(client, fields, named):
    body = {**submission(), **fields}
    document = problem(
        client.post("/v1/score", json={name: v for name, v in body.items() if v is not None}), 422, "bad_input"
    )
    assert named in document["detail"]
    assert document["errors"][0]["message"]
    assert "Conversation" not in document["detail"]
    assert "tuple[" not in document["detail"]


def test_an_inline_rubric_is_told_what_is_wrong_as_a_file_would_be(client):
    criteria = [{"id": "a", "statement": "s", "points": "many"}, {"id": "a", "statement": "s", "pionts": 1}]
    document = problem(client.post("/v1/score", json=submission(rubric=rubric(criteria=criteria))), 422, "bad_rubric")
    found = {finding["path"] for finding in document["findings"]}
    assert "criteria[0].points" in found
    assert any(
        finding["path"].startswith("criteria[1]") and "pionts" in str(finding) for finding in document["findings"]
    )


@pytest.mark.parametrize("points", [b"1e999", b"-1e999"])
def test_points_that_are_not_finite_are_refused_by_name(client, points):
    whole = json.dumps(submission(rubric=rubric(5))).replace('"points": 5', '"points": POINTS').encode()
    answer = client.post("/v1/score", content=whole.replace(b"POINTS", points), headers=JSON)
    document = problem(answer, 422, "bad_rubric")
    assert "points" in document["detail"]


@pytest.mark.parametrize(
    ("fields", "status", "slug"),
    [
        ({"rubric": "medical/consultatoin"}, 404, "unknown_rubric"),
        ({"rubric": "medical/consultation@9.9.9"}, 404, "unknown_rubric"),
        ({"rubric": None}, 422, "bad_submission"),
        ({"judge": "nobody"}, 404, "unknown_judge"),
        (
            {"rubric": rubric(criteria=[{"id": "r", "statement": "Agrees.", "points": 1, "reference": "required"}])},
            422,
            "bad_submission",
        ),
    ],
    ids=["rubric", "version", "no-rubric", "judge", "reference"],
)
def test_what_a_submission_names_must_be_there(client, fields, status, slug):
    assert problem(client.post("/v1/score", json=submission(**fields)), status, slug)["remedy"]


def test_an_unknown_rubric_is_told_its_nearest_neighbour(client):
    answer = client.post("/v1/score", json=submission(rubric="medical/consultatoin"))
    assert "medical/consultation" in str(answer.json())


def test_a_header_that_cannot_be_used_is_named(client):
    answer = client.post("/v1/score", json=submission(), headers={"Deadline-Seconds": "soon"})
    assert "Deadline-Seconds" in problem(answer, 422, "bad_input")["detail"]


def test_a_body_of_ten_megabytes_is_refused_before_it_is_read(client):
    answer = client.post("/v1/score", json=submission(response="x" * 10_000_000))
    assert "max_body_bytes" in problem(answer, 413, "too_large")["remedy"]
    assert client.get("/healthz").status_code == 200


def test_a_body_of_unknown_length_is_refused_while_it_comes_in(client):
    def chunks():
        yield b'{"prompt": "'
        for _ in range(160):
            yield b"x" * 65_536

    answer = client.post("/v1/score", content=chunks(), headers=JSON)
    problem(answer, 413, "too_large")


def test_a_body_in_chunks_that_fits_is_judged(client):
    whole = json.dumps(submission(rubric=checking())).encode()
    answer = client.post("/v1/score", content=iter([whole[:40], whole[40:]]), headers=JSON)
    assert answer.json()["reward"] == 1.0


def test_a_body_under_the_limit_is_judged_and_a_byte_more_is_not():
    with served(settings_of(max_body_bytes=2_000)) as client:
        whole = json.dumps(submission(rubric=checking())).encode()
        fits = client.post("/v1/score", content=whole + b" " * (2_000 - len(whole)), headers=JSON)
        exceeds = client.post("/v1/score", content=whole + b" " * (2_001 - len(whole)), headers=JSON)
    assert fits.status_code == 200
    problem(exceeds, 413, "too_large")


def test_a_caller_that_stops_in_the_middle_of_its_body_harms_nobody(client):
    host, port = client.base_url.host, client.base_url.port
    with socket.create_connection((host, port)) as half:
        half.sendall(
            b"POST /v1/score HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{"
        )
    with socket.create_connection((host, port)) as half:
        half.sendall(b"POST /v1/score HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n")
    assert client.post("/v1/score", json=submission(rubric=checking())).json()["reward"] == 1.0


def test_the_callers_request_id_comes_back_where_it_is_harmless(client):
    assert client.get("/healthz", headers={"X-Request-Id": "run-7.step_3"}).headers["x-request-id"] == "run-7.step_3"
    replaced = client.get("/healthz", headers={"X-Request-Id": "a b<script>"}).headers["x-request-id"]
    assert replaced != "a b<script>"
    assert len(replaced) == 16


@pytest.mark.parametrize(
    ("path", "allowed"), [("/v1/jobs", "GET, POST"), ("/v1/rubrics", "GET, POST"), ("/v1/score", "POST")]
)
def test_a_method_that_is_not_known_is_answered_with_all_that_are(client, path, allowed):
    answer = client.request("OPTIONS", path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)


def test_a_bare_number_is_no_time(client):
    answer = client.get("/v1/judgments", params={"until": "0.5"})
    assert answer.status_code == 422
    assert "until: write a time such as 2026-01-31T08:00:00Z" in answer.json()["detail"]
    assert client.get("/v1/judgments", params={"until": "2026-01-31T08:00:00Z"}).status_code == 200


def test_a_scale_with_one_option_is_a_bad_rubric_and_no_error_of_the_server(client):
    scale = {"id": "a", "kind": "scale", "statement": "Says it.", "options": [{"label": "x", "value": 0}]}
    answer = client.post("/v1/score", json=submission(rubric=rubric() | {"criteria": [scale]}))
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:judge-server:error:bad_rubric")


@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/batch"])
def test_ten_thousand_faults_in_one_body_are_told_in_a_moment(client, path):
    faulty = submission(prompt=[{"role": 0, "content": "x"}] * 10_000)
    with work_within(2):  # a tenth of a second; a minute with a look at every pair
        answer = client.post(path, json=faulty if path == "/v1/score" else {"items": [faulty]})
    assert "prompt.0.role: " in answer.text


@pytest.mark.parametrize(
    "fields",
    [{}, {"rubric": 5}, {"response": None}, {"deadline_seconds": -1}, {"unknown": 1}, {"prompt": ""}, {"tags": [""]}],
    ids=["good", "rubric", "response", "deadline", "unknown", "prompt", "tags"],
)
@pytest.mark.parametrize("path", ["/v1/score", "/v1/score/batch"])
def test_a_body_is_answered_alike_however_its_content_type_is_written(client, path, fields):
    """What has the usual header alone does not pass through FastAPI."""
    told = submission(rubric=rubric(checking("kind"))) | fields
    body = json.dumps({"items": [told]} if path.endswith("batch") else told)
    written = ({"content-type": "application/json"}, {"content-type": "application/json; charset=utf-8"})
    plain, longer = (client.post(path, content=body, headers=headers) for headers in written)
    assert plain.status_code == longer.status_code
    if plain.is_success:
        assert _without_chance(plain.json()) == _without_chance(longer.json())
    else:
        assert plain.json() == longer.json()


_OF_CHANCE = {"id", "timing", "created_at"}


def _without_chance(told):
    """Without what differs from one judgment to the next."""
    if isinstance(told, dict):
        return {name: _without_chance(value) for name, value in told.items() if name not in _OF_CHANCE}
    return [_without_chance(one) for one in told] if isinstance(told, list) else told


def failures_told() -> list[tuple[str, int]]:
    """Type and status of each failure of a judge in docs/errors.md."""
    table = (Path(__file__).parents[2] / "docs" / "errors.md").read_text("utf-8").partition("## Of a judge")[2]
    return [(kind, int(status)) for kind, status in re.findall(r"^\| `(\w+)` \| (\d{3}) \|", table, re.MULTILINE)]


@pytest.mark.parametrize(("kind", "status"), failures_told())
def test_a_failure_of_a_judge_has_the_status_that_the_documentation_gives_it(kind, status):
    assert failure_of(Failure(type=kind, detail="It failed.")).status == status
