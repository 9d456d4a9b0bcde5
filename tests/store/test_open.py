"""Opening: the forms of a URL, the secret, and errors that say what to do without giving the password away."""

import asyncio
import sqlite3

import psycopg
import pytest

from judge_server.core.errors import BadConfiguration, StoreUnavailable
from judge_server.store import Store
from judge_server.store.location import Location
from tests.store.values import judgment, rubric, submission

FORMS = {
    "sqlite:///relative.db": "relative.db",
    "sqlite:////srv/judge.db": "/srv/judge.db",
    "sqlite:///odd ?#%41 name.db": "odd ?#%41 name.db",
    "bare.db": "bare.db",
    "/srv/bare.db": "/srv/bare.db",
}
IN_MEMORY = ["sqlite://", "sqlite:///", "sqlite:///:memory:", ":memory:"]
POSTGRESQL = ["postgresql://u:p@h/db", "postgres://u:p@h/db", "postgresql+psycopg://u:p@h/db"]
BAD = {
    "": "empty",
    "mysql://user:secret-word@host/db": "mysql://",
    "sqlite://relative.db": "three slashes",
    "postgresql://user:secret@word@host/db": "percent-encoded",
    "postgresql://user:secret-word@host:port/db": "cannot be read",
    "postgresql://user:secret-word@host": "cannot be read",
}


@pytest.mark.parametrize(("url", "path"), FORMS.items())
def test_a_file_is_named_by_url_or_by_path(url, path):
    assert str(Location.of(url).file) == path


@pytest.mark.parametrize("url", IN_MEMORY)
def test_an_sqlite_url_without_a_file_is_in_memory(url):
    assert Location.of(url).memory


@pytest.mark.parametrize("url", POSTGRESQL)
def test_every_spelling_of_postgresql_gets_the_one_driver(url):
    location = Location.of(url)
    assert location.url.drivername == "postgresql+psycopg"
    assert location.url.password == "p"


@pytest.mark.parametrize(("url", "said"), BAD.items())
async def test_a_url_that_cannot_be_read_is_refused_with_the_right_form(url, said):
    with pytest.raises(BadConfiguration) as refused:
        await Store.open(url)
    assert said in str(refused.value)
    assert refused.value.remedy.startswith("Write ")
    assert "secret" not in str(refused.value)
    assert "word@" not in str(refused.value).replace("password@", "")


async def test_a_store_in_memory_works_like_any_other():
    store = await Store.open("sqlite://")
    asked, judged = rubric(), submission()
    made = [judgment(asked, judged) for _ in range(20)]
    await asyncio.gather(*(store.save(one, judged, asked) for one in made), *(store.counts() for _ in range(20)))
    assert await store.judgment(made[7].id) == made[7]
    await store.close()


async def test_the_secret_is_made_once_for_each_database(url, tmp_path):
    first, second = await asyncio.gather(Store.open(url), Store.open(url))
    other = await Store.open(str(tmp_path / "other.db"))
    secret = await first.secret()
    assert len(secret) == 32
    assert await second.secret() == secret
    assert await other.secret() != secret
    await asyncio.gather(first.close(), second.close(), other.close())
    again = await Store.open(url)
    assert await again.secret() == secret
    await again.close()


async def test_a_closed_store_says_so_and_can_be_closed_again(url):
    store = await Store.open(url)
    await store.ping()
    await store.close()
    await store.close()
    asked, judged = rubric(), submission()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.ping()
    with pytest.raises(StoreUnavailable, match="closed"):
        await store.save(judgment(asked, judged), judged, asked)


async def test_closing_keeps_what_was_on_its_way(url):
    store = await Store.open(url)
    asked, judged = rubric(), submission()
    made = [judgment(asked, judged) for _ in range(100)]
    saves = [asyncio.create_task(store.save(one, judged, asked)) for one in made]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*saves)
    again = await Store.open(url)
    assert (await again.counts())["judgments"] == 100
    await again.close()


async def test_a_missing_directory_is_named(tmp_path):
    with pytest.raises(BadConfiguration, match="directory") as refused:
        await Store.open(str(tmp_path / "nowhere" / "judge.db"))
    assert str(tmp_path / "nowhere") in str(refused.value)


async def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("Buy milk. " * 1000)
    with pytest.raises(BadConfiguration, match="not a SQLite database"):
        await Store.open(str(path))
    assert path.read_text() == "Buy milk. " * 1000


async def test_a_damaged_database_is_refused(tmp_path):
    path = tmp_path / "judge.db"
    await (await Store.open(str(path))).close()
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * (4096 - 100)
    path.write_bytes(content)
    with pytest.raises(BadConfiguration, match="damaged"):
        await Store.open(str(path))


async def test_a_read_only_database_is_refused(tmp_path):
    path = tmp_path / "judge.db"
    await (await Store.open(str(path))).close()
    content = bytearray(path.read_bytes())
    content[18] = 3  # the file format says: written by a newer SQLite, read only (even for root, unlike a mode)
    path.write_bytes(content)
    with pytest.raises(BadConfiguration, match="read-only"):
        await Store.open(str(path))


async def test_a_lock_that_another_process_keeps_makes_saving_unavailable_and_not_reading(tmp_path):
    path = tmp_path / "judge.db"
    store = await Store.open(str(path), patience_seconds=0.1)
    asked, judged = rubric(), submission()
    made = [judgment(asked, judged) for _ in range(20)]
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    outcomes = await asyncio.gather(*(store.save(one, judged, asked) for one in made), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {StoreUnavailable}
    assert "locked by another process" in str(outcomes[0])
    assert (await store.counts())["judgments"] == 0
    blocker.execute("ROLLBACK")
    blocker.close()
    await store.save(made[0], judged, asked)
    assert await store.judgment(made[0].id) == made[0]
    await store.close()


@pytest.mark.postgres
async def test_a_server_that_does_not_answer_is_unavailable_and_the_password_stays_secret():
    with pytest.raises(StoreUnavailable) as refused:
        await Store.open("postgresql://judge:secret-word@127.0.0.1:1/judge?connect_timeout=2")
    assert "127.0.0.1:1" in str(refused.value)
    assert "PostgreSQL runs there" in refused.value.remedy
    assert "secret-word" not in str(refused.value)


@pytest.mark.postgres
@pytest.mark.parametrize("user", ["judge", "stranger"])
async def test_a_missing_database_or_user_is_a_wrong_configuration(postgres, user):
    with pytest.raises(BadConfiguration) as refused:
        await Store.open(postgres.url("nowhere", user))
    assert "does not exist" in str(refused.value)
    assert "secret-word" not in str(refused.value)


@pytest.mark.postgres
async def test_a_postgresql_database_that_cannot_hold_every_character_is_refused(postgres):
    url = postgres.new_database("ENCODING LATIN1 TEMPLATE template0 LOCALE 'C'")
    with pytest.raises(BadConfiguration, match="LATIN1"):
        await Store.open(url)


@pytest.mark.postgres
async def test_a_read_only_postgresql_is_refused(postgres):
    url = postgres.new_database()
    await (await Store.open(url)).close()
    name = Location.of(url).url.database
    postgres.run(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(BadConfiguration, match="read-only"):
        await Store.open(url)


@pytest.mark.postgres
async def test_a_store_survives_a_restart_of_postgresql(postgres):
    store = await Store.open(postgres.new_database())
    asked, judged = rubric(), submission()
    before, meanwhile, after = (judgment(asked, judged) for _ in range(3))
    await store.save(before, judged, asked)
    await asyncio.gather(*(store.ping() for _ in range(8)))
    postgres.stop()
    with pytest.raises(StoreUnavailable):
        await store.save(meanwhile, judged, asked)
    with pytest.raises(StoreUnavailable):
        await store.judgment(before.id)
    postgres.start()
    await store.save(after, judged, asked)
    assert await store.judgment(before.id) == before
    assert await store.judgment(after.id) == after
    await store.close()


@pytest.mark.postgres
async def test_a_connection_that_postgresql_cut_is_made_again_unnoticed(postgres):
    url = postgres.new_database()
    store = await Store.open(url)
    asked, judged = rubric(), submission()
    made = judgment(asked, judged)
    await store.ping()
    with psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        own = (Location.of(url).url.database,)
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", own)
    await store.save(made, judged, asked)
    assert await store.judgment(made.id) == made
    await store.close()


async def test_a_new_database_begins_with_the_given_secret_and_an_old_one_keeps_its_own(url):
    first = await Store.open(url, secret=b"a" * 32)
    await first.close()
    second = await Store.open(url, secret=b"b" * 32)
    kept = await second.secret()
    await second.close()
    assert kept == b"a" * 32
