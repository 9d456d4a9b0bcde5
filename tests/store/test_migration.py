"""The migrations make exactly the tables of the code, and can be taken back."""

import asyncio
from contextlib import contextmanager

import pytest
from alembic.autogenerate import compare_metadata
from sqlalchemy import inspect, text

from judge_server.core.errors import BadConfiguration
from judge_server.store import Store, migration
from judge_server.store.database import Database
from judge_server.store.location import Location
from judge_server.store.measuring_schema import METADATA
from judge_server.store.new_tables import made_again
from judge_server.store.revision import newest_revision
from tests.store.values import judgment, rubric, submission


@contextmanager
def opened(url):
    database = Database(Location.of(url))
    database.prepare()
    yield database
    database.close()


@pytest.fixture
def database(url):
    with opened(url) as database:
        yield database


def differences(database):
    return database.read(lambda connection: compare_metadata(migration.context_of(connection), METADATA))


def tables(database):
    return database.read(lambda connection: set(inspect(connection).get_table_names()))


def test_the_migrations_make_exactly_the_tables_of_the_code(database):
    migration.upgrade(database, newest_revision())  # by number, every migration runs
    assert differences(database) == []
    assert tables(database) == set(METADATA.tables) | {migration.VERSION_TABLE}


PARTS = {
    "sqlite": ("SELECT type, name, tbl_name, sql FROM sqlite_master",),
    "postgresql": (
        (
            "SELECT attrelid::regclass::text, attname, format_type(atttypid, atttypmod), attnotnull, attidentity::text,"
            " attstorage::text, attcompression::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
            "WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped"
        ),
        "SELECT adrelid::regclass::text, pg_get_expr(adbin, adrelid) FROM pg_attrdef",
        "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace",
        "SELECT sequencename, data_type::text, last_value FROM pg_sequences WHERE schemaname = 'public'",
        "SELECT relname, reloptions::text FROM pg_class WHERE relnamespace = 'public'::regnamespace",
        "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    ),
}


def everything(database):
    """What the tables are made of, and their rows, without the record of who migrated."""
    rows = [f'SELECT * FROM "{table}"' for table in sorted(tables(database) - {"migrated_by"})]

    def found(query):
        return database.read(lambda connection: sorted(str(tuple(row)) for row in connection.execute(text(query))))

    return [found(query) for query in (*PARTS[database.location.url.get_backend_name()], *rows)]


def test_a_later_new_database_of_a_process_is_made_like_the_first_without_its_migrations(request, url, tmp_path):
    def another(name):
        return (
            f"sqlite:///{tmp_path / name}" if "sqlite" in url else request.getfixturevalue("postgres").empty_database()
        )

    with opened(url) as database:
        migration.upgrade(database, newest_revision())
        migrated = everything(database)
    with opened(another("second.db")) as database:
        migration.upgrade(database)
    with opened(another("later.db")) as database:
        assert database.write(made_again)
        assert everything(database) == migrated
        assert f"('{newest_revision()}',)" in str(migrated)


async def test_a_database_that_was_only_migrated_can_be_read(url, database):
    migration.upgrade(database)
    store = await Store.open(url, migrate=False)
    assert await store.secret()
    await store.close()


def test_an_empty_database_differs(database):
    assert len(differences(database)) >= len(METADATA.tables)


def test_migrations_can_be_taken_back_and_done_again(database):
    migration.upgrade(database)
    migration.downgrade(database)
    assert tables(database) == {migration.VERSION_TABLE}
    migration.upgrade(database)
    assert differences(database) == []


def test_upgrading_twice_changes_nothing(database):
    migration.upgrade(database)
    migration.upgrade(database)
    assert differences(database) == []


async def test_opening_again_keeps_what_is_there(url):
    store = await Store.open(url)
    asked, judged = rubric(), submission()
    made = judgment(asked, judged)
    await store.save(made, judged, asked)
    await store.close()
    again = await Store.open(url)
    assert await again.judgment(made.id) == made
    await again.close()


async def test_many_may_open_a_new_database_at_once(url):
    stores = await asyncio.gather(*(Store.open(url) for _ in range(5)))
    assert len({await store.secret() for store in stores}) == 1
    await asyncio.gather(*(store.close() for store in stores))


async def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(url, database):
    await (await Store.open(url)).close()
    newer = text(f"UPDATE {migration.VERSION_TABLE} SET version_num = '9999'")
    database.write(lambda connection: connection.execute(newer))
    with pytest.raises(BadConfiguration, match="9999") as refused:
        await Store.open(url)
    assert "Upgrade judge-server" in refused.value.remedy
    assert tables(database) == set(METADATA.tables) | {migration.VERSION_TABLE}


async def test_a_migration_that_fails_leaves_nothing_behind(url, database):
    database.write(lambda connection: connection.execute(text("CREATE TABLE verdict (other integer)")))
    before = tables(database)
    with pytest.raises(Exception, match="already exists"):
        await Store.open(url)
    assert tables(database) == before


async def test_stored_texts_survive_the_migration_to_one_row_each_and_back(url, database):
    given = [
        submission("Ein Bär. 🧑🏽‍⚕️", reference="r\0"),
        submission([{"role": "assistant", "content": 'a\\b "q"'}], run="r"),
        submission("Ein Bär. 🧑🏽‍⚕️", rubric=rubric(2)),
        submission("Ein Bär. 🧑🏽‍⚕️", facts={"age": 3}, step=2**70, policy="p", judge="main"),
    ]
    made = [judgment(rubric(2), one) for one in given]
    store = await Store.open(url)
    for one, judged in zip(given, made, strict=True):
        await store.save(judged, one, rubric(2))
    assert await store.audits.keep(made[0].id, "auditor", None)
    await store.close()
    for revision in ("0020", "head", "0011", "head"):
        move = migration.upgrade if revision == "head" else migration.downgrade
        move(database, revision)
    assert differences(database) == []
    store = await Store.open(url)
    for one, judged in zip(given, made, strict=True):
        assert await store.judgment(judged.id) == judged
        assert await store.submission(judged.id) == one
    assert not await store.audits.keep(made[0].id, "auditor", None), "the audit is still there"
    await store.close()
    count = database.read(lambda connection: connection.execute(text("SELECT count(*) FROM text")).scalar_one())
    assert count == 4  # one prompt, two responses, one reference


async def test_an_older_version_gets_texts_in_the_compression_that_it_knows(url, database):
    store, given = await Store.open(url), submission("You should talk to your doctor about it. " * 9)
    await store.save(judgment(rubric(1), given), given, rubric(1))
    await store.remember({"a": {"value": 0.5}})
    await store.close()

    def kinds() -> set[bytes]:
        contents = text("SELECT content FROM text")
        return database.read(lambda connection: {bytes(row[0])[:1] for row in connection.execute(contents)})

    assert kinds() == {b"\5"}
    migration.downgrade(database, "0023")
    assert kinds() == {b"\1"}
    migration.upgrade(database)
    store = await Store.open(url)
    assert (await store.judgments(text="talk to your doctor")).items
    assert await store.recall(["a"]) == {}
    await store.close()


def test_the_newest_revision_by_name_is_the_head_of_the_migrations():
    assert newest_revision() == migration._scripts().get_current_head()
    assert [script.revision for script in migration._scripts().walk_revisions()][-1] == "0001"
