import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judge_client import JudgeFailed, StepReward
from judge_client.token_rewards import process_advantages, token_rewards
from tests.client.test_token_offsets import TEXTS, byte_level

WORDS = [(0, 5), (5, 10), (10, 11), (11, 16)]  # "First then. Last." as four tokens would have it


def step(index, value, *span, **more):
    return {"index": index, "value": value, "span": span or None} | more


def failed(index, *span, **more):
    return step(index, None, *span, error={"type": "timeout", "detail": "Too late."}, **more)


def test_a_reward_stands_on_the_last_token_of_its_step():
    found = token_rewards([step(0, 0.5, 0, 10), step(1, -1.0, 11, 16)], WORDS)
    assert found.values == [0.0, 0.5, 0.0, -1.0]
    assert [(one.step, one.tokens, one.at, one.value) for one in found.placed] == [
        (0, (0, 2), 1, 0.5),
        (1, (3, 4), 3, -1.0),
    ]
    assert (found.mask, found.dropped) == ([1, 1, 1, 1], {})


def test_a_reward_can_be_spread_over_its_step():
    assert token_rewards([step(0, 0.6, 0, 11)], WORDS, spread=True).values == pytest.approx([0.2, 0.2, 0.2, 0])


def test_the_client_s_own_step_rewards_are_read():
    assert token_rewards([StepReward(index=0, value=1.0, span=(0, 11))], WORDS).values == [0, 0, 1.0, 0]


def test_special_tokens_never_have_a_reward():
    offsets = [(0, 0), (0, 5), (0, 0), (5, 10), (0, 0), (0, 0)]
    assert token_rewards([step(0, 0.5, 0, 10)], offsets).values == [0, 0, 0, 0.5, 0, 0]
    assert token_rewards([step(0, 0.5, 0, 10)], offsets, spread=True).values == [0, 0.25, 0, 0.25, 0, 0]


def test_a_token_between_two_steps_has_part_in_both():
    offsets = [(0, 3), (3, 7), (7, 9)]
    assert token_rewards([step(0, 0.5, 0, 4), step(1, 0.25, 6, 7)], offsets).values == [0, 0.75, 0]


def test_a_step_beyond_the_tokens_is_dropped_and_reported():
    found = token_rewards([step(0, 1.0, 0, 10), step(1, 0.5, 11, 16), step(2, 0.5, 20, 25)], WORDS[:3])
    assert (found.values, found.dropped) == ([0, 1.0, 0], {1: "beyond_the_tokens", 2: "beyond_the_tokens"})
    assert token_rewards([step(0, 1.0, 0, 1)], []).dropped == {0: "beyond_the_tokens"}


def test_a_step_of_no_characters_has_no_tokens():
    assert token_rewards([step(0, 1.0, 3, 3)], WORDS).dropped == {0: "no_tokens"}
    assert token_rewards([step(0, 1.0, 3, 4)], [(0, 3), (5, 6)]).dropped == {0: "no_tokens"}


def test_a_failed_step_is_never_a_reward():
    with pytest.raises(JudgeFailed, match="Step 1 has no reward: Too late") as told:
        token_rewards([step(0, 0.5, 0, 5), failed(1, 11, 16)], WORDS)
    assert told.value.slug == "timeout"


def test_a_failed_step_can_be_masked():
    found = token_rewards([step(0, 0.5, 0, 5), failed(1, 5, 11)], WORDS, on_failure="drop")
    assert (found.values, found.mask, found.dropped) == ([0.5, 0, 0, 0], [1, 0, 0, 1], {1: "judge_failed"})


def test_a_failed_step_can_have_the_mean_of_the_others_or_a_number():
    steps = [step(0, 0.5, 0, 5), step(1, 1.0, 5, 10), failed(2, 11, 16)]
    assert token_rewards(steps, WORDS, on_failure="neutral").values == [0.5, 1.0, 0, 0.75]
    assert token_rewards(steps, WORDS, on_failure=-1).values == [0.5, 1.0, 0, -1.0]
    with pytest.raises(JudgeFailed):
        token_rewards([failed(0, 0, 5)], WORDS, on_failure="neutral")


def test_a_failed_step_beyond_the_tokens_is_still_a_failure():
    with pytest.raises(JudgeFailed):
        token_rewards([failed(0, 20, 25)], WORDS)
    assert token_rewards([failed(0, 20, 25)], WORDS, on_failure="drop").dropped == {0: "judge_failed"}


def test_rewards_stand_on_tokens_that_the_policy_wrote():
    found = token_rewards([step(0, 0.5, 0, 11), step(1, 1.0, 11, 16)], WORDS, trainable=[1, 1, 0, 0])
    assert (found.values, found.dropped) == ([0, 0.5, 0, 0], {1: "not_trainable"})


def turn(index, value, message, *span):
    return step(index, value, *(span or (0, 0)), message=message, field="content")


def test_turns_have_their_rewards_on_their_last_tokens():
    offsets = [(0, 4), (0, 0), (4, 6), (0, 0), (6, 9), (0, 0)]
    steps = [turn(0, 0.5, 0, 0, 4), turn(1, 1.0, 2), turn(2, 0.25, 4)]
    found = token_rewards(steps, offsets, turns=[(0, 2), (2, 4), (4, 6)], trainable=[1, 1, 0, 0, 1, 1])
    assert (found.values, found.dropped) == ([0, 0.5, 0, 0, 0, 1.0], {2: "beyond_the_tokens"})


def test_a_single_message_is_read_as_the_text_that_it_is():
    steps = [turn(0, 0.5, 0, 0, 5), turn(1, 1.0, 0, 11, 16)]
    assert token_rewards(steps, WORDS).values == [0.5, 0, 0, 1.0]
    assert token_rewards(steps, WORDS, turns=[(0, 4)]).values == [0.5, 0, 0, 1.0]


def test_reasoning_in_a_field_of_its_own_begins_where_the_caller_says():
    steps = [turn(0, 0.5, 0, 0, 5) | {"field": "reasoning"}]
    with pytest.raises(ValueError, match="origin"):
        token_rewards(steps, WORDS)
    assert token_rewards(steps, WORDS, origin=5).values == [0, 0.5, 0, 0]


def test_what_cannot_be_placed_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match="turns_at"):
        token_rewards([turn(0, 0.5, 2)], WORDS)
    with pytest.raises(ValueError, match="not within the 4 tokens"):
        token_rewards([turn(0, 0.5, 0)], WORDS, turns=[(0, 9)])
    with pytest.raises(ValueError, match="run backwards"):
        token_rewards([step(0, 0.5, 0, 5)], [(0, 5), (5, 9), (0, 4)])
    with pytest.raises(ValueError, match="has no span"):
        token_rewards([step(0, 0.5)], WORDS)


@settings(max_examples=300, deadline=None)
@given(st.data(), TEXTS.filter(bool))
def test_the_tokens_of_a_step_are_those_with_its_characters(data, text):
    """Against a real tokenizer: the tokens of a span cover it, and no token beside them has a part in it."""
    encoded = byte_level().encode(text)
    ends = sorted({0, *data.draw(st.lists(st.integers(0, len(text)), max_size=5)), len(text)})
    spans = list(pairwise(ends))
    values = data.draw(st.lists(st.floats(-2, 2), min_size=len(spans), max_size=len(spans)))
    steps = [step(index, value, *span) for index, (span, value) in enumerate(zip(spans, values, strict=True))]
    found, spread = (token_rewards(steps, encoded.offsets, spread=spread) for spread in (False, True))
    assert len(found.values) == len(encoded.ids)
    assert found.dropped == {}
    for placed, (start, end) in zip(found.placed, spans, strict=True):
        first, after = placed.tokens
        inside = {place for token in encoded.offsets[first:after] for place in range(*token)}
        assert inside >= set(range(start, end))
        assert all(token[0] < end and token[1] > start for token in encoded.offsets[first:after])
        assert all(token[1] <= start or token[0] >= end for token in encoded.offsets[:first] + encoded.offsets[after:])
        assert placed.at == after - 1
    for result in (found, spread):
        assert math.fsum(result.values) == pytest.approx(math.fsum(values), abs=1e-9)


def test_process_advantages_add_up_the_normalised_rewards_that_are_still_to_come():
    group = [
        token_rewards([step(0, 1.0, 0, 10), step(1, 0.0, 11, 16)], WORDS),
        token_rewards([step(0, 1.0, 0, 5)], WORDS[:2]),
    ]
    mean, std = 2 / 3, math.sqrt(2 / 9)
    high, low = (1 - mean) / (std + 1e-4), -mean / (std + 1e-4)
    assert process_advantages(group) == [pytest.approx([high + low, high + low, low, low]), pytest.approx([high, 0])]


def test_a_group_whose_steps_are_all_alike_teaches_nothing():
    alike = token_rewards([step(0, 0.5, 0, 10), step(1, 0.5, 11, 16)], WORDS)
    assert process_advantages([alike, token_rewards([], WORDS)]) == [[0, 0, 0, 0], [0, 0, 0, 0]]
    assert process_advantages([]) == []
