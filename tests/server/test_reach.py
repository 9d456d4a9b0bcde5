"""What a request cannot reach: addresses, files, templates, and time without end."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from judge_server.store import Store
from tests.served import served, settings_of, until
from tests.stub_judge import StubJudge
from tests.submissions import checking, rubric, submission
from tests.yardstick import PATIENCE_SECONDS, work_within

RUBRIC = """\
id: {id}
version: 1.0.0
title: A rubric
criteria:
  - id: one
    statement: Says something.
    points: 1
"""


@contextmanager
def listener() -> Iterator[tuple[str, list[bytes]]]:
    """An address that should never be asked, and what it heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def listen() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                heard.append(b"a connection")
                connection.close()

        threading.Thread(target=listen, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/x", heard


def asking_for(url: str) -> list[tuple[str, dict]]:
    """Requests with the address wherever a careless server would ask it."""
    pointing = {"kind": "json", "schema": {"$ref": url}}
    check = {"id": "c", "kind": "check", "statement": "s", "points": 1, "check": pointing}
    grader = {"type": "score_model", "name": "g", "model": url, "input": [{"role": "user", "content": url}]}
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]
    return [
        ("/v1/score", submission(judge=url)),
        ("/v1/score", submission(judge=f"openai:stub@{url}")),
        ("/v1/score", submission(rubric=url)),
        ("/v1/score", submission(prompt=image)),
        ("/v1/score", submission(prompt=url, response=f"![picture]({url})", reference=url, facts={"url": url})),
        ("/v1/score", submission(rubric=rubric(criteria=[check]))),
        ("/v1/score", submission(rubric=rubric(**{"$schema": url, "$ref": url}))),
        ("/v1/score/batch", {"items": [submission(rubric=url)], "judge": url}),
        ("/v1/score/group", {"rubric": url, "prompt": "p", "responses": ["a"], "relative": {"judge": url}}),
        ("/v1/jobs", {"items": [submission()], "rubric": url}),
        ("/v1/rescore", {"judgments": [url], "rubric": url}),
        ("/v1/calibrations", {"labels": url, "rubric": url, "judge": url}),
        ("/v1/fine_tuning/alpha/graders/run", {"grader": grader, "item": {}, "model_sample": url}),
        (
            f"/trainers/openrlhf/-?judge={url}",
            {"query": ["pa"], "prompts": ["p"], "labels": [json.dumps({"rubric": url})]},
        ),
        ("/v1/rubrics/validate", {"$ref": url, "id": url, "extends": url, "import": url}),
    ]


def test_no_request_makes_the_server_ask_an_address():
    with listener() as (url, heard), served(settings_of()) as client:
        with pytest.raises(httpx.TransportError):
            httpx.get(url, timeout=PATIENCE_SECONDS)
        until(lambda: heard)  # the control: whoever asks is heard
        heard.clear()
        for path, body in asking_for(url):
            answer = client.post(path, json=body)
            assert answer.status_code < 500, (path, answer.text)
        time.sleep(0.3)
        assert heard == []


TEMPLATES = "{{ 7 * 7 }} {% for x in range(3) %}x{% endfor %} {# gone #} ${7*7} %(a)s {0.__class__} <%= 7*7 %>"


def test_a_text_is_never_a_template():
    criteria = [{"id": "c", "statement": f"Contains {TEMPLATES}", "points": 1}]
    texts = {
        "prompt": f"Prompt {TEMPLATES}",
        "response": f"Response {TEMPLATES}",
        "reference": f"Reference {TEMPLATES}",
    }
    with StubJudge() as judge, served(settings_of(judge.specification)) as client:
        asked = submission(rubric=rubric(criteria=criteria, title=TEMPLATES), **texts)
        assert client.post("/v1/score", json=asked).status_code == 200
        sent = json.dumps(judge.bodies[-1], ensure_ascii=False)
    assert sent.count(TEMPLATES) >= 3
    assert not [said for said in ("Prompt", "Response", "Contains") if f"{said} 49" in sent]
    assert "xxx" not in sent


@pytest.mark.parametrize(
    "evil", ["(a+)+$", "(a|aa)+$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*)(.*)(.*)(.*)(.*)x"]
)
def test_a_pattern_takes_linear_time(evil):
    def judged(check: dict) -> dict:
        criterion = {"id": "c", "kind": "check", "statement": "s", "points": 1, "check": check}
        asked = submission(rubric=rubric(criteria=[criterion]), response='"' + "a" * 100_000 + '!"')
        return client.post("/v1/score", json=asked).json()

    with served(settings_of()) as client:
        for check in (
            {"kind": "regex", "pattern": evil},
            {"kind": "json", "schema": {"type": "string", "pattern": evil}},
        ):
            with work_within(5):  # backtracking would take years
                assert judged(check)["status"] == "ok"


def test_validating_a_rubric_runs_its_pattern_in_linear_time_too():
    alternatives = "|".join(f"[^{chr(0x4E00 + place)}]" for place in range(100))
    check = {"kind": "regex", "pattern": f"x|42|(?:{alternatives}){{6}}[^\\s\\S]"}
    criterion = {"id": "c", "kind": "check", "statement": "s", "points": 1, "check": check}
    with served(settings_of()) as client, work_within(5):  # 100 alternatives to the sixth power would take days
        answer = client.post("/v1/rubrics/validate", json=rubric(criteria=[criterion]))
    assert answer.status_code == 200


@pytest.fixture(scope="module")
def library(tmp_path_factory) -> Path:
    """A folder of rubrics, beside one that is nobody's business."""
    root = tmp_path_factory.mktemp("library")
    for name in ("open", "closed"):
        (root / name).mkdir()
    (root / "open" / "one.yaml").write_text(RUBRIC.format(id="open/one"), "utf-8")
    (root / "closed" / "one.yaml").write_text(RUBRIC.format(id="closed/one"), "utf-8")
    return root


@pytest.mark.parametrize(
    "name",
    [
        "../closed/one",
        "../closed/one.yaml",
        "open/../../closed/one",
        "closed/one",
        "../../../../../../etc/passwd",
        "/etc/passwd",
        "//etc/passwd",
        "file:///etc/passwd",
        "open/one@../../closed/one",
        "open/one\x00",
        "~/.ssh/id_rsa",
        "C:\\Windows\\win.ini",
        "..\\closed\\one",
        "%2e%2e/closed/one",
    ],
)
def test_a_name_is_looked_up_and_is_never_a_path(library, name):
    quoted = "".join(f"%{byte:02x}" for byte in name.encode())
    with served(settings_of(rubrics=(library / "open",))) as client:
        assert client.get("/v1/rubrics/open/one").status_code == 200
        answers = [
            client.get(f"/v1/rubrics/{quoted}"),
            client.get(f"/v1/rubrics/{quoted}/diff?from=1.0.0"),
            client.get(f"/v1/judgments/{quoted}"),
            client.get(f"/v1/jobs/{quoted}"),
            client.get(f"/v1/label-sets/{quoted}"),
            client.get(f"/v1/calibrations/{quoted}"),
            client.post(f"/trainers/openrlhf/{quoted}?on_error=0", json={"query": ["pa"], "prompts": ["p"]}),
            client.post("/v1/score", json=submission(rubric=name)),
            client.post("/v1/score", json=submission(rubric=checking(), judge=name)),
        ]
        if name != "closed/one":  # which would be a good name for a new one
            answers.append(client.post("/v1/rubrics", content=RUBRIC.format(id=json.dumps(name))))
    for answer in answers:
        assert 400 <= answer.status_code < 500, (answer.request.url, answer.text)
        assert "root:" not in answer.text
        assert "Says something" not in answer.text


async def test_what_a_request_names_makes_no_file(library, tmp_path):
    before = sorted(path for path in library.rglob("*"))
    database = tmp_path / "only.db"
    with served(settings_of(database=f"sqlite:///{database}", rubrics=(library / "open",))) as client:
        client.post("/v1/rubrics", content=RUBRIC.format(id="open/two"))
        client.post(
            "/v1/labels",
            json={
                "label_set": "a/../../b",
                "labels": [{"item": "../x", "criterion": "c", "annotator": "../../y", "label": True}],
            },
        )
        client.post("/v1/score", json=submission(id="../../x", group="../../y", policy="/etc/z"))
    assert sorted(path for path in library.rglob("*")) == before
    assert {path.name for path in tmp_path.iterdir()} <= {"only.db", "only.db-wal", "only.db-shm"}
    store = await Store.open(f"sqlite:///{database}")
    assert (await store.counts())["judgments"] == 1
    await store.close()
