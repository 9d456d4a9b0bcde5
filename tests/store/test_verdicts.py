"""Known verdicts, by content key."""

import asyncio
import hashlib
import random
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from judge_server.scoring.cached_judge import Memory
from judge_server.store import Store, payload
from judge_server.store.database import Database
from judge_server.store.location import Location
from judge_server.workers.pruner import Pruner
from tests.store.values import HOSTILE

chance = random.Random(4)


async def rows(store):
    return {one.table: one.rows for one in (await store.erasures.statistics()).tables}


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


async def test_what_is_remembered_is_recalled_and_the_rest_left_out(store):
    memory: Memory = store
    content = {"value": 0.1 + 0.2, "shares": [0.3, 0.7], "reason": None}
    await memory.remember({key(1): content})
    assert await memory.recall([key(1), key(2)]) == {key(1): content}


async def test_what_is_known_stays(store):
    await store.remember({key(1): {"value": 1}})
    await store.remember({key(1): {"value": 0}, key(2): {"value": 0}})
    assert await store.recall([key(1), key(2)]) == {key(1): {"value": 1}, key(2): {"value": 0}}


async def test_nothing_asked_is_nothing_recalled(store):
    await store.remember({})
    assert await store.recall([]) == {}


async def test_verdicts_on_the_same_text_are_one_row_and_are_added_to_it(store):
    shown, asked = key(1)[:32], [key(number)[32:] for number in range(30)]
    await store.remember({shown + one: {"value": 1} for one in asked[:10]})
    await asyncio.gather(*(store.remember({shown + one: {"value": 2} for one in asked[:20]}) for _ in range(9)))
    await store.remember({shown + asked[29]: {"reason": "So. " * 100}})
    found = await store.recall([shown + one for one in asked])
    assert [found.get(shown + one, {}).get("value") for one in asked[:21]] == [*[1] * 10, *[2] * 10, None]
    assert found[shown + asked[29]] == {"reason": "So. " * 100}
    assert (await store.counts())["verdicts"] == 21
    assert (await rows(store))["verdict"] == 1
    removed = await store.erasures.remove((), [shown + asked[3]])
    assert removed.verdicts == 21
    assert await store.recall([shown + one for one in asked]) == {}


async def test_a_row_of_verdicts_does_not_grow_without_end(store):
    shown = key(1)[:32]
    reason = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(30_000))
    for number in range(40):
        await store.remember({shown + key(number)[32:]: {"reason": f"{number} {reason}"}})
    found = await store.recall([shown + key(number)[32:] for number in range(40)])
    assert 1 <= len(found) < 20
    assert shown + key(39)[32:] in found


async def test_two_stores_that_remember_the_same_keep_what_came_first(url):
    shown = key(1)[:32]
    stores = [await Store.open(url) for _ in range(2)]
    for number in range(10):
        both = (one.remember({shown + key(number)[32:]: {"value": place}}) for place, one in enumerate(stores))
        await asyncio.gather(*both)
    every = [shown + key(number)[32:] for number in range(10)]
    found = await stores[0].recall(every)
    assert len(found) == 10
    assert found == await stores[1].recall(every)
    for one in stores:
        await one.close()


async def test_old_verdicts_are_pruned_some_at_a_time_with_those_of_a_clock_that_was_wrong(url, store):
    for number in range(30):
        await store.remember({key(number): {"value": number}})
    dated = Database(Location.of(url))
    for days, first, last in ((-100, 1, 10), (200, 1, 5)):
        change = text(f"UPDATE verdict SET day = day + {days} WHERE id BETWEEN {first} AND {last}")
        dated.write(lambda connection, change=change: connection.execute(change))
    dated.close()
    before = datetime.now(UTC) - timedelta(days=50)
    assert (await store.erasures.prunable_verdicts(before)).verdicts == 10
    assert (await store.erasures.prune_verdicts(before, 3)).rows == 3
    assert await Pruner(store, {}, 50).step() == 0
    found = await store.recall([key(number) for number in range(30)])
    assert sorted(one["value"] for one in found.values()) == [*range(10, 30)]
    remembered = (await store.erasures.statistics()).remembered
    assert (remembered.verdicts, remembered.oldest == remembered.newest) == (20, True)


@pytest.mark.parametrize("damaged", [b"12345678", b"12345678\x05ab", b"12345678\xff", b"123"], ids=range(4))
def test_a_row_that_is_damaged_is_refused(damaged):
    with pytest.raises(ValueError, match="no remembered verdicts"):
        payload.part_readings(damaged)


async def test_thousands_of_keys_are_recalled_in_one_call(store):
    entries = {key(number): {"value": number} for number in range(3000)}
    await store.remember(entries)
    assert await store.recall([*entries, key(-1)]) == entries


async def test_many_who_remember_the_same_at_once_do_not_disturb_each_other(store):
    await asyncio.gather(*(store.remember({key(n % 7): {"value": 1}, key(n): {"value": 1}}) for n in range(200)))
    assert (await store.counts())["verdicts"] == 200


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_text_in_a_verdict_comes_back_unchanged(store, text):
    entries = {f"key {text}": {"reason": text, text: 2**63}}
    await store.remember(entries)
    assert await store.recall(list(entries)) == entries
