"""Locks of other sessions: a wait for one ends, and so does a wait of a request for the store."""

import asyncio
import sqlite3
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from judge_server.core.errors import StoreUnavailable
from judge_server.store import Store
from judge_server.util.deadline import wait_ends_at
from tests.served import until
from tests.store.values import judgment, rubric, submission
from tests.yardstick import PATIENCE_SECONDS


@pytest.mark.parametrize("url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
async def test_a_locked_table_of_postgresql_is_waited_for_a_few_seconds_and_named(url):
    store = await Store.open(url)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.begin() as other:
            other.execute(text("LOCK TABLE judgment"))
            started = time.monotonic()
            with pytest.raises(StoreUnavailable, match="locked by another session"):
                await store.save(judgment(rubric(1), submission()), submission(), rubric(1))
            assert time.monotonic() - started > 3  # lock_timeout, and no longer: "locked" is what PostgreSQL says then
        await store.save(judgment(rubric(1), submission()), submission(), rubric(1))
    finally:
        engine.dispose()
        await store.close()


async def test_a_wait_for_the_store_ends_half_a_second_after_the_deadline(tmp_path):
    store = await Store.open(f"sqlite:///{tmp_path / 'judge.db'}")
    loop = asyncio.get_running_loop()
    free = threading.Event()
    busy = [loop.run_in_executor(threads, free.wait) for threads in (store._writing, *[store._reading] * 4)]

    async def bounded(work) -> None:
        wait_ends_at.set(time.monotonic() + 0.7)
        with pytest.raises(StoreUnavailable, match="before the deadline"):
            await work

    waits = [
        store.save(judgment(rubric(1), submission()), submission(), rubric(1)),
        store.recall(["key"]),
        store.judgments(),
        store.put_rubric(rubric(1), published=True),
    ]
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.gather(*(asyncio.create_task(bounded(wait)) for wait in waits))
    free.set()
    await asyncio.gather(*busy)
    assert await store.ping() is None, "a wait that ended holds nothing"
    await store.close()


def open_files(file) -> int:
    """How often this process has it open."""
    links = []
    for place in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            links.append(str(place.readlink()))
    return links.count(str(file))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux alone lists a process's open files there")
@pytest.mark.parametrize("held", ["_writing", "_reading"])
async def test_a_store_that_cannot_close_in_time_leaves_nothing_open_once_the_database_answers(tmp_path, held):
    file = tmp_path / "judge.db"
    store = await Store.open(f"sqlite:///{file}")
    loop, free = asyncio.get_running_loop(), threading.Event()
    busy = loop.run_in_executor(getattr(store, held), free.wait)
    saving = asyncio.create_task(store.save(judgment(rubric(1), submission()), submission(), rubric(1)))
    await asyncio.sleep(0)
    await store.close()
    assert open_files(file) > 0
    free.set()
    await asyncio.gather(busy, saving, return_exceptions=True)
    await asyncio.to_thread(until, lambda: open_files(file) == 0)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Linux alone lists a process's open files there")
async def test_a_store_whose_opener_left_is_closed_when_the_database_answers(tmp_path):
    file = tmp_path / "judge.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(Store.open(f"sqlite:///{file}", patience_seconds=PATIENCE_SECONDS))
        await asyncio.to_thread(until, lambda: open_files(file) > 1)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert open_files(file) > 1
        other.execute("ROLLBACK")
    await asyncio.to_thread(until, lambda: open_files(file) == 0)


@pytest.mark.parametrize("url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
async def test_a_database_without_room_for_texts_is_not_ready_although_a_small_row_still_fits(url):
    store = await Store.open(url)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with engine.begin() as other:
            other.execute(
                text(
                    "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
                    "$$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
                )
            )
            other.execute(text("CREATE TRIGGER no_room BEFORE INSERT ON text FOR EACH ROW EXECUTE FUNCTION no_room()"))
        await store.prove_writable()
        with pytest.raises(StoreUnavailable):
            await store.save(judgment(rubric(1), submission()), submission(), rubric(1))
        with pytest.raises(StoreUnavailable):
            await store.prove_writable()
        with engine.begin() as other:
            other.execute(text("DROP FUNCTION no_room CASCADE"))
        await store.prove_writable()
        await store.save(judgment(rubric(1), submission()), submission(), rubric(1))
    finally:
        engine.dispose()
        await store.close()


@pytest.mark.parametrize("url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
async def test_after_a_failover_a_connection_to_what_is_now_a_standby_is_replaced(url):
    store = await Store.open(url)
    try:
        await store._write(lambda one: one.execute(text("SET SESSION default_transaction_read_only = on")))
        made = judgment(rubric(1), submission())
        await store.save(made, submission(), rubric(1))
        assert await store.judgment(made.id) == made
    finally:
        await store.close()
