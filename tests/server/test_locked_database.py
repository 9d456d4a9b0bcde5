"""A database that another process holds locked delays no answer beyond its deadline."""

import sqlite3

from tests.served import served, settings_of
from tests.server.test_operations import samples
from tests.submissions import rubric, submission


def test_a_locked_database_holds_a_request_no_longer_than_its_deadline(tmp_path):
    file = tmp_path / "judge.db"
    with served(settings_of(database=f"sqlite:///{file}")) as client:
        lock = sqlite3.connect(file, isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        for more in ({}, {"run": "grpo-7"}, {"rubric": "medical/consultation"}):
            asked = submission(rubric=rubric(1), deadline_seconds=3) | more
            answer = client.post("/v1/score", json=asked)
            assert answer.status_code == 503, answer.text
            assert answer.json()["type"] == "urn:judge-server:error:store_unavailable"
            assert "before the deadline" in answer.json()["detail"], more  # and not when SQLite gave up, after 10 s
        counted = samples(client.get("/metrics").text).items()
        cut_off = [value for name, value in counted if "store_errors_total" in name and '"cancelled"' in name]
        assert sum(cut_off) >= 1, "the database's faults are seen though its callers left"
        lock.execute("ROLLBACK")
        lock.close()
