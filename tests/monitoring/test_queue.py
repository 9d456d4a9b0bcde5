"""Drawing judgments for people: more of what is suspicious, and weights that make estimates honest again."""

from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judge_server.core.audit_queue import Framed, Sizes
from judge_server.monitoring.queue import draw

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def frame(count=1_000, seed=1):
    chance = np.random.default_rng(seed)
    return [
        Framed(id=f"jdg_{seed}_{number}", reward=float(chance.random()), flagged=bool(chance.random() < 0.05))
        for number in range(count)
    ]


def test_each_stratum_gives_as_many_as_asked_for():
    some = frame()
    items = draw(some, {one.id for one in some[:40]}, Sizes(flagged=5), "set", NOW)
    assert Counter(item.stratum for item in items) == {
        "disagreement": 20,
        "flagged": 5,
        "high_reward": 20,
        "random": 20,
    }
    assert len({item.judgment for item in items}) == 65


def test_a_judgment_is_in_the_first_stratum_that_it_belongs_to():
    some = [Framed(id=name, reward=1.0, flagged=True) for name in "ab"] + [Framed(id="c", reward=0.0, flagged=False)]
    assert {item.judgment: item.stratum for item in draw(some, {"a"}, Sizes(), "set", NOW)} == {
        "a": "disagreement",
        "b": "flagged",
        "c": "random",
    }


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans(), st.booleans()), max_size=60),
    st.builds(Sizes, disagreement=st.integers(1, 9), flagged=st.integers(1, 9), random=st.integers(1, 9)),
)
def test_weights_add_up_to_the_frame(rows, sizes):
    some = [Framed(id=str(place), reward=reward, flagged=flag) for place, (reward, flag, _) in enumerate(rows)]
    items = draw(some, {str(place) for place, row in enumerate(rows) if row[2]}, sizes, "set", NOW)
    assert sum(item.weight for item in items) == pytest.approx(len(some))
    assert all(item.weight == pytest.approx(item.population / item.sampled) for item in items)


def test_a_weighted_mean_is_that_of_the_frame_though_the_draw_is_of_the_suspicious():
    means, plain = [], []
    for seed in range(150):
        some = frame(600, seed)
        truth = {one.id: float(one.reward < 0.8 and not one.flagged) for one in some}
        items = draw(some, (), Sizes(), f"set{seed}", NOW)
        weights = [item.weight for item in items]
        values = [truth[item.judgment] for item in items]
        means.append(np.average(values, weights=weights) - np.mean(list(truth.values())))
        plain.append(np.mean(values) - np.mean(list(truth.values())))
    assert abs(np.mean(means)) < 0.02
    assert abs(np.mean(plain)) > 0.2


def test_the_draw_is_the_same_for_the_same_label_set_and_another_for_another():
    some = frame()
    assert draw(some, (), Sizes(), "a", NOW) == draw(some[::-1], (), Sizes(), "a", NOW)
    assert {one.judgment for one in draw(some, (), Sizes(), "a", NOW)} != {
        one.judgment for one in draw(some, (), Sizes(), "b", NOW)
    }


def test_nothing_comes_of_nothing():
    assert draw([], (), Sizes(), "set", NOW) == ()
    assert draw(frame(10), (), Sizes(disagreement=0, flagged=0, high_reward=0, random=0), "set", NOW) == ()
