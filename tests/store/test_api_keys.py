"""API keys in the store: digests only, revoked for good, last use remembered."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from judge_server.core.api_key import ApiKey, new_key
from judge_server.core.caller import Allowance
from judge_server.store import Store
from judge_server.store.database import Database
from judge_server.store.location import Location

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def key(name: str = "trainer", **fields) -> ApiKey:
    made = new_key()
    return ApiKey(id=made.id, name=name, sha256=made.sha256, **{"scopes": {"score"}, **fields})


async def test_a_key_comes_back_as_it_was_added(store):
    allowance = Allowance(requests_per_second=2.5, burst=7, submissions_under_way=64, most_urgent="batch")
    given = key(scopes={"score", "label"}, allowance=allowance, expires_at=NOW + timedelta(days=1))
    added = await store.api_keys.add(given, NOW)
    assert added == given.model_copy(update={"created_at": NOW})
    assert await store.api_keys.all() == (added,)


async def test_keys_are_listed_newest_first(store):
    first = await store.api_keys.add(key("one"), NOW)
    second = await store.api_keys.add(key("two"), NOW + timedelta(seconds=1))
    assert await store.api_keys.all() == (second, first)


async def test_a_revoked_key_stays_revoked_and_listed(store):
    kept = await store.api_keys.add(key("kept"), NOW)
    lost = await store.api_keys.add(key("lost"), NOW)
    later = NOW + timedelta(hours=1)
    assert [one.id for one in await store.api_keys.revoke(lost.id, later)] == [lost.id]
    assert await store.api_keys.revoke(lost.id, later + timedelta(hours=1)) == ()
    listed = {one.id: one for one in await store.api_keys.all()}
    assert listed[lost.id].revoked_at == later
    assert listed[kept.id].revoked_at is None


async def test_a_name_revokes_every_key_of_that_name(store):
    ids = {(await store.api_keys.add(key("rotated"), NOW)).id for _ in range(2)}
    await store.api_keys.add(key("other"), NOW)
    assert {one.id for one in await store.api_keys.revoke("rotated", NOW)} == ids


async def test_last_use_only_moves_forward(store):
    added = await store.api_keys.add(key(), NOW)
    later = NOW + timedelta(minutes=5)
    await store.api_keys.used({added.id: later, "ffffffffffff": later})
    await store.api_keys.used({added.id: NOW})
    assert [one.last_used_at for one in await store.api_keys.all()] == [later]


async def test_no_secret_is_in_the_database(url):
    made = new_key()
    store = await Store.open(url)
    await store.api_keys.add(ApiKey(id=made.id, name="n", sha256=made.sha256, scopes={"admin"}), NOW)
    await store.close()
    database = Database(Location.of(url))
    database.prepare()
    rows = database.read(lambda connection: connection.execute(text("SELECT * FROM api_key")).all())
    database.close()
    assert len(rows) == 1
    assert made.sha256 in str(rows)
    assert made.text.rpartition("_")[2] not in str(rows)


@pytest.mark.parametrize("fault", ["revoked_at", "expires_at"])
def test_a_key_that_is_over_says_why(fault):
    over = key(**{fault: NOW})
    assert over.fault(NOW) is not None
    assert over.fault(NOW - timedelta(seconds=1)) is None
