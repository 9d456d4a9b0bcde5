"""Known verdicts, by content key."""

import asyncio
import hashlib

import pytest

from judge_server.scoring.cached_judge import Memory
from tests.store.values import HOSTILE


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


async def test_what_is_remembered_is_recalled_and_the_rest_left_out(store):
    memory: Memory = store
    content = {"value": 0.1 + 0.2, "shares": [0.3, 0.7], "reason": None}
    await memory.remember({key(1): content})
    assert await memory.recall([key(1), key(2)]) == {key(1): content}


async def test_what_is_known_stays(store):
    await store.remember({key(1): {"value": 1}})
    await store.remember({key(1): {"value": 0}, key(2): {"value": 0}})
    assert await store.recall([key(1), key(2)]) == {key(1): {"value": 1}, key(2): {"value": 0}}


async def test_nothing_asked_is_nothing_recalled(store):
    await store.remember({})
    assert await store.recall([]) == {}


async def test_thousands_of_keys_are_recalled_in_one_call(store):
    entries = {key(number): {"value": number} for number in range(3000)}
    await store.remember(entries)
    assert await store.recall([*entries, key(-1)]) == entries


async def test_many_who_remember_the_same_at_once_do_not_disturb_each_other(store):
    await asyncio.gather(*(store.remember({key(n % 7): {"value": 1}, key(n): {"value": 1}}) for n in range(200)))
    assert (await store.counts())["verdicts"] == 200


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_text_in_a_verdict_comes_back_unchanged(store, text):
    entries = {f"key {text}": {"reason": text, text: 2**63}}
    await store.remember(entries)
    assert await store.recall(list(entries)) == entries
