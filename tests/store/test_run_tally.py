"""The sums over steps and groups of a run are what counting its judgments again gives, whatever happened to them."""

import asyncio
import math
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from judge_server.core.caller import ANYONE, current_caller
from judge_server.core.judgment import JudgeReference
from judge_server.core.outcome import JudgmentStatus
from judge_server.store import Store
from judge_server.store.page import Position
from judge_server.store.run_schema import REWARD_SOURCE, RUN_GROUP, RUN_STEP, TRAINING_RUN
from judge_server.store.writing import Judged
from tests.store.values import failed, judgment, rubric, submission

NOW = datetime.now(UTC)
RUBRICS = (rubric(1, "tally/one"), rubric(1, "tally/two"))
REWARDS = (0.0, 0.5, 1.0, -0.25)


def drawn(chance, number, **more):
    """A judgment anywhere in two runs, or outside them, of either judge; some have no reward, some are flagged."""
    of = chance.choice(RUBRICS)
    place = {
        "run": chance.choice([None, "a", "a", "b"]),
        "step": chance.choice([None, 0, 0, 1, 2]),
        "group": chance.choice([None, "g", "h\u202e\0"]),
        "policy": chance.choice([None, "tuned"]),
    } | more
    asked = submission(f"response {number}", prompt=chance.choice(["What?", "Why?"]), **place)
    fields = {"id": f"jdg_{number}", "created_at": NOW - timedelta(seconds=chance.randrange(1_000))}
    fields["flags"] = ("degenerate",) if chance.random() < 0.2 else ()
    fields["judge"] = JudgeReference(
        name="main", model="baseline", mode="direct", fingerprint=chance.choice("fg") * 16
    )  # a run that was pinned anew has both
    if chance.random() < 0.2:
        return failed(of, asked, **fields), asked, of
    reward = chance.choice([*REWARDS, chance.random()])
    status = chance.choice([JudgmentStatus.OK, JudgmentStatus.PARTIAL])
    return judgment(of, asked, reward=reward, status=status, **fields), asked, of


async def standing(store):
    """Every sum, under names instead of numbers."""

    def read(connection):
        source = REWARD_SOURCE.c
        steps = select(
            TRAINING_RUN.c.run, *(one for one in source if one.name not in ("id", "digest", "run")), RUN_STEP
        )
        steps = steps.join(REWARD_SOURCE, source.id == RUN_STEP.c.source).join(
            TRAINING_RUN, TRAINING_RUN.c.id == source.run
        )
        groups = select(RUN_GROUP)
        return {
            *(("step", *map(str, row[:11]), row.step, row[12:]) for row in connection.execute(steps)),
            *(
                ("group", row.run, row.step, bytes(row.group_key), row.prompt_key, row[4:])
                for row in connection.execute(groups)
            ),
        }

    return sorted(await store._read(read), key=repr)


def same(one, other):
    return one == other or (isinstance(one, float) and math.isclose(one, other, abs_tol=1e-9))


async def assert_counted(store):
    kept = await standing(store)
    await store.runs.recount()
    again = await standing(store)
    assert [one[:-1] for one in kept] == [one[:-1] for one in again]
    for mine, right in zip(kept, again, strict=True):
        assert all(same(a, b) for a, b in zip(mine[-1], right[-1], strict=True)), (mine, right)
    return len(kept)


@pytest.mark.parametrize("seed", range(2))
async def test_sums_are_what_counting_again_gives_after_writing_auditing_erasing_and_pruning(store, seed):
    chance, number, there = random.Random(seed), 0, {}
    for _ in range(12):
        batch = [drawn(chance, number + n) for n in range(chance.randrange(1, 30))]
        number += len(batch)
        await store.save_many(batch)
        there |= {made.id: (made, asked, of) for made, asked, of in batch}
        made, asked, of = chance.choice(list(there.values()))
        await store.save(made, asked, of)  # again: it is the same
        audit, given, under = drawn(
            chance, number, **made.submission.model_dump(include={"run", "step", "group", "policy"})
        )
        number += 1
        await store.audits.keep(made.id, "auditor", Judged(audit, given, under, "anyone"))
        gone = chance.sample(sorted(there), min(len(there), chance.randrange(12)))
        await store.erasures.remove(gone)
        there = {name: one for name, one in there.items() if name not in gone}
        if chance.random() < 0.3:
            before = NOW - timedelta(seconds=chance.randrange(500, 1_000))
            batch = await store.erasures.batch("training", before, Position(), 50)
            assert batch is None or (await store.erasures.prune(batch)).rows >= len(batch.ids)
            there = {name: one for name, one in there.items() if await store.judgment(name) is not None}
        if chance.random() < 0.3:
            await assert_counted(store)
    assert await assert_counted(store) > 10
    await store.erasures.remove(sorted(there))
    assert [one for one in await standing(store) if one[0] == "step"] == []


async def test_sums_of_two_processes_that_write_and_erase_at_once(store, url):
    other = await Store.open(url)
    chance = random.Random(9)
    rows = [drawn(chance, number, run="a", step=number % 2) for number in range(200)]
    await store.save_many(rows[:60])

    async def write(into, some):
        for start in range(0, len(some), 7):
            await into.save_many(some[start : start + 7])

    async def erase(ids):
        for start in range(0, len(ids), 5):
            await store.erasures.remove(ids[start : start + 5])

    await asyncio.gather(write(store, rows[60:130]), write(other, rows[130:]), erase([one[0].id for one in rows[:60]]))
    assert await assert_counted(store) > 2
    assert sum(step.judgments for step in await other.run_steps.steps("a")) == 140
    await other.close()


async def test_a_run_of_another_database_program_is_counted_again(store):
    await store.save_many([drawn(random.Random(1), number, run="a", step=1) for number in range(10)])
    await store._write(lambda connection: connection.execute(RUN_STEP.delete()))
    assert await store.run_steps.steps("a") == ()
    await store.runs.recount()
    assert sum(step.judgments for step in await store.run_steps.steps("a")) == 10


async def test_neighbouring_steps_of_a_long_run_are_put_together(store):
    chance = random.Random(3)
    rows = [drawn(chance, number, run="a", step=step) for number, step in enumerate([0, 3, 24, 10_000, 10_000])]
    await store.save_many(rows)
    found = await store.run_steps.steps("a")
    assert {(one.step, one.last_step) for one in found} <= {
        (0, 0),
        (0, 3),
        (0, 24),
        (3, 3),
        (3, 24),
        (24, 24),
        (10_000,) * 2,
    }
    assert sum(one.judgments for one in found) == 5
    rewards = [made.reward for made, *_ in rows if made.reward is not None]
    assert sum((one.mean or 0) * one.rewards for one in found) == pytest.approx(sum(rewards))
    assert max(one.high for one in found if one.high is not None) == max(rewards)


async def test_a_caller_counts_alone_as_if_nobody_else_had_judged_in_the_run(store):
    chance = random.Random(5)
    rows = [drawn(chance, number, run="a", step=number % 3, group="g") for number in range(40)]
    for name, some in (("ann", rows[:30]), ("bob", rows[30:])):
        before = current_caller.set(replace(ANYONE, name=name))
        await store.save_many(some)
        current_caller.reset(before)
    alone = await store.run_prompts.prompts("a", 10, "bob")
    every = await store.run_prompts.prompts("a", 10)
    rewards = sum(step.rewards + step.without for one in alone.listed for step in one.steps)
    assert rewards == 10
    assert sum(step.rewards + step.without for one in every.listed for step in one.steps) == 40
    assert sum(one.judgments for one in (await store.runs.summary("a", "bob")).sources) == 10
    assert sum(step.judgments for step in await store.run_steps.steps("a", "bob")) == 10
    assert len(await store.run_steps.values("a", await store.run_steps.steps("a", "bob"), 32, "bob")) == 10
    assert (await store.run_steps.newest(["a"], "nobody")) == {}
    assert (await store.run_prompts.prompts("a", 10, "nobody")).prompts == 0
    await store.erasures.remove([made.id for made, _, _ in rows[:30]])
    left = await store.run_prompts.prompts("a", 10)  # counted from the sums; now all are bob's
    assert list(map(counts, left.listed)) == list(map(counts, alone.listed))


def counts(history):
    """Without means, in which removals leave dust."""
    steps = [one.model_dump(exclude={"mean"}) for one in history.steps]
    return history.prompt, history.group, history.excerpt, history.groups, history.equal_groups, steps
