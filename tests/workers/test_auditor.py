"""A judge of another family judges a random sample once more, in time that others leave idle."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

import pytest

from judge_server.core.errors import ModelUnavailable
from judge_server.core.judge import JudgeSpecification
from judge_server.core.monitor import Series
from judge_server.judging.answer import Terms
from judge_server.judging.prompt import PromptWriter
from judge_server.judging.single import SingleJudge
from judge_server.models.protocol import Priority
from judge_server.scheduling.scheduler import ScheduledModel
from judge_server.store import Store
from judge_server.store.observation import TimeRange
from judge_server.util.canonical import stable_hash
from judge_server.workers.auditor import Auditor, AuditPace
from tests.project.repository import ROOT
from tests.scoring.assembly import SECRET, judge, rubric, scorer, submission
from tests.scripted_model import ScriptedModel, yes
from tests.yardstick import PATIENCE_SECONDS

PACE = AuditPace(look_seconds=0.05, idle_seconds=0.01, retry_seconds=0.01, settled_seconds=0.0)
EVER = TimeRange(datetime.now(UTC) - timedelta(days=1))


class OtherModel(ScriptedModel):
    """Of another family: its verdicts are none of the training judge's."""

    def __init__(self, script, **more):
        super().__init__(script, name="other", **more)


def judges(second=None):
    """A training judge that says yes, and an auditor that says no."""
    return judge(ScriptedModel(yes(0.9))), judge(second or OtherModel(yes(0.2)), "second")


def auditor(store, of, share=1.0, busy=lambda: False, pace=PACE):
    return Auditor(store, of, "second", share, busy, pace)


async def judged(of, count, **more):
    return [await of.score(submission(f"Answer {number}.", group="g", **more)) for number in range(count)]


async def listed(store, name):
    return (await store.judgments(judge=name, limit=1_000)).items


async def test_what_was_judged_is_judged_once_more_by_the_audit_judge(store):
    of = scorer(*judges(), store=store)
    made = await judged(of, 5, policy="p1", step=4)
    working = auditor(store, of)
    assert not await working.step()
    audits = await listed(store, "second")
    assert len(audits) == working.audited == 5
    assert [one.reward for one in audits] == [pytest.approx(0.2)] * 5
    assert {one.submission.policy for one in audits} == {"p1"}
    assert {one.submission_digest for one in audits} == {one.submission_digest for one in made}
    baseline, recent = await store.monitor.audits(Series(rubric=rubric().id, judge="main"), EVER, 10)
    pairs = (*baseline, *recent)
    assert {one.id for one in pairs} < {one.id for one in made}
    assert [(one.difference, one.disagreed, one.compared) for one in pairs] == [(1.0, 3, 3)] * 4


async def test_audits_are_audited_by_nobody_and_nothing_is_audited_twice(store):
    of = scorer(*judges(), store=store)
    await judged(of, 4)
    for _ in range(3):
        await auditor(store, of).step()
    assert len(await listed(store, "second")) == 4
    assert len(await listed(store, "main")) == 4


CHECK = {
    "id": "long",
    "kind": "check",
    "statement": "Speaks of water.",
    "points": 1,
    "check": {"kind": "contains", "any": ["water"]},
}
ASKED = {"id": "c0", "statement": "Says thing 00.", "points": 1}


async def test_only_what_both_judges_were_asked_is_compared(store):
    of = scorer(*judges(), store=store)
    mixed = rubric(CHECK, ASKED)
    for response in ("Drink water.", "Rest.", "Sleep.", "yes " * 400, "no " * 400):
        await of.score(submission(response, rubric=mixed))
    await auditor(store, of).step()
    assert len(await listed(store, "second")) == 5
    pairs = await store.monitor.audits(Series(rubric=mixed.id, judge="main"), EVER, 10)
    assert [(one.difference, one.disagreed, one.compared) for part in pairs for one in part] == [(1.0, 1, 1)] * 2


async def test_what_programs_decided_alone_is_not_audited(store):
    of = scorer(*judges(), store=store)
    await of.score(submission(rubric=rubric(CHECK)))
    working = auditor(store, of)
    await working.step()
    assert not working.audited
    assert len(await listed(store, "none")) == 1


async def test_audits_are_left_out_of_what_is_monitored(store):
    of = scorer(*judges(), store=store)
    await judged(of, 4)
    await auditor(store, of).step()
    assert await store.monitor.series(EVER, least=1, most=9) == (Series(rubric=rubric().id, judge="main"),)


async def test_the_sample_is_that_of_the_ids_whoever_draws_it(store):
    of = scorer(*judges(), store=store)
    made = await judged(of, 60)
    await auditor(store, of, share=0.3).step()
    audited = {one.submission_digest for one in await listed(store, "second")}
    expected = {one.submission_digest for one in made if stable_hash(one.id, "audit") < 0.3}
    assert audited == expected
    assert 5 <= len(audited) <= 35


def test_draws_are_uniform_and_independent_for_each_salt():
    numbers = [stable_hash(f"jdg_{number}", "audit") for number in range(4_000)]
    assert sum(numbers) / 4_000 == pytest.approx(0.5, abs=0.02)
    both = sum(number < 0.5 and stable_hash(f"jdg_{place}", "queue") < 0.5 for place, number in enumerate(numbers))
    assert both == pytest.approx(1_000, abs=100)


async def test_audits_are_of_the_last_class(store):
    second = OtherModel(yes(0.2))
    of = scorer(*judges(second), store=store)
    await judged(of, 3)
    await auditor(store, of).step()
    assert {request.priority for request in second.asked} == {Priority.AUDIT}


async def test_no_audit_begins_while_others_wait(store):
    second = OtherModel(yes(0.2))
    of = scorer(*judges(second), store=store)
    await judged(of, 3)
    waiting = [True]
    step = asyncio.create_task(auditor(store, of, busy=lambda: waiting[0]).step())
    await asyncio.sleep(0.1)
    assert second.asked == []
    waiting[0] = False
    await step
    assert len(await listed(store, "second")) == 3


async def test_where_both_judges_share_a_model_no_audit_goes_before_a_call_of_training(store):
    begun: list[int] = []

    class Watched(ScriptedModel):
        async def complete(self, request):
            if request.priority is Priority.AUDIT:
                begun.append(schedule.waiting_of(Priority.TRAINING))
            return await super().complete(request)

    shared = ScheduledModel(Watched(yes(0.9), capacity=1, seconds=0.002))
    schedule = shared.scheduler
    main, second = (
        SingleJudge(JudgeSpecification(name=name, model="scripted:one", votes=votes), shared, PromptWriter(SECRET))
        for votes, name in enumerate(("main", "second"), 1)
    )
    await shared.start()
    of = scorer(main, second, store=store)
    await judged(of, 10)
    step = asyncio.create_task(auditor(store, of, busy=lambda: bool(schedule.waiting_of(Priority.TRAINING))).step())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not begun:  # noqa: ASYNC110 - then it has read what there is to audit
            await asyncio.sleep(0.001)
    for number in range(10):
        burst = [submission(f"More {number}, {place}.") for place in range(4)]
        await asyncio.gather(*(of.score(one, Terms(Priority.TRAINING)) for one in burst))
        await asyncio.sleep(0.005)
    await step
    assert len(begun) == 2 * 3 * 10
    assert sum(count > 0 for count in begun) <= 10  # of each burst, the one audit that was let in before it came
    assert len(await listed(store, "second")) == 10


async def test_no_more_are_under_way_than_allowed(store):
    second = OtherModel(yes(0.2), seconds=0.01)
    of = scorer(*judges(second), store=store)
    await judged(of, 12)
    await auditor(store, of, pace=AuditPace(at_once=2, settled_seconds=0.0)).step()
    assert second.most_in_flight <= 2 * len(rubric().leaves)


async def test_a_judge_that_fails_for_a_moment_is_asked_again(store):
    faults = [ModelUnavailable("away")] * 4

    def script(request):
        if faults:
            raise faults.pop()
        return yes(0.2)(request)

    of = scorer(*judges(OtherModel(script)), store=store)
    await judged(of, 1)
    await auditor(store, of).step()
    (audit,) = await listed(store, "second")
    assert audit.reward == pytest.approx(0.2)


async def test_a_judge_that_stays_away_leaves_a_failed_audit_and_holds_nothing_up(store):
    def script(request):
        raise ModelUnavailable("away")

    of = scorer(*judges(OtherModel(script)), store=store)
    await judged(of, 2)
    working = auditor(store, of)
    await working.step()
    assert {(one.reward, one.status.value) for one in await listed(store, "second")} == {(None, "failed")}
    assert await store.monitor.audits(Series(rubric=rubric().id, judge="main"), EVER, 9) == ((), ())
    assert not await working.step()


async def test_an_auditor_that_ends_in_the_middle_is_followed_by_the_next(store):
    second = OtherModel(yes(0.2), seconds=0.2)
    of = scorer(*judges(second), store=store)
    await judged(of, 10)
    first = auditor(store, of, pace=AuditPace(at_once=2, look_seconds=0.05, settled_seconds=0.0))
    first.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not first.audited:  # noqa: ASYNC110 - it is nobody's event
            await asyncio.sleep(0.01)
    await first.close()
    assert 0 < len(await listed(store, "second")) < 10
    second.seconds = 0.0
    await auditor(store, of).step()
    audits = await listed(store, "second")
    assert len(audits) == len({one.submission_digest for one in audits}) == 10


async def test_of_two_auditors_one_works(store):
    of = scorer(*judges(), store=store)
    await judged(of, 6)
    await asyncio.gather(*(auditor(store, of).step() for _ in range(3)))
    assert len(await listed(store, "second")) == 6


async def test_what_is_older_than_the_horizon_is_not_audited(store):
    of = scorer(*judges(), store=store)
    await judged(of, 2)
    await asyncio.sleep(0.05)
    await auditor(store, of, pace=AuditPace(horizon_seconds=0.01, settled_seconds=0.0)).step()
    assert await listed(store, "second") == ()


async def test_without_a_judge_nothing_is_started(store):
    working = Auditor(store, scorer(*judges(), store=store), None, 1.0, lambda: False)
    working.start()
    await working.close()


KILLED = """
import asyncio, sys
from tests.workers.test_auditor import OtherModel, auditor, judges, yes, AuditPace
from tests.scoring.assembly import scorer
from judge_server.store import Store

async def main():
    store = await Store.open(sys.argv[1])
    of = scorer(*judges(OtherModel(yes(0.2), seconds=0.02)), store=store)
    pace = AuditPace(at_once=3, look_seconds=0.05, settled_seconds=0.0, lease_seconds=0.3)
    auditor(store, of, pace=pace).start()
    print("started", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_kill_9_loses_no_audit_and_repeats_none(tmp_path):
    url = f"sqlite:///{tmp_path / 'judge.db'}"
    store = await Store.open(url)
    of = scorer(*judges(), store=store)
    made = await judged(of, 60)
    done = 0
    for _ in range(4):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", KILLED, url, stdout=asyncio.subprocess.PIPE, cwd=ROOT
        )
        assert await process.stdout.readline() == b"started\n"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len(await listed(store, "second")) == done < len(made):  # noqa: ASYNC110 - another process works
                await asyncio.sleep(0.01)
        process.kill()
        await process.wait()
        done = len(await listed(store, "second"))
    last = auditor(store, of, pace=AuditPace(settled_seconds=0.0, lease_seconds=0.3))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(await listed(store, "second")) < len(made):
            await last.step()
            await asyncio.sleep(0.05)
    await last.step()
    audits = await listed(store, "second")
    assert sorted(one.submission_digest for one in audits) == sorted(one.submission_digest for one in made)
    pairs = await store.monitor.audits(Series(rubric=rubric().id, judge="main"), EVER, 30)
    assert sum(map(len, pairs)) == 60
    await store.close()
