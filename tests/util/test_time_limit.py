"""Many waits have a limit, and one timer of the loop serves them all. Time is computed."""

import asyncio
from collections.abc import Iterator

import pytest

from judge_server.util.time_limit import until, within
from tests.scheduling.virtual_loop import VirtualLoop

_TIMER_SECONDS = 0.002  # how much later than its end a limit may be noticed


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    virtual = VirtualLoop()
    yield virtual
    virtual.close()


async def _ended(loop, seconds, limit):
    """When a wait of so many seconds ended, and whether that was by its limit."""
    try:
        with limit:
            await loop.happens_in(seconds)
    except TimeoutError:
        return pytest.approx(loop.time(), abs=_TIMER_SECONDS), "late"
    return pytest.approx(loop.time(), abs=_TIMER_SECONDS), "done"


@pytest.mark.parametrize(
    ("seconds", "limit", "end"),
    [(1.0, 5.0, (1.0, "done")), (5.0, 1.0, (1.0, "late")), (5.0, None, (5.0, "done")), (5.0, -1.0, (0.0, "late"))],
)
def test_a_wait_ends_at_its_limit(loop, seconds, limit, end):
    async def run():
        return await _ended(loop, seconds, until(limit))

    assert loop.run_until_complete(run()) == end


def test_each_of_many_waits_ends_at_its_own_limit(loop):
    limits = [(7 * number) % 50 / 10 + 0.1 for number in range(50)]  # in no order

    async def run():
        return await asyncio.gather(*(_ended(loop, 3.0, within(limit)) for limit in limits))

    expected = [(3.0, "done") if limit > 3.0 else (limit, "late") for limit in limits]
    assert loop.run_until_complete(run()) == expected


def test_a_limit_is_noticed_after_waits_with_earlier_and_later_ones_are_over(loop):
    async def run():
        ends = [await _ended(loop, 0.1, within(limit)) for limit in (1.0, 9.0, 0.5)]
        return [*ends, await _ended(loop, 9.0, within(2.0))]

    assert loop.run_until_complete(run()) == [(0.1, "done"), (0.2, "done"), (0.3, "done"), (2.3, "late")]


def test_a_thousand_waits_one_after_the_other_leave_one_timer(loop):
    async def run():
        for _ in range(1_000):
            with within(30.0):
                await asyncio.sleep(0)
        return len(loop._scheduled)

    assert loop.run_until_complete(run()) == 1


def test_what_does_not_wait_is_not_ended_by_a_limit_that_has_passed(loop):
    async def run():
        with within(-1.0) as limit:
            loop.work(1.0)
        return limit.expired

    assert not loop.run_until_complete(run())


def test_the_outer_of_two_limits_is_raised_where_its_block_ends(loop):
    async def run():
        passed = []
        try:
            with within(1.0):
                try:
                    with within(2.0):
                        await loop.happens_in(5.0)
                except TimeoutError:
                    passed.append("inner")
        except TimeoutError:
            passed.append("outer")
        return passed, asyncio.current_task().cancelling()

    assert loop.run_until_complete(run()) == (["outer"], 0)


def test_the_inner_of_two_limits_leaves_the_outer_one_in_force(loop):
    async def run():
        with within(2.0) as outer:
            assert (await _ended(loop, 5.0, within(1.0)))[1] == "late"
            assert not outer.expired
            await loop.happens_in(5.0)

    with pytest.raises(TimeoutError):
        loop.run_until_complete(run())
    assert loop.time() == pytest.approx(2.0, abs=_TIMER_SECONDS)


def test_a_task_that_is_cancelled_from_outside_is_cancelled_also_if_its_limit_passes_meanwhile(loop):
    async def waits():
        with within(1.0):
            try:
                await loop.happens_in(9.0)
            except asyncio.CancelledError:
                await loop.happens_in(2.0)  # tidies up for longer than the limit
                raise

    async def run():
        task = asyncio.ensure_future(waits())
        await loop.happens_in(0.5)
        task.cancel()
        await asyncio.wait([task])
        return task.cancelled()

    assert loop.run_until_complete(run())


def test_an_error_of_the_block_comes_as_it_is(loop):
    async def run():
        with within(1.0):
            raise TimeoutError("of another wait")

    with pytest.raises(TimeoutError, match="of another wait"):
        loop.run_until_complete(run())


def test_waits_of_a_further_loop_in_the_same_thread_have_their_limits_too(loop):
    async def run(of):
        return await _ended(of, 5.0, within(1.0))

    assert loop.run_until_complete(run(loop)) == (1.0, "late")
    further = VirtualLoop()
    assert further.run_until_complete(run(further)) == (1.0, "late")
    further.close()


def test_a_callback_has_no_wait_to_be_limited(loop):
    faults = []

    def callback():
        with pytest.raises(RuntimeError, match="inside a task") as caught, until(1.0):
            pass
        faults.append(caught)
        loop.stop()

    loop.call_soon(callback)
    loop.run_forever()
    assert faults
