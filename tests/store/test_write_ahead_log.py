"""SQLite's write-ahead log is copied into the file beside the commits, and emptied when an erased text must go."""

import time
from pathlib import Path

import pytest
from sqlalchemy import text

from judge_server.store.database import Database
from judge_server.store.location import Location
from tests.yardstick import PATIENCE_SECONDS

ROWS = 100  # of 4 KB: a tenth of what a commit would have to write until it copies the log itself


@pytest.fixture
def database(tmp_path):
    opened = Database(Location.of(f"sqlite:///{tmp_path / 'judge.db'}"))
    opened.prepare()
    opened.write(lambda connection: connection.execute(text("CREATE TABLE note (words BLOB)")))
    yield opened
    opened.close()


def add(database: Database, words: bytes) -> None:
    insert = text("INSERT INTO note VALUES (:words)")
    database.write(lambda connection: connection.execute(insert, {"words": words}))


def test_commits_go_on_while_the_log_is_copied_and_leave_it_to_another_thread(database, tmp_path):
    path: Path = tmp_path / "judge.db"
    for _ in range(ROWS):
        add(database, b"x" * 4_096)
    give_up = time.monotonic() + PATIENCE_SECONDS
    while path.stat().st_size < ROWS * 4_096:
        assert time.monotonic() < give_up, "the log was not copied"
        add(database, b"more")
        time.sleep(0.2)


def test_a_text_that_was_overwritten_is_in_no_file_after_a_checkpoint(database, tmp_path):
    add(database, b"a secret in the log")
    assert b"a secret in the log" in (tmp_path / "judge.db-wal").read_bytes()
    database.write(lambda connection: connection.execute(text("DELETE FROM note")))
    database.checkpoint()
    assert not any(b"a secret in the log" in path.read_bytes() for path in tmp_path.iterdir())


def test_a_closed_database_has_no_log(database, tmp_path):
    add(database, b"kept")
    database.close()
    assert not (tmp_path / "judge.db-wal").exists()
    assert b"kept" in (tmp_path / "judge.db").read_bytes()
