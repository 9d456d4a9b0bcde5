"""A SQLite file that becomes read-only under a running server, as if its file system was remounted after an error."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.served import judged_by, until
from tests.server.keys import problem
from tests.stub_judge import faithful
from tests.submissions import rubric, submission


@contextmanager
def immutable(*files) -> Iterator[None]:
    """Nobody writes to them meanwhile, not even by what is open already. The index in memory stays out: its pages are
    mapped, and a process that writes to a mapping without permission is ended by the system."""
    chattr = shutil.which("chattr") or "true"
    changed = subprocess.run([chattr, "+i", *files], check=False, capture_output=True)
    try:
        if changed.returncode != 0 or chattr == "true":
            pytest.skip("only root makes files immutable, and not on every file system")
        yield
    finally:
        subprocess.run([chattr, "-i", *files], check=False, capture_output=True)


def scored(client, text):
    return client.post("/v1/score", json=submission(response=text, rubric=rubric(1)))


def test_what_cannot_be_stored_is_refused_while_the_rest_is_shown_and_the_server_recovers_by_itself(tmp_path):
    path = tmp_path / "judge.db"
    with judged_by(faithful(), database=f"sqlite:///{path}", cache_entries=0) as (client, _):
        kept = scored(client, "Before.").raise_for_status().json()["id"]
        with immutable(path, f"{path}-wal"):
            if scored(client, "Meanwhile.").status_code == 200:
                pytest.skip("this file system lets what is open be written to")
            problem(scored(client, "Meanwhile."), 503, "store_unavailable")
            item = {"items": [submission(response="Meanwhile.", rubric=rubric(1))]}
            problem(client.post("/v1/jobs", json=item), 503, "store_unavailable")
            until(lambda: client.get("/readyz").status_code == 503)
            for shown in (f"/v1/judgments/{kept}", f"/judgments/{kept}", "/metrics", "/healthz"):
                assert client.get(shown).status_code == 200, shown
        until(lambda: client.get("/readyz").status_code == 200)
        scored(client, "After.").raise_for_status()
        stored = client.get("/v1/judgments", params={"include": "text"}).json()["judgments"]
        assert len(stored) == 2
