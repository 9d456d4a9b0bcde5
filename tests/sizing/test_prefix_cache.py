"""The simulated KV cache shares, evicts and never loses a block."""

from hypothesis import given
from hypothesis import strategies as st

from judge_server.sizing.prefix_cache import PrefixCache
from judge_server.sizing.workload import Call, TrainingStep, calls_of

BLOCK = 16
WORKLOAD = TrainingStep(
    rollouts=4, criteria=3, group=2, instruction_tokens=32, prompt_tokens=64, response_tokens=96, criterion_tokens=20
)


def calls(rollout: int) -> list[Call]:
    return list(calls_of(WORKLOAD, rollout))


def test_what_begins_alike_is_computed_once():
    cache = PrefixCache(1_000, BLOCK)
    first, second = calls(0)[:2]
    other_rollout, other_prompt = calls(1)[0], calls(2)[0]
    assert cache.take(first) == 0
    assert cache.take(second) == 192, "instructions, prompt and response"
    assert cache.take(other_rollout) == 96, "instructions and prompt"
    assert cache.take(other_prompt) == 32, "instructions"


def test_the_last_token_of_a_repeated_call_is_computed_again():
    cache = PrefixCache(1_000, BLOCK)
    call = Call(("a", "b", "c", "d"), (16, 32, 48, 64), 1)
    cache.take(call)
    assert cache.take(call) == 63


def test_without_sharing_everything_is_computed():
    cache = PrefixCache(1_000, BLOCK, shares=False)
    assert [cache.take(call) for call in calls(0)] == [0, 0, 0]


def test_a_call_waits_until_there_is_room_and_the_oldest_is_forgotten_first():
    cache = PrefixCache(18, BLOCK)
    first, other = calls(0)[0], calls(2)[0]
    assert cache.take(first) == 0
    assert cache.take(other) is None, "14 blocks are held, and 12 more are needed"
    cache.release(first)
    assert cache.take(other) == 32
    cache.release(other)
    assert cache.take(first) == 96, "its response had to go, its prompt did not"


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.booleans()), max_size=60), st.integers(14, 60))
def test_blocks_are_neither_lost_nor_made(steps, blocks):
    cache = PrefixCache(blocks, BLOCK)
    held: list[Call] = []
    for rollout, criterion, release in steps:
        if release and held:
            cache.release(held.pop(0))
        elif cache.take(calls(rollout)[criterion]) is not None:
            held.append(calls(rollout)[criterion])
    for call in held:
        cache.release(call)
    assert cache.blocks == blocks
