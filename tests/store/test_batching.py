import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import pytest
from sqlalchemy import text

from judge_server.core.caller import Caller, current_caller
from judge_server.core.errors import StoreUnavailable
from judge_server.store.database import MISSING, Database, insert_many
from judge_server.store.group_commit import GroupCommit
from judge_server.store.location import Location
from judge_server.store.store import GroupRecall, Store
from tests.yardstick import PATIENCE_SECONDS


class Recorder:
    """Commits to a list; waits for ``gate`` before each commit."""

    def __init__(self) -> None:
        self.commits: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, items):
        assert self.gate.wait(PATIENCE_SECONDS)
        self.commits.append(list(items))
        if 666 in items:
            raise RuntimeError("an unforeseen failure")
        return [ValueError(f"{item} is negative") if item < 0 else None for item in items]

    @property
    def committed(self) -> list[int]:
        return [item for commit in self.commits for item in commit]


@asynccontextmanager
async def committing(recorder, **limits):
    with ThreadPoolExecutor(1) as executor:
        group = GroupCommit(recorder, executor, **limits)
        yield group
        recorder.gate.set()
        await group.close()


async def test_what_queued_during_one_commit_goes_together_into_the_next():
    recorder = Recorder()
    async with committing(recorder) as group:
        recorder.gate.clear()
        first = asyncio.create_task(group.add(0))
        await asyncio.sleep(0.01)
        rest = [asyncio.create_task(group.add(number)) for number in range(1, 50)]
        await asyncio.sleep(0.01)
        recorder.gate.set()
        await asyncio.gather(first, *rest)
    assert recorder.commits == [[0], list(range(1, 50))]


async def test_long_items_go_alone_and_others_go_between_them():
    recorder = Recorder()
    async with committing(recorder) as group:
        recorder.gate.clear()
        first = asyncio.create_task(group.add(0))
        await asyncio.sleep(0.01)
        before = [asyncio.create_task(group.add(number)) for number in (1, 2)]
        await asyncio.sleep(0.01)
        long = [asyncio.create_task(group.add(number, alone=True)) for number in (100, 200, 300)]
        await asyncio.sleep(0.01)
        after = [asyncio.create_task(group.add(number)) for number in (3, 4)]
        await asyncio.sleep(0.01)
        recorder.gate.set()
        await asyncio.gather(first, *before, *long, *after)
    assert recorder.commits == [[0], [1, 2, 3, 4], [100], [200], [300]]


async def test_what_comes_during_the_commit_of_a_long_item_is_next():
    recorder = Recorder()
    async with committing(recorder) as group:
        recorder.gate.clear()
        long = [asyncio.create_task(group.add(number, alone=True)) for number in (100, 200)]
        await asyncio.sleep(0.01)
        short = asyncio.create_task(group.add(1))
        await asyncio.sleep(0.01)
        recorder.gate.set()
        await asyncio.gather(short, *long)
    assert recorder.commits == [[100], [1], [200]]


async def test_a_commit_is_bounded():
    recorder = Recorder()
    async with committing(recorder, most_items=10) as group:
        recorder.gate.clear()
        tasks = [asyncio.create_task(group.add(number, number)) for number in range(100)]
        await asyncio.sleep(0.01)
        recorder.gate.set()
        await asyncio.gather(*tasks)
    assert max(len(commit) for commit in recorder.commits) == 10
    assert len(recorder.committed) == 200


async def test_the_queue_is_bounded_and_nothing_is_lost():
    recorder = Recorder()
    async with committing(recorder, most_waiting=5) as group:
        await asyncio.gather(*(group.add(number) for number in range(100)))
    assert sorted(recorder.committed) == list(range(100))
    assert max(len(commit) for commit in recorder.commits) <= 5


async def test_an_error_reaches_the_one_whose_item_it_is():
    async with committing(Recorder()) as group:
        outcomes = await asyncio.gather(group.add(1), group.add(2, -2, 3), group.add(4), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["None", "-2 is negative", "None"]


async def test_an_unforeseen_failure_reaches_everyone_and_the_next_commit_goes_on():
    async with committing(Recorder()) as group:
        outcomes = await asyncio.gather(group.add(1), group.add(666), return_exceptions=True)
        assert any("unforeseen" in str(outcome) for outcome in outcomes)
        await group.add(2)


async def test_closing_commits_what_is_queued_and_refuses_more():
    recorder = Recorder()
    async with committing(recorder) as group:
        recorder.gate.clear()
        tasks = [asyncio.create_task(group.add(number)) for number in range(20)]
        await asyncio.sleep(0.01)
        closing = asyncio.create_task(group.close())
        await asyncio.sleep(0.01)
        with pytest.raises(StoreUnavailable, match="closed"):
            await group.add(99)
        recorder.gate.set()
        await asyncio.gather(closing, *tasks)
    assert sorted(recorder.committed) == list(range(20))


async def test_a_cancelled_commit_does_not_disturb_others():
    recorder = Recorder()
    async with committing(recorder) as group:
        recorder.gate.clear()
        tasks = [asyncio.create_task(group.add(number)) for number in range(10)]
        await asyncio.sleep(0.01)
        tasks[3].cancel()
        await asyncio.sleep(0.01)
        assert tasks[3].cancelled()
        recorder.gate.set()
        await asyncio.gather(*tasks[:3], *tasks[4:])
    assert sorted(recorder.committed) == list(range(10))


class Known:
    """Knows every key that is a number; fails for the key "fail"."""

    def __init__(self) -> None:
        self.questions: list[list[str]] = []

    async def __call__(self, keys):
        self.questions.append(list(keys))
        await asyncio.sleep(0.005)
        if "fail" in keys:
            raise ValueError("no answer")
        return {key: {"value": int(key)} for key in keys if key.isdigit()}


async def test_everyone_gets_what_they_asked_for_and_nothing_else():
    group = GroupRecall(Known())
    answers = await asyncio.gather(*(group.recall([str(number), str(number + 1), "unknown"]) for number in range(50)))
    assert answers == [{str(n): {"value": n}, str(n + 1): {"value": n + 1}} for n in range(50)]


async def test_keys_asked_for_during_one_question_go_together_into_the_next():
    known = Known()
    group = GroupRecall(known)
    first = asyncio.create_task(group.recall(["1"]))
    await asyncio.sleep(0.002)
    await asyncio.gather(first, group.recall(["2", "3"]), group.recall(["3", "4"]))
    await group.recall(["5"])
    assert known.questions == [["1"], ["2", "3", "4"], ["5"]]


async def test_a_question_is_bounded():
    known = Known()
    group = GroupRecall(known)
    await asyncio.gather(*(group.recall([f"{n}{m:03}" for m in range(500)]) for n in range(1, 11)))
    assert [len(question) for question in known.questions] == [2000, 2000, 1000]


async def test_a_failed_question_reaches_everyone_in_it_and_the_next_goes_on():
    group = GroupRecall(Known())
    outcomes = await asyncio.gather(group.recall(["1"]), group.recall(["fail"]), return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["no answer", "no answer"]
    assert await group.recall(["1"]) == {"1": {"value": 1}}


async def test_a_cancelled_recall_does_not_disturb_others():
    group = GroupRecall(Known())
    tasks = [asyncio.create_task(group.recall([str(number)])) for number in range(5)]
    await asyncio.sleep(0.001)
    tasks[2].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[2]
    assert await asyncio.gather(*tasks[:2], *tasks[3:]) == [{str(n): {"value": n}} for n in (0, 1, 3, 4)]


async def test_one_callers_questions_leave_a_thread_to_anothers(tmp_path):
    """Eight questions that take long, and then one of somebody else: it is answered while they wait."""
    ready = threading.Event()
    store = await Store.open(str(tmp_path / "judge.db"))
    current_caller.set(Caller("greedy", frozenset()))
    asking = [asyncio.create_task(store._read(lambda _: ready.wait(PATIENCE_SECONDS))) for _ in range(8)]
    await asyncio.sleep(0)
    current_caller.set(Caller("modest", frozenset()))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await store._read(lambda _: "answered") == "answered"
        assert not any(one.done() for one in asking)
    finally:
        ready.set()
        assert all(await asyncio.gather(*asking))
        await store.close()


@pytest.mark.parametrize("many", [1, 2, 63, 64, 65, 200])
def test_any_number_of_rows_is_inserted_once_and_in_order(tmp_path, many):
    database = Database(Location.of(f"sqlite:///{tmp_path}/rows.db"))
    rows = [(number, f"text {number}", None) for number in range(many)]
    try:
        database.write(lambda connection: connection.execute(text("CREATE TABLE r (a UNIQUE, b, c)")))
        database.write(lambda connection: insert_many(connection, "INSERT INTO r (a, b, c)", rows))
        database.write(lambda connection: insert_many(connection, "INSERT INTO r (a, b, c)", [*rows, *rows], MISSING))
        assert database.rows("SELECT a, b, c FROM r ORDER BY rowid", ()) == rows
    finally:
        database.close()
