"""Alarms are raised once and cleared once, on both databases, whoever looks."""

import asyncio

import pytest

from judge_server.core.monitor import MonitorFinding, Series
from judge_server.store import Store
from judge_server.store.page import Position

SERIES = Series(rubric="medical/consultation", judge="main")


def finding(state="alarm", monitor="flags", subject="degenerate", series=SERIES, **more):
    return MonitorFinding(monitor=monitor, series=series, subject=subject, state=state, text="Look.", **more)


async def settle(store, *findings, tell=False, forget_seconds=3_600.0):
    return await store.alarms.settle(findings, tell=tell, forget_seconds=forget_seconds)


async def test_an_alarm_is_raised_once_and_cleared_once(store):
    (raised,) = await settle(store, finding(value=0.1))
    assert (raised.raised, raised.finding.value) == (True, 0.1)
    assert await settle(store, finding(value=0.2)) == []
    (standing,) = await store.alarms.alarms(raised=True)
    assert standing.finding.value == 0.2
    assert standing.changed_at < standing.seen_at
    (cleared,) = await settle(store, finding("ok"))
    assert not cleared.raised
    assert await settle(store, finding("ok")) == []
    assert await store.alarms.alarms(raised=True) == ()
    assert [one.raised for one in await store.alarms.transitions()] == [False, True]


async def test_what_was_cleared_can_be_raised_again(store):
    for state, changes in (("alarm", 1), ("ok", 1), ("alarm", 1), ("alarm", 0)):
        assert len(await settle(store, finding(state))) == changes


async def test_too_little_evidence_clears_nothing(store):
    await settle(store, finding())
    assert await settle(store, finding("not_enough_evidence")) == []
    assert len(await store.alarms.alarms(raised=True)) == 1


async def test_alarms_of_other_series_and_subjects_are_their_own(store):
    other = Series(rubric=None, judge="main")
    made = await settle(store, finding(), finding(subject="criteria_echo"), finding(series=other))
    assert len(made) == 3
    (cleared,) = await settle(store, finding(), finding("ok", subject="criteria_echo"))
    assert cleared.finding.subject == "criteria_echo"


async def test_a_subject_that_is_no_longer_spoken_of_is_cleared(store):
    await settle(store, finding(), finding(subject="criteria_echo"))
    (cleared,) = await settle(store, finding())
    assert cleared.finding.subject == "criteria_echo"
    assert "No longer seen" in cleared.finding.text


async def test_a_series_that_is_not_looked_at_keeps_its_alarms_for_a_while(store):
    await settle(store, finding())
    other = finding("ok", series=Series(rubric=None, judge="main"))
    assert await settle(store, other) == []
    assert len(await settle(store, other, forget_seconds=-1.0)) == 1


async def test_which_words_burst_may_change_without_another_alarm(store):
    assert len(await settle(store, finding(monitor="vocabulary", subject="insightful"))) == 1
    assert await settle(store, finding(monitor="vocabulary", subject="wonderful, insightful")) == []


async def test_an_ok_that_was_never_an_alarm_leaves_no_trace(store):
    assert await settle(store, finding("ok")) == []
    assert await store.alarms.alarms() == ()


async def test_two_who_look_at_once_raise_an_alarm_once(url):
    stores = await asyncio.gather(*(Store.open(url) for _ in range(4)))
    made = await asyncio.gather(*(settle(store, finding()) for store in stores))
    assert sorted(map(len, made)) == [0, 0, 0, 1]
    await asyncio.gather(*(store.close() for store in stores))


async def test_the_webhook_is_told_of_what_it_has_not_heard(store):
    await settle(store, finding(), tell=True)
    (untold,) = await store.alarms.untold()
    await store.alarms.postpone(untold.transition.id, attempts=1, seconds=60)
    assert await store.alarms.untold() == ()
    await store.alarms.postpone(untold.transition.id, attempts=2, seconds=-1)
    (again,) = await store.alarms.untold()
    assert (again.transition, again.attempts) == (untold.transition, 2)
    await store.alarms.told(untold.transition.id)
    assert await store.alarms.untold() == ()


async def test_without_a_webhook_nothing_is_to_be_told(store):
    await settle(store, finding())
    assert await store.alarms.untold() == ()


async def test_work_belongs_to_one_until_its_lease_has_passed(store):
    assert await store.watches.claim("audit", "one", seconds=60)
    assert not await store.watches.claim("audit", "two", seconds=60)
    assert await store.watches.claim("audit", "one", seconds=-1)
    assert await store.watches.claim("audit", "two", seconds=60)
    await store.watches.release("audit", "two")
    assert await store.watches.claim("audit", "one", seconds=60)
    assert await store.watches.claim("monitor", "two", seconds=60)


async def test_how_far_the_work_has_come_outlives_the_worker(url):
    store = await Store.open(url)
    assert await store.watches.place("audit") == Position()
    await store.watches.claim("audit", "one", seconds=60)
    await store.watches.advance("audit", "one", Position(5, "jdg_5"))
    await store.watches.advance("audit", "another", Position(9, "jdg_9"))
    await store.close()
    again = await Store.open(url)
    assert await again.watches.place("audit") == Position(5, "jdg_5")
    await again.close()


@pytest.mark.parametrize("text", ["a\0b", "\u202e"])
async def test_hostile_subjects_are_kept(store, text):
    (raised,) = await settle(store, finding(subject=text))
    assert (await store.alarms.transitions())[0] == raised
