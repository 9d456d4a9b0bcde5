"""Rubrics on a disk that hangs or cannot be read: what was read last holds, and no request waits for a file."""

from pathlib import Path

import pytest

from judge_server.authoring.lock import LOCK, copy_path
from tests.command import judge_server
from tests.served import served, settings_of, until
from tests.server.hanging import unread
from tests.submissions import submission

RUBRIC = """\
id: t/{name}
version: 1.0.0
title: T
criteria:
  - id: c
    statement: Says what to do.
    points: 1
"""


@pytest.fixture
def folder(tmp_path) -> Path:
    rubrics = tmp_path / "rubrics"
    rubrics.mkdir()
    (rubrics / "one.yaml").write_text(RUBRIC.format(name="one"))
    return rubrics


def _asked(client, rubric="t/one", **headers):
    return client.post("/v1/score", json=submission(rubric=rubric), headers=headers)


def test_rubrics_of_a_disk_that_hangs_go_on_judging_and_readiness_says_so(folder):
    with served(settings_of(rubrics=(folder,))) as client:
        with unread(folder / LOCK):
            until(lambda: "disk hangs" in str(client.get("/readyz").json()["rubric_faults"]))
            assert _asked(client).status_code == 200
            assert client.get("/v1/rubrics").status_code == 200
            assert client.get("/readyz").status_code == 200
        (folder / "two.yaml").write_text(RUBRIC.format(name="two"))
        until(lambda: _asked(client, "t/two").status_code == 200)
        until(lambda: client.get("/readyz").json()["rubric_faults"] == [])


def test_a_lock_that_becomes_unreadable_changes_nothing_and_is_said(folder):
    with served(settings_of(rubrics=(folder,))) as client:
        (folder / LOCK).write_text("no lock at all\n")
        until(lambda: "cannot be read" in str(client.get("/readyz").json()["rubric_faults"]))
        assert _asked(client).status_code == 200
        (folder / LOCK).unlink()
        until(lambda: client.get("/readyz").json()["rubric_faults"] == [])


def test_a_published_copy_on_a_disk_that_hangs_is_waited_for_until_the_deadline(folder):
    published = judge_server("rubric", "publish", "rubrics/one.yaml", cwd=folder.parent)
    assert published.returncode == 0, published.stderr
    (folder / "one.yaml").write_text(RUBRIC.format(name="one").replace("1.0.0", "1.1.0"))
    with served(settings_of(rubrics=(folder,))) as client:
        copy = copy_path(folder, "t/one", "1.0.0")
        with unread(copy):
            answer = _asked(client, "t/one@1.0.0", **{"Deadline-Seconds": "0.2"})
            assert (answer.status_code, answer.json()["type"]) == (503, "urn:judge-server:error:rubrics_unavailable")
            assert answer.headers["retry-after"] == "5"
            assert _asked(client).status_code == 200
        until(lambda: _asked(client, "t/one@1.0.0").status_code == 200)
