import asyncio

import pytest

from judge_server.store.group_recall import GroupRecall


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


async def test_a_caller_that_is_cancelled_disturbs_nobody():
    group = GroupRecall(Known())
    tasks = [asyncio.create_task(group.recall([str(number)])) for number in range(5)]
    await asyncio.sleep(0.001)
    tasks[2].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[2]
    assert await asyncio.gather(*tasks[:2], *tasks[3:]) == [{str(n): {"value": n}} for n in (0, 1, 3, 4)]
