import asyncio
import time

import pytest

from judge_server.core.errors import Draining, Overloaded
from judge_server.core.judgment import Judgment
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.verdict import Failure
from judge_server.judging.answer import Terms
from judge_server.models.protocol import Priority
from judge_server.scoring.group.cohort import Member, Times
from judge_server.scoring.group.collection import CohortCollection, CohortLimits
from judge_server.scoring.group.evaluation import CohortOptions, Evaluation


class Bench:
    """Judges a cohort by the length of its responses; ``failing`` ones have no reward, ``seconds`` pass first."""

    def __init__(self, *, seconds=0.0, failing=()):
        self.seconds = seconds
        self.failing = set(failing)
        self.judged = []
        self.terms = []
        self.cancelled = 0

    async def evaluate(self, items, wanted, terms):
        responses = [item["response"] for item in items]
        self.judged.append(responses)
        self.terms.append(terms)
        try:
            await asyncio.sleep(self.seconds)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        gone = Failure(type="judge_unavailable", detail="down")
        outcomes = tuple(gone if response in self.failing else float(len(response)) for response in responses)
        return Evaluation(wanted, tuple(judgment(item) for item in items), outcomes)


def judgment(item):
    return Judgment(
        id=item["response"],
        reward=1.0,
        status=JudgmentStatus.OK,
        coverage=1.0,
        created_at="2026-01-01T00:00:00Z",
    )


def members(*responses, ids=None):
    names = ids or [None] * len(responses)
    return Member.of(
        [
            {"response": said} | ({} if name is None else {"id": name})
            for said, name in zip(responses, names, strict=True)
        ]
    )


def wanted(expected=3):
    return CohortOptions({}, None, expected)


def joining(collection, *responses, ids=None, expected=3, collect=30.0, name="g", caller="anyone", **terms):
    times = Times(collect, 9.0)
    joined = collection.join(caller, name, wanted(expected), members(*responses, ids=ids), times, Terms(**terms))
    return asyncio.ensure_future(joined)


async def started(*tasks):
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_cohort_is_judged_once_when_its_last_member_comes_and_everybody_gets_its_own():
    bench = Bench()
    collection = CohortCollection(bench.evaluate)
    callers = [joining(collection, "a"), joining(collection, "bb"), joining(collection, "ccc")]
    joined = await asyncio.gather(*callers)
    assert bench.judged == [["a", "bb", "ccc"]]
    assert [one.places for one in joined] == [(0,), (1,), (2,)]
    assert {one.evaluation.rewards for one in joined} == {(1.0, 2.0, 3.0)}


async def test_when_the_time_is_over_those_who_are_there_are_judged():
    bench = Bench()
    collection = CohortCollection(bench.evaluate)
    joined = await asyncio.gather(joining(collection, "a", collect=0.05), joining(collection, "bb", collect=99))
    assert bench.judged == [["a", "bb"]]
    assert joined[0].evaluation.report((0,), None).complete is False


async def test_a_response_sent_again_is_one_member():
    bench = Bench()
    collection = CohortCollection(bench.evaluate)
    first, again = joining(collection, "a", ids=["x"]), joining(collection, "a", ids=["x"])
    plain, same = joining(collection, "bb"), joining(collection, "bb")
    await started()
    assert collection.waiting == 2
    last = joining(collection, "ccc")
    joined = await asyncio.gather(first, again, plain, same, last)
    assert bench.judged == [["a", "bb", "ccc"]]
    assert [one.places for one in joined] == [(0,), (0,), (1,), (1,), (2,)]


async def test_one_request_may_hold_equal_responses_that_are_members_each():
    bench = Bench()
    collection = CohortCollection(bench.evaluate)
    joined = await joining(collection, "a", "a", "bb")
    assert joined.places == (0, 1, 2)
    assert bench.judged == [["a", "a", "bb"]]


async def test_two_responses_under_one_id_do_not_spoil_each_other():
    collection = CohortCollection(Bench().evaluate)
    first = joining(collection, "a", ids=["x"])
    await started()
    other = await joining(collection, "b", ids=["x"])
    assert [fault.type for fault in other.faults] == ["cohort_conflict"]
    assert other.evaluation is None
    rest = await joining(collection, "c", "d", ids=["y", "z"])
    assert (await first).evaluation.rewards == rest.evaluation.rewards == (1.0, 1.0, 1.0)


async def test_who_comes_late_is_told_and_who_comes_again_is_answered_without_judging():
    bench = Bench()
    collection = CohortCollection(bench.evaluate)
    await joining(collection, "a", "b", collect=0.02)
    late = await joining(collection, "c")
    again = await joining(collection, "b")
    assert [fault.type for fault in late.faults] == ["cohort_closed"]
    assert "2 of 3" in str(late.faults[0])
    assert again.places == (1,)
    assert again.evaluation.rewards == (1.0, 1.0)
    assert len(bench.judged) == 1


async def test_a_complete_cohort_makes_room_for_the_next_of_its_name():
    bench = Bench()
    collection = CohortCollection(bench.evaluate)
    await joining(collection, "a", "b", ids=["0", "1"], expected=2)
    await joining(collection, "c", "d", ids=["0", "1"], expected=2)
    assert bench.judged == [["a", "b"], ["c", "d"]]


async def test_who_hangs_up_while_members_come_takes_nobody_along():
    bench = Bench()
    collection = CohortCollection(bench.evaluate)
    gone, stays = joining(collection, "a"), joining(collection, "bb")
    await started()
    gone.cancel()
    joined = await asyncio.gather(stays, joining(collection, "ccc"))
    assert bench.judged == [["a", "bb", "ccc"]]
    assert joined[0].evaluation.report((1,), None).complete is True


async def test_judging_goes_on_while_somebody_waits_and_ends_with_the_last():
    bench = Bench(seconds=0.2)
    collection = CohortCollection(bench.evaluate)
    one, other = joining(collection, "a", "b"), joining(collection, "c")
    await asyncio.sleep(0.05)
    one.cancel()
    assert (await other).evaluation.rewards == (1.0, 1.0, 1.0)
    assert bench.cancelled == 0
    alone = joining(collection, "x", "y", "z")
    await asyncio.sleep(0.05)
    alone.cancel()
    await asyncio.gather(alone, return_exceptions=True)
    await started()
    assert bench.cancelled == 1
    assert (await joining(collection, "y")).evaluation.rewards == (1.0, 1.0, 1.0)
    assert bench.judged[-2:] == [["x", "y", "z"]] * 2


async def test_a_cohort_that_everybody_left_is_not_judged():
    bench = Bench()
    collection = CohortCollection(bench.evaluate)
    gone = joining(collection, "a", collect=0.05)
    await started()
    gone.cancel()
    await asyncio.sleep(0.1)
    assert bench.judged == []


async def test_a_callers_own_deadline_ends_its_wait_and_nobody_elses():
    bench = Bench()
    collection = CohortCollection(bench.evaluate)
    patient = joining(collection, "a")
    hasty = await joining(collection, "bb", deadline=time.monotonic() + 0.05)
    assert hasty.evaluation is None
    assert hasty.faults == (None,)
    last = await joining(collection, "ccc")
    assert (await patient).evaluation.rewards == last.evaluation.rewards == (1.0, 2.0, 3.0)


async def test_what_failed_is_judged_again_for_who_asks_again_and_what_succeeded_is_not():
    bench = Bench(failing=["bb"])
    collection = CohortCollection(bench.evaluate)
    first = await joining(collection, "a", "bb", "ccc")
    assert first.evaluation.rewards == (1.0, None, 3.0)
    bench.failing.clear()
    assert (await joining(collection, "bb")).evaluation.rewards == (1.0, 2.0, 3.0)
    assert (await joining(collection, "bb")).evaluation.rewards == (1.0, 2.0, 3.0)
    assert len(bench.judged) == 2


async def test_the_most_urgent_caller_says_how_soon_and_the_end_of_the_collection_from_when():
    bench = Bench()
    collection = CohortCollection(bench.evaluate)
    callers = [
        joining(collection, "a", priority=Priority.BATCH),
        joining(collection, "b", priority=Priority.TRAINING),
    ]
    await asyncio.sleep(0.05)
    begun = time.monotonic()
    await asyncio.gather(*callers, joining(collection, "c", priority=Priority.AUDIT))
    assert bench.terms[0].priority is Priority.TRAINING
    assert begun + 9.0 <= bench.terms[0].deadline <= time.monotonic() + 9.0


async def test_cohorts_are_bounded_in_number_and_judged_ones_give_way():
    collection = CohortCollection(Bench().evaluate, CohortLimits(cohorts=2))
    await joining(collection, "a", expected=1, name="first")
    waiting = [joining(collection, "a", name="second"), joining(collection, "a", name="third")]
    await started()
    assert len(collection) == 2
    with pytest.raises(Overloaded, match="No more groups") as fault:
        await joining(collection, "a", name="fourth")
    assert fault.value.retry_after_seconds
    await collection.close()
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in told] == [Draining, Draining]


async def test_responses_are_bounded_in_bytes():
    collection = CohortCollection(Bench().evaluate, CohortLimits(bytes=20_000))
    first = joining(collection, "a" * 8_000)
    await started()
    with pytest.raises(Overloaded):
        await joining(collection, "b" * 12_000)
    small = joining(collection, "c")
    await started()
    assert collection.waiting == 2
    await collection.close()
    await asyncio.gather(first, small, return_exceptions=True)


async def test_judged_cohorts_are_forgotten_in_time():
    collection = CohortCollection(Bench().evaluate, CohortLimits(memory_seconds=0.05))
    await joining(collection, "a", "b", "c")
    assert len(collection) == 1
    await asyncio.sleep(0.15)
    assert len(collection) == 0


async def test_members_beyond_the_size_are_turned_away():
    bench = Bench()
    collection = CohortCollection(bench.evaluate)
    first = joining(collection, "a", "b")
    await started()
    joined = await joining(collection, "c", "d")
    assert [fault and fault.type for fault in joined.faults] == [None, "cohort_closed"]
    assert joined.evaluation is (await first).evaluation
    assert bench.judged == [["a", "b", "c"]]


async def test_many_at_once_in_many_groups_are_each_judged_once():
    bench = Bench(seconds=0.01)
    collection = CohortCollection(bench.evaluate)
    callers = [
        joining(collection, f"{place}" * (place + 1), expected=8, name=f"g{name}")
        for place in range(8)
        for name in range(50)
    ]
    joined = await asyncio.gather(*callers, *(joining(collection, "3333", expected=8, name=f"g{n}") for n in range(50)))
    assert len(bench.judged) == 50
    assert {one.evaluation.rewards for one in joined} == {tuple(float(n + 1) for n in range(8))}


async def test_a_request_that_leaves_an_open_cohort_alone_drops_it():
    collection = CohortCollection(Bench().evaluate, CohortLimits(cohorts=2))
    gone = [joining(collection, "a", name=f"g{number}") for number in range(2)]
    await started()
    assert (len(collection), collection.waiting) == (2, 2)
    for caller in gone:
        caller.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    assert (len(collection), collection.waiting) == (0, 0)


async def test_a_caller_beside_others_has_its_share_in_cohorts_and_in_bytes():
    collection = CohortCollection(Bench().evaluate, CohortLimits(cohorts=4, bytes=40_000))
    flood = [joining(collection, "a" * 1_000, name=f"f{number}", caller="flood") for number in range(4)]
    await started()
    with pytest.raises(Overloaded):
        await joining(collection, "a", name="f4", caller="flood")
    modest = [joining(collection, "b", name=f"m{number}", caller="modest") for number in range(2)]
    await started()
    assert len(collection) == 6
    for name, response in (("m2", "b"), ("m0", "c" * 20_000)):
        with pytest.raises(Overloaded):
            await joining(collection, response, name=name, caller="modest")
    third = joining(collection, "b", name="t", caller="third")
    await started()
    assert len(collection) == 7
    await collection.close()
    await asyncio.gather(*flood, *modest, third, return_exceptions=True)


async def test_judged_cohorts_of_the_caller_that_holds_most_make_room_first():
    collection = CohortCollection(Bench().evaluate, CohortLimits(cohorts=3))
    await joining(collection, "a", expected=1, caller="modest")
    for number in range(2):
        await joining(collection, "a" * 100, expected=1, name=f"f{number}", caller="flood")
    await joining(collection, "a", expected=1, name="new", caller="third")
    again = await joining(collection, "a", expected=1, caller="modest")
    assert again.places == (0,)
    assert {cohort.caller for cohort in collection._all()} == {"modest", "flood", "third"}
