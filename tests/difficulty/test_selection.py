import json
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.difficulty.band import Band, BandPlace
from judge_server.difficulty.rollout import keys_of, prompt_row, read_rollouts
from judge_server.difficulty.selection import Prompts, select

REWARDS = st.lists(st.none() | st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(-2, 2), max_size=12)
BANDS = st.builds(
    Band,
    low=st.floats(0, 0.5),
    high=st.floats(0.5, 1),
    threshold=st.floats(-1, 1),
    mean=st.booleans(),
    min_rollouts=st.integers(1, 6),
    keep_constant=st.booleans(),
) | st.builds(Band, interval=st.sampled_from(["inside", "overlap"]), min_rollouts=st.integers(1, 6))


def prompts_of(rewards, threshold=0.5):
    prompts = Prompts()
    for number, some in enumerate(rewards):
        prompts.add(prompts.number(f"{number:016}".encode(), number + 1), some, threshold)
    return prompts


@given(st.lists(REWARDS, max_size=30), BANDS, st.none() | st.integers(1, 40), st.integers(0, 5))
def test_every_prompt_ends_up_in_exactly_one_place(rewards, band, target, seed):
    prompts = prompts_of(rewards, band.threshold)
    selection = select(prompts, band, target=target, seed=seed)
    counts = selection.counts()
    assert len(selection.places) == len(rewards) == sum(counts.values())
    assert sum(bar.prompts for bar in selection.bars) == len(rewards) - counts[BandPlace.TOO_FEW]
    assert sum(bar.kept for bar in selection.bars) == counts[BandPlace.KEPT] == len(selection.kept())
    whole = select(prompts, band).counts()
    assert counts[BandPlace.KEPT] + counts[BandPlace.NOT_DRAWN] == whole[BandPlace.KEPT]
    if target is not None:
        assert counts[BandPlace.KEPT] == min(target, whole[BandPlace.KEPT])
    for number in selection.kept():
        assert band.place(prompts.tally(number)) is BandPlace.KEPT


@given(st.lists(REWARDS, max_size=12))
def test_the_rewards_of_a_prompt_may_come_in_any_order_and_in_parts(rewards):
    flat = [(number, reward) for number, some in enumerate(rewards) for reward in some]
    random.Random(1).shuffle(flat)
    prompts = Prompts()
    for number in range(len(rewards)):
        prompts.number(f"{number:016}".encode(), number + 1)
    for number, reward in flat:
        prompts.add(number, [reward], 0.5)
    expected = prompts_of(rewards)
    for one, other in zip(prompts.tallies(), expected.tallies(), strict=True):
        assert (one.known, one.passed, one.failed, one.least, one.most) == (
            other.known, other.passed, other.failed, other.least, other.most,
        )  # fmt: skip
        assert one.total == pytest.approx(other.total, abs=1e-9)


def test_a_target_is_drawn_evenly_over_the_band():
    rates = [2] * 100 + [4] * 100 + [6] * 3
    prompts = prompts_of([[1.0] * rate + [0.0] * (10 - rate) for rate in rates])
    selection = select(prompts, Band(), target=43)
    drawn = Counter(rates[number] for number in selection.kept())
    assert drawn == {2: 20, 4: 20, 6: 3}


def test_what_is_drawn_depends_on_the_seed_and_not_on_the_order_of_the_prompts():
    keys = [f"{number:016}".encode() for number in range(60)]

    def drawn(order, seed):
        prompts = Prompts()
        for line, key in enumerate(order):
            prompts.add(prompts.number(key, line), [0.0, 1.0, 0.0, 1.0], 0.5)
        kept = select(prompts, Band(), target=10, seed=seed).kept()
        return {order[number] for number in kept}

    assert drawn(keys, 7) == drawn(keys[::-1], 7) == drawn(sorted(keys, key=hash), 7)
    assert drawn(keys, 7) != drawn(keys, 8)


def test_means_beyond_one_widen_the_histogram():
    selection = select(prompts_of([[-1.0, -3.0], [3.0, 3.0], [0.0, 1.0]]), Band(-5, 5, mean=True, min_rollouts=1))
    assert (selection.bars[0].start, selection.bars[-1].end) == (-2.0, 3.0)
    assert sum(bar.prompts for bar in selection.bars) == 3


def line(**row):
    return json.dumps(row).encode()


def test_a_line_is_one_rollout_or_several():
    assert read_rollouts(line(prompt="p", reward=0.5), None, "reward").rewards == (0.5,)
    assert read_rollouts(line(prompt="p", rewards=[1, None, 0, True]), None, "reward").rewards == (1.0, None, 0.0, 1.0)
    assert read_rollouts(line(prompt="p", score=1), None, "score").rewards == (1.0,)
    assert read_rollouts(line(prompt="p", rewards=[]), None, "reward").rewards == ()


def test_a_prompt_is_known_by_its_group_or_its_content_or_its_id():
    messages = [{"role": "user", "content": "p"}]
    same = [line(group="g", prompt=text, id=text, reward=1) for text in "ab"]
    assert len({read_rollouts(one, None, "reward").keys[0] for one in same}) == 1
    turned = [{"content": "p", "role": "user"}]
    assert keys_of({"prompt": messages}, None) == keys_of({"prompt": turned}, None) != keys_of({"prompt": "p"}, None)
    assert keys_of({"id": 7}, None) == keys_of({"id": "7"}, None)
    assert keys_of({"row": 1, "group": "g"}, "row") == keys_of({"row": 1, "group": "h"}, "row")


def test_a_judgment_is_about_the_prompt_of_its_submission():
    judgment = {"id": "jdg_1", "reward": None, "verdicts": [], "submission": {"id": "r1", "group": "g"}}
    found = read_rollouts(line(**judgment), None, "reward")
    assert (found.keys, found.rewards, found.judgment) == (keys_of({"group": "g", "id": "r1"}, None), (None,), True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[1]", "not a JSON object"),
        (b"{", "not JSON"),
        (b'{"prompt": "p"}', "no reward and no list rewards"),
        (b'{"reward": 1}', "no group, prompt or id that says which prompt it is"),
        (b'{"prompt": "", "reward": 1}', "no group, prompt or id"),
        (b'{"prompt": "p", "reward": "1"}', "reward: '1' is neither a number nor null"),
        (b'{"prompt": "p", "rewards": [[1]]}', r"rewards: '\[1\]' is neither"),
        (b'{"prompt": "p", "reward": NaN}', "NaN is not JSON"),
        (b'{"prompt": "p", "reward": 1e999}', "not finite"),
        (b'{"prompt": "p", "reward": ' + b"9" * 400 + b"}", "not finite"),
        (b'{"prompt": "\xff", "reward": 1}', "UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"prompt": "p", "reward": ' + b"9" * 5_000 + b"}", "reward|digits"),
    ],
)
def test_a_line_that_cannot_be_read_says_why(text, words):
    with pytest.raises(ValueError, match=words):
        read_rollouts(text, None, "reward")


def test_what_belongs_to_the_rollout_is_left_out_of_the_prompt_s_row():
    row = {"prompt": "p", "topic": {"a": 1}, "response": "r", "reward": 1, "rewards": [1], "score": 2}
    assert prompt_row(row, "reward") == {"prompt": "p", "topic": {"a": 1}, "score": 2}
    assert prompt_row(row, "score") == {"prompt": "p", "topic": {"a": 1}}
