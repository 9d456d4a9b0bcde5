"""Pins of runs: one holds for all processes, accepted changes are recorded once, a repin lets the next one pin."""

import asyncio

from judge_server.core.run import Pin
from judge_server.store import Store

JUDGE = Pin("judge", "default judge", "one")
OTHER = Pin("judge", "default judge", "two")


async def test_of_two_processes_that_pin_at_once_one_wins_for_both(url):
    async with asyncio.timeout(60):
        stores = [await Store.open(url) for _ in range(2)]
        try:
            found = await asyncio.gather(stores[0].runs.pin("run", [JUDGE], 3), stores[1].runs.pin("run", [OTHER], 4))
            assert len({one.pinned for one in found}) == 1
            assert await stores[0].runs.pins("run") == found[0]
        finally:
            for store in stores:
                await store.close()


async def test_an_accepted_change_is_recorded_once_until_the_run_is_pinned_anew(store):
    await store.runs.pin("run", [JUDGE], 0)
    for step in (9, 10):
        await store.runs.accept("run", JUDGE, "two", step, "anyone")
    assert (await store.runs.pins("run")).accepted == {OTHER}
    assert [one.step for one in (await store.runs.summary("run")).changes] == [9]
    assert await store.runs.repin("run", "a reason", "dr-lee") == 1
    assert (await store.runs.pins("run")).pinned == ()
    assert (await store.runs.pin("run", [OTHER], 11)).pinned == (OTHER,)
    accepted, repinned = (await store.runs.summary("run")).changes
    assert (accepted.act, accepted.after) == ("accepted", "two")
    assert (repinned.act, repinned.before, repinned.reason, repinned.by) == ("repinned", "one", "a reason", "dr-lee")


async def test_runs_do_not_share_pins_whatever_their_names(store):
    for run in ("a", "a\0b", "a\ud800", "a\\u0000b"):
        assert (await store.runs.pin(run, [Pin("rubric", run, run)], 2**70)).pinned == (Pin("rubric", run, run),)
    assert await store.runs.summary("b") is None
    assert set(await store.runs.names(10)) == {"a", "a\0b", "a\ud800", "a\\u0000b"}
