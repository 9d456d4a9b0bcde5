"""Receiving jobs: uploads that are slow, silent, given up, or sent byte by byte."""

import asyncio
import json
import time

import pytest

from judge_server.core.errors import TooLarge, UploadStalled
from judge_server.core.job import JobStatus, JobTerms
from judge_server.server.job_intake import Intake, JobSize, lines
from tests.store.conftest import store
from tests.workers.assembly import items

SIZE = JobSize(items=10_000, total_bytes=10_000_000, item_bytes=1_000_000)


__all__ = ["store"]


async def dripping(count, pause_seconds):
    for item in items(count):
        await asyncio.sleep(pause_seconds)
        yield json.dumps(item).encode() + b"\n"


async def taken(store, chunks, **more):
    job, _ = await Intake(store.jobs, SIZE, JobTerms(), None, **more).take(lines(chunks, SIZE))
    return job


async def test_a_slow_upload_lives_as_long_as_it_sends_while_other_jobs_arrive(store):
    slow = asyncio.create_task(taken(store, dripping(5, 0.2), patience_seconds=0.15))
    others = []
    while not slow.done():
        others.append(await taken(store, dripping(1, 0.0)))
        await asyncio.sleep(0.05)
    assert (await slow).total == 5
    assert len(others) >= 2
    assert (await store.jobs.find((await slow).id)).status is JobStatus.QUEUED


async def test_an_upload_that_falls_silent_is_a_typed_error_and_keeps_nothing(store):
    async def silent():
        yield json.dumps(items(1)[0]).encode() + b"\n"
        await asyncio.sleep(60)

    intake = Intake(store.jobs, SIZE, JobTerms(), "key")
    with pytest.raises(UploadStalled, match=r"Nothing arrived for 0\.1 s"):
        await intake.take(lines(silent(), SIZE, silence_seconds=0.1))
    assert (await store.jobs.jobs()).items == ()
    assert (await Intake(store.jobs, SIZE, JobTerms(), "key").take(lines(dripping(1, 0), SIZE)))[1]


async def test_an_upload_that_the_store_gave_up_is_a_typed_error(store):
    async def frozen():
        yield json.dumps(items(1)[0]).encode() + b"\n"
        (receiving,) = (await store.jobs.jobs()).items
        await store.jobs.extend(receiving.id, patience_seconds=-1)
        assert await store.jobs.forget_expired() == (receiving.id,)

    with pytest.raises(UploadStalled, match="given up"):
        await taken(store, frozen())
    assert (await store.jobs.jobs()).items == ()


async def one_byte_each(size):
    for _ in range(size):
        yield b" "


async def seconds_for(size):
    """The least of three tries: what else the machine does can only add to them."""
    least = float("inf")
    for _ in range(3):
        started = time.thread_time()
        assert [text async for text in lines(one_byte_each(size), SIZE)] == []
        least = min(least, time.thread_time() - started)
    return least


async def test_a_line_sent_byte_by_byte_costs_the_same_for_every_byte():
    short, long = await seconds_for(20_000), await seconds_for(160_000)
    assert long < 4 * 8 * short  # 64 times, if every byte cost what all before it cost


async def test_a_line_without_an_end_is_refused_at_its_limit():
    async def endless():
        while True:
            yield b"x" * 100_000

    with pytest.raises(TooLarge, match="line 1: longer than 1000000 bytes"):
        async for _ in lines(endless(), SIZE):
            pass


async def test_lines_are_found_however_the_chunks_are_cut():
    body = b'\n{"a": 1}\r\n\n{"b": "\xc3\xa9"}'
    for size in range(1, len(body) + 1):

        async def cut(size=size):
            for at in range(0, len(body), size):
                yield body[at : at + size]

        assert [text async for text in lines(cut(), SIZE)] == ['{"a": 1}', '{"b": "é"}']
