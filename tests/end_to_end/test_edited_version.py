"""A published version whose file was edited judges nothing: not in a server that starts with it, not in one that runs,
and not in the commands. Each says which content was published, which file differs, and what to do."""

import json
import signal
from pathlib import Path

import pytest

from tests.command import judge_server, serving
from tests.served import until

RUBRIC = """\
id: t/water
version: 1.0.0
title: Water
criteria:
  - id: water
    statement: "Recommends drinking plenty of water."
    points: 2
"""
OTHER = RUBRIC.replace("t/water", "t/walk").replace("plenty of water", "and walking")
EDITED = RUBRIC.replace("plenty", "a lot")
BODY = {"rubric": "t/water", "prompt": "It is hot.", "response": "Drink plenty of water."}
LABELS = "item,criterion,annotator,role,label,prompt,response\n1,water,ann,human,met,It is hot.,Drink water.\n"
REMEDY = "Give the changed rubric a new version"


@pytest.fixture
def folder(tmp_path) -> Path:
    """With one published rubric and one that is a draft."""
    rubrics = tmp_path / "rubrics"
    rubrics.mkdir()
    (rubrics / "water.yaml").write_text(RUBRIC)
    (rubrics / "walk.yaml").write_text(OTHER)
    published = judge_server("rubric", "publish", "rubrics/water.yaml", cwd=tmp_path)
    assert published.returncode == 0, published.stderr
    return rubrics


def edit(folder: Path, text: str = EDITED) -> None:
    (folder / "water.yaml").write_text(text)


def started(folder: Path):
    return serving("--model", "baseline", "--rubrics", folder, cwd=folder.parent)


def test_a_server_that_starts_with_an_edited_version_refuses_it_names_it_and_serves_the_others(folder):
    edit(folder)
    with started(folder) as (client, server):
        refused = client.post("/v1/score", json=BODY)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:judge-server:error:rubric_conflict")
        assert "t/water@1.0.0 is published with the digest sha256:" in refused.json()["detail"]
        assert str(folder / "water.yaml") in refused.json()["detail"]
        assert REMEDY in refused.json()["remedy"]
        assert client.get("/v1/rubrics/t/water").status_code == 409
        assert client.post("/v1/score", json=BODY | {"rubric": "t/walk"}).status_code == 200
        assert [one["id"] for one in client.get("/v1/rubrics").json()["rubrics"]] == ["t/walk"]
        (fault,) = client.get("/readyz").json()["rubric_faults"]
        assert fault.startswith("t/water@1.0.0: t/water@1.0.0 is published with the digest")
        until(lambda: sum("nothing is judged under it" in line for line in server.log) == 1)


def test_an_edit_while_a_server_runs_is_refused_with_and_without_a_hangup_until_it_is_undone(folder):
    with started(folder) as (client, server):

        def status() -> int:
            return client.post("/v1/score", json=BODY).status_code

        before = client.post("/v1/score", json=BODY).json()
        edit(folder)
        until(lambda: status() == 409)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: any("SIGHUP" in line for line in server.log))
        assert status() == 409
        assert client.get(f"/v1/judgments/{before['id']}").json()["reward"] == before["reward"]
        edit(folder, RUBRIC)
        until(lambda: status() == 200)
        assert client.post("/v1/score", json=BODY).json()["reward"] == before["reward"]
        edit(folder, EDITED.replace("1.0.0", "1.0.1"))
        until(lambda: client.post("/v1/score", json=BODY | {"rubric": "t/water@1.0.1"}).status_code == 200)
        assert client.get("/readyz").json()["rubric_faults"] == []


def test_score_gives_no_reward_under_an_edited_version(folder):
    edit(folder)
    found = judge_server("score", "-", "--rubrics", folder, "--model", "baseline", stdin=json.dumps(BODY))
    judgment = json.loads(found.stdout)
    assert (judgment["reward"], judgment["error"]["type"]) == (None, "rubric_conflict")
    assert REMEDY in judgment["error"]["detail"]
    assert "1 failed (no reward: 1 x rubric_conflict)" in found.stderr


@pytest.mark.parametrize(
    "command",
    [
        ("run", "--labels", "labels.csv", "--rubric", "t/water", "--rubrics", "rubrics", "--model", "baseline"),
        ("run", "--labels", "labels.csv", "--rubric", "rubrics/water.yaml", "--model", "baseline"),
        ("report", "labels.csv", "--rubric", "rubrics/water.yaml"),
        ("gate", "labels.csv", "--judge", "gpt", "--rubric", "rubrics/water.yaml"),
        ("sheet", "--rubric", "rubrics/water.yaml", "--items", "labels.csv", "--annotator", "ann", "--out", "x.csv"),
    ],
    ids=["run by name", "run by file", "report", "gate", "sheet"],
)
def test_calibrate_measures_nothing_under_an_edited_version(folder, command):
    edit(folder)
    (folder.parent / "labels.csv").write_text(LABELS)
    found = judge_server("calibrate", *command, cwd=folder.parent)
    assert found.returncode == 2
    assert "error: t/water@1.0.0 is published with the digest" in found.stderr
    assert REMEDY in " ".join(found.stderr.split())
