"""Durable jobs over a real store: nothing lost, nothing done twice, whoever works on them."""

import asyncio
from dataclasses import replace

import pytest

from judge_server.core.caller import ANYONE, current_caller
from judge_server.core.errors import ModelUnavailable, StoreUnavailable
from judge_server.core.job import JobStatus
from judge_server.models.protocol import Priority
from judge_server.scheduling.scheduler import Scheduler
from judge_server.workers.job_run import JobRun
from judge_server.workers.pace import SlotPace
from tests.scoring.assembly import judge, scorer
from tests.scripted_model import ScriptedModel, yes
from tests.workers.assembly import QUICK, begun, ended, items, reached, results, working
from tests.yardstick import PATIENCE_SECONDS


def assembled(store, script=None, **model):
    scripted = ScriptedModel(script or yes(0.9), **model)
    return scripted, scorer(judge(scripted), store=store)


async def test_every_item_of_a_job_gets_its_result_in_order(store):
    _, scoring = assembled(store)
    job = await begun(store, items(40))
    async with working(store, scoring):
        done = await ended(store, job.id)
    assert (done.status, done.total, done.ok, done.failed) == (JobStatus.DONE, 40, 40, 0)
    found = await results(store, job.id)
    assert [position for position, _ in found] == list(range(40))
    assert [judgment["submission"]["id"] for _, judgment in found] == [str(number) for number in range(40)]
    assert all(judgment["reward"] is not None for _, judgment in found)


async def test_the_judgments_of_a_job_are_kept_as_any_others(store):
    _, scoring = assembled(store)
    job = await begun(store, items(3))
    async with working(store, scoring):
        await ended(store, job.id)
    kept = await store.judgments()
    assert {judgment.id for judgment in kept.items} == {judgment["id"] for _, judgment in await results(store, job.id)}


async def test_items_that_cannot_be_judged_say_why_and_spoil_nothing(store):
    _, scoring = assembled(store)
    job = await begun(store, [*items(2), {"prompt": "no response"}, "no object"])
    async with working(store, scoring):
        done = await ended(store, job.id)
    assert (done.ok, done.failed) == (2, 2)
    errors = [judgment["error"] and judgment["error"]["type"] for _, judgment in await results(store, job.id)]
    assert errors == [None, None, "bad_submission", "bad_submission"]


class Unwritable:
    """Records that keep no result."""

    def __init__(self, records):
        self._records = records

    def __getattr__(self, name):
        return getattr(self._records, name)

    async def finish(self, finished):
        raise StoreUnavailable("away")


async def test_a_store_that_keeps_nothing_takes_no_room_from_the_next_job(store):
    _, scoring = assembled(store)
    job = await begun(store, items(9))
    slots = Scheduler(3)
    for attempt in range(4):
        (claimed,) = await store.jobs.claim(f"w{attempt}", lease_seconds=30, most_each=1, most_of_class=1)
        run = JobRun(claimed, f"w{attempt}", Unwritable(store.jobs), scoring, QUICK, slots, SlotPace(slots.capacity))
        with pytest.raises(StoreUnavailable):
            await run.run()
    assert (slots.in_flight, slots.waiting) == (0, 0)
    assert (await store.jobs.find(job.id)).finished == 0


async def test_a_judge_that_is_away_for_a_while_fails_no_item(store):
    calls = 0

    def script(request):
        nonlocal calls
        calls += 1
        if calls <= 6:
            raise ModelUnavailable("away")
        return yes(0.9)(request)

    _, scoring = assembled(store, script)
    job = await begun(store, items(2))
    async with working(store, scoring, replace(QUICK, attempts=8)):
        done = await ended(store, job.id)
    assert (done.ok, done.failed) == (2, 0)


async def test_a_judge_that_stays_away_gives_typed_failures_and_no_number(store):
    def script(request):
        raise ModelUnavailable("away")

    _, scoring = assembled(store, script)
    job = await begun(store, items(2))
    async with working(store, scoring):
        done = await ended(store, job.id)
    assert done.failed == 2
    for _, judgment in await results(store, job.id):
        assert judgment["reward"] is None
        assert judgment["error"]["type"] == "judge_unavailable"


async def test_another_worker_goes_on_where_one_was_stopped_and_asks_nothing_twice(store):
    model, scoring = assembled(store, seconds=0.02, capacity=4)
    job = await begun(store, items(60))
    async with working(store, scoring, replace(QUICK, lease_seconds=60)):
        await reached(store, job.id, lambda job: job.finished >= 10)
    before = await store.jobs.find(job.id)
    assert before.finished < 60
    asked, stored = len(model.asked), (await store.counts())["verdicts"]
    async with working(store, scoring, replace(QUICK, lease_seconds=60)):
        done = await ended(store, job.id)
    assert done.ok == 60
    assert (await store.counts())["judgments"] == 60
    questions = {(*request.prompt.prefix, str(request.prompt)) for request in model.asked}
    assert len(model.asked) - asked <= len(questions) - stored  # what was stored is not asked again


async def test_two_workers_share_the_jobs_and_no_item_is_judged_by_both(store):
    first, one = assembled(store, seconds=0.01)
    second, other = assembled(store, seconds=0.01)
    jobs = [await begun(store, items(20)) for _ in range(4)]
    async with (
        working(store, one, replace(QUICK, jobs_each=2)),
        working(store, other, replace(QUICK, jobs_each=2)),
    ):
        for job in jobs:
            assert (await ended(store, job.id)).ok == 20
    assert first.asked
    assert second.asked
    assert (await store.counts())["judgments"] == 80


async def test_a_worker_without_a_sign_of_life_loses_its_job_to_another(store):
    _, scoring = assembled(store)
    job = await begun(store, items(5))
    claimed = await store.jobs.claim("dead", lease_seconds=0.3, most_each=1, most_of_class=1)
    assert [one.id for one in claimed] == [job.id]
    assert await store.jobs.claim("other", lease_seconds=0.3, most_each=1, most_of_class=1) == ()
    async with working(store, scoring):
        assert (await ended(store, job.id)).ok == 5
    assert await store.jobs.renew("dead", [job.id], lease_seconds=1) == frozenset()


async def test_a_cancelled_job_keeps_what_it_has_and_asks_no_more(store):
    model, scoring = assembled(store, seconds=0.05, capacity=2)
    job = await begun(store, items(200))
    async with working(store, scoring) as worker:
        await reached(store, job.id, lambda job: job.finished >= 4)
        cancelled = await store.jobs.cancel(job.id, retention_seconds=60)
        worker.cancel(job.id)
        assert cancelled.status is JobStatus.CANCELLED
        await asyncio.sleep(0.2)
        asked = len(model.asked)
        await asyncio.sleep(0.2)
        assert len(model.asked) == asked
    found = await store.jobs.find(job.id)
    assert found.status is JobStatus.CANCELLED
    assert len(await results(store, job.id)) == found.finished < 200


async def test_a_job_cancelled_elsewhere_stops_within_its_lease(store):
    model, scoring = assembled(store, seconds=0.05, capacity=2)
    job = await begun(store, items(200))
    async with working(store, scoring) as worker:
        await reached(store, job.id, lambda job: job.finished >= 2)
        await store.jobs.cancel(job.id, retention_seconds=60)
        await asyncio.wait_for(_rest(worker), PATIENCE_SECONDS)
    assert len(model.asked) < 200


async def test_an_ended_job_is_forgotten_after_its_time_and_its_judgments_stay(store):
    _, scoring = assembled(store)
    job = await begun(store, items(3))
    async with working(store, scoring, replace(QUICK, retention_seconds=0)):
        await reached(store, job.id, lambda job: job.ended)
    await asyncio.sleep(0.01)
    assert await store.jobs.forget_expired() == (job.id,)
    assert await store.jobs.find(job.id) is None
    assert (await store.counts())["judgments"] == 3


async def test_a_job_asks_in_its_own_priority_class(store):
    model, scoring = assembled(store)
    job = await begun(store, items(1), priority="audit")
    async with working(store, scoring):
        await ended(store, job.id)
    assert {request.priority for request in model.asked} == {Priority.AUDIT}


async def test_an_item_that_has_a_result_keeps_it(store):
    _, scoring = assembled(store)
    job = await begun(store, items(1))
    async with working(store, scoring):
        await ended(store, job.id)
    (first,) = await results(store, job.id)
    from judge_server.scoring.batch import failed_judgment
    from judge_server.store.job_writing import Finished

    late = failed_judgment(ModelUnavailable("late"), (await store.judgment(first[1]["id"])).submission)
    await store.jobs.finish(Finished(job.id, 0, late))
    assert await results(store, job.id) == [first]
    assert (await store.jobs.find(job.id)).finished == 1


async def _rest(worker):
    while worker.under_way:  # noqa: ASYNC110 - the worker tells nobody
        await asyncio.sleep(0.01)


async def test_a_job_asks_in_the_name_of_the_caller_that_sent_it(store):
    asked_by = set()

    def script(request):
        asked_by.add(current_caller.get().name)
        return yes(0.8)(request)

    of = scorer(judge(ScriptedModel(script)), store=store)
    async with working(store, of):
        job = await begun(store, items(3), caller="nightly")
        assert (await ended(store, job.id)).terms.caller == "nightly"
    assert asked_by == {"nightly"}
    assert current_caller.get() is ANYONE


async def finished_of(store, jobs):
    return sum([(await store.jobs.find(job.id)).finished for job in jobs])


async def test_a_training_job_does_not_wait_for_the_batch_jobs_before_it(store):
    _, scoring = assembled(store, seconds=0.02, capacity=8)
    batch = [await begun(store, items(60), caller="nightly") for _ in range(9)]
    async with working(store, scoring) as worker:
        await reached(store, batch[0].id, lambda job: job.finished >= 4)
        urgent = await begun(store, items(1), caller="trainer", priority="training")
        worker.wake()
        before = await finished_of(store, batch)
        await ended(store, urgent.id)
        assert await finished_of(store, batch) - before <= 200  # all 540 would go first


async def test_callers_of_one_class_take_turns_item_by_item(store):
    _, scoring = assembled(store, seconds=0.02, capacity=8)
    flood = [await begun(store, items(60), caller="flood") for _ in range(9)]
    async with working(store, scoring) as worker:
        await reached(store, flood[0].id, lambda job: job.finished >= 4)
        modest = await begun(store, items(10), caller="modest")
        worker.wake()
        before = await finished_of(store, flood)
        await ended(store, modest.id)
        assert await finished_of(store, flood) - before <= 250


async def test_an_item_that_waits_for_its_next_attempt_keeps_no_slot(store):
    def script(request):
        if "number 0" in str(request.prompt):
            raise ModelUnavailable("away")
        return yes(0.9)(request)

    _, scoring = assembled(store, script)
    waiting = await begun(store, items(1), caller="a")
    async with working(store, scoring, replace(QUICK, items_at_once=1, first_wait_seconds=30)) as worker:
        await asyncio.sleep(0.1)
        other = await begun(store, items(3)[1:], caller="b")
        worker.wake()
        assert (await ended(store, other.id, 5)).ok == 2
    assert (await store.jobs.find(waiting.id)).finished == 0
