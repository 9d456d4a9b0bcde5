import asyncio

import pytest

from judge_server.util.room import Room


async def inside(room, whose, size, done):
    async with room.of(whose, size):
        await done.wait()


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def test_works_wait_for_room_and_holders_do_not_wait_for_each_other():
    room, done = Room(10), asyncio.Event()
    works = [asyncio.create_task(inside(room, "ann", 6, done)) for _ in range(3)]
    works.append(asyncio.create_task(inside(room, "bob", 6, done)))
    await settle()
    assert room.inside == 12  # one of ann's, and bob's
    done.set()
    await asyncio.gather(*works)
    assert room.inside == 0


async def test_a_work_larger_than_the_room_goes_in_alone():
    room, done = Room(10), asyncio.Event()
    works = [asyncio.create_task(inside(room, "ann", size, done)) for size in (50, 1)]
    await settle()
    assert room.inside == 50
    done.set()
    await asyncio.gather(*works)
    assert room.inside == 0


@pytest.mark.parametrize("late", [False, True])
async def test_a_work_that_is_cancelled_leaves_its_room_to_the_next(late):
    room, first, rest = Room(10), asyncio.Event(), asyncio.Event()
    works = [asyncio.create_task(inside(room, "ann", size, one)) for size, one in ((9, first), (8, rest), (7, rest))]
    await settle()
    assert room.inside == 9
    if late:  # at the moment in which it is let in
        first.set()
        await works[0]
    works[1].cancel()
    await asyncio.gather(works[1], return_exceptions=True)
    first.set()
    await settle()
    assert room.inside == 7
    rest.set()
    await asyncio.gather(works[0], works[2])
    assert room.inside == 0


async def test_a_small_work_behind_a_large_one_that_is_cancelled_goes_in():
    room, done = Room(10), asyncio.Event()
    works = [asyncio.create_task(inside(room, "ann", size, done)) for size in (5, 8, 5)]
    await settle()
    works[1].cancel()
    await settle()
    assert room.inside == 10
    done.set()
    await asyncio.gather(*works, return_exceptions=True)
    assert room.inside == 0
