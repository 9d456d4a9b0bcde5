"""Exams that are over are kept, listed newest first, by judge, in pages."""

from datetime import UTC, datetime, timedelta

import pytest

from judge_server.core.errors import BadInput
from judge_server.core.exam import ExamRecord, ExamResult, FailedPair, FamilyResult
from judge_server.core.judgment import JudgeReference
from judge_server.store import Store

BEGAN = datetime(2026, 11, 29, 15, 0, tzinfo=UTC)


def record(place=0, judge="main", seed=0):
    failed = FailedPair(
        variant="warn", statement="Ein Bär \0 🧑🏽‍⚕️", responses=("a", "b"), expected=(True, "x"), said=(None, False)
    )
    family = FamilyResult(family="turn", about="turns", pairs=2, passed=1, low=0.1, high=0.9, failed=(failed,))
    reference = JudgeReference(name=judge, model="m", mode="direct", fingerprint=f"sha256:{place:064}")
    result = ExamResult(judge=reference, prompt="2", seed=seed, questions=4, unanswered=0, families=(family,))
    return ExamRecord(id=f"exam_{place}", created_at=BEGAN + timedelta(minutes=place), result=result)


async def test_an_exam_survives_closing_the_store(url):
    store = await Store.open(url)
    await store.exams.put(record())
    await store.exams.put(record())
    await store.close()
    store = await Store.open(url)
    assert await store.exams.find("exam_0") == record()
    assert await store.exams.find("exam_1") is None
    await store.close()


async def test_exams_are_listed_newest_first_by_judge_and_in_pages(store):
    for place in range(5):
        await store.exams.put(record(place, judge="main" if place % 2 else "other"))
    first = await store.exams.listed(limit=3)
    second = await store.exams.listed(limit=3, cursor=first.next_cursor)
    assert [one.id for one in (*first.items, *second.items)] == [f"exam_{place}" for place in (4, 3, 2, 1, 0)]
    assert second.next_cursor is None
    mine = await store.exams.listed(judge="main")
    assert [one.id for one in mine.items] == ["exam_3", "exam_1"]


@pytest.mark.parametrize("asked", [{"limit": 0}, {"limit": 1_001}, {"cursor": "x"}], ids=str)
async def test_a_limit_or_cursor_that_no_page_has_is_refused(store, asked):
    with pytest.raises(BadInput):
        await store.exams.listed(**asked)
