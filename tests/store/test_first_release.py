"""A database that the first code with a store wrote: 0.1.0, at revision 0001. ``first_database.sql`` is SQLite's dump
of it, made by that code's own ``judge-server score``."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import MetaData, insert, text

from judge_server.cli.actions.rescore import is_changed, replay
from judge_server.store import Store, migration
from judge_server.store.database import Database
from judge_server.store.location import Location
from judge_server.store.revision import newest_revision, revision_of
from tests.served import settings_of

_DUMP = (Path(__file__).parent / "first_database.sql").read_text("utf-8")
_REWARDS = {
    "jdg_18ecad6105c06487e15e879d4863": 0.004288220624418278,
    "jdg_18ecad61090c4d9846705ba3648e": 0.00864021128436224,
    "jdg_18ecad6109019d7f65bb6c855992": 0.04514907235145993,
    "jdg_18ecad61097d65c8e6651f1ab01c": 0.04514907235145993,
}


def _written_by_sqlite(location):
    with sqlite3.connect(location.file) as made:
        made.executescript(_DUMP)
    made.close()


def _copied_to_postgresql(database):
    """The same rows in the same revision's tables, which have one form on both."""
    migration.upgrade(database, "0001")
    written = sqlite3.connect(":memory:")
    written.executescript(_DUMP)

    def copy(connection):
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if table.name == migration.VERSION_TABLE:
                continue
            connection.execute(text(f'DELETE FROM "{table.name}"'))
            found = written.execute(f'SELECT * FROM "{table.name}"')
            names = [column[0] for column in found.description]
            rows = [dict(zip(names, row, strict=True)) for row in found]
            if rows:
                connection.execute(insert(table), rows)

    database.write(copy)
    written.close()


@pytest.fixture
def first(url):
    location = Location.of(url)
    if location.sqlite:
        _written_by_sqlite(location)
    database = Database(location)
    database.prepare()
    if not location.sqlite:
        _copied_to_postgresql(database)
    assert database.read(revision_of) == "0001"
    yield url
    database.close()


async def test_its_judgments_submissions_and_secret_are_read_after_the_upgrade(first):
    store = await Store.open(first)
    try:
        assert (await store.secret()).hex().startswith("25e20965cd16a42c")
        judgments = {name: await store.judgment(name) for name in _REWARDS}
        assert {name: one.reward for name, one in judgments.items()} == _REWARDS
        one = judgments["jdg_18ecad6105c06487e15e879d4863"]
        assert (one.submission.id, one.submission.group, one.submission.step) == ("a", "g1", 3)
        assert one.rubric.id == "medical/consultation"
        assert len(one.verdicts) > 5
        for name, judged in judgments.items():
            assert await store.rubric_by_digest(judged.rubric.digest) is not None
            assert await store.submission(name) is not None
        assert (await store.submission("jdg_18ecad61097d65c8e6651f1ab01c")).response == "Grüße zurück: 漢字 🎉"
    finally:
        await store.close()


async def test_its_tables_are_then_those_of_this_code_and_every_reward_is_repeated(first):
    await (await Store.open(first)).close()  # as a server that starts: who only replays migrates nothing
    replayed, unknown = await replay(settings_of(database=first), [])
    assert not unknown
    assert len(replayed) == len(_REWARDS)
    assert not any(map(is_changed, replayed))
    database = Database(Location.of(first))
    assert database.read(revision_of) == newest_revision()
    assert migration.differences(database) == []
    database.close()
