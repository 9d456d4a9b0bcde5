from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from judge_client.errors import BadInput, TooLarge
from judge_client.splitting import Limits, split

sizes = st.lists(st.integers(min_value=0, max_value=5_000), max_size=60)
limits = st.builds(Limits, items=st.integers(1, 20), body_bytes=st.integers(1_100, 20_000))


@given(sizes, limits, st.integers(0, 500))
def test_the_parts_are_the_list_in_order(sizes, limits, common):
    parts = split(sizes, limits, common)
    assert [place for part in parts for place in part] == list(range(len(sizes)))
    assert all(len(part) > 0 for part in parts)


@given(sizes, limits, st.integers(0, 500))
def test_every_part_keeps_to_the_limits_unless_one_element_alone_breaks_them(sizes, limits, common):
    for part in split(sizes, limits, common):
        assert len(part) <= limits.items
        used = sum(sizes[place] + 1 for place in part) + common
        assert used <= limits.body_bytes or len(part) == 1


@given(sizes, limits)
def test_no_two_neighbours_would_fit_in_one(sizes, limits):
    parts = split(sizes, limits)
    for first, second in pairwise(parts):
        joined = sum(sizes[place] + 1 for place in first) + sizes[second.start] + 1
        assert len(first) == limits.items or joined > limits.body_bytes - 1_024


@given(st.integers(2, 10**6), st.integers(2, 10**8))
def test_a_proxy_that_tells_no_limit_is_asked_for_half(items, body_bytes):
    limits = Limits()
    assert limits.learn(TooLarge("no"), items, body_bytes)
    assert limits.body_bytes <= body_bytes // 2


def test_limits_that_the_server_tells_are_taken():
    limits = Limits()
    assert limits.learn(BadInput("no", problem={"max_items": 8}), 100, 1_000)
    assert limits.learn(TooLarge("no", problem={"max_bytes": 2_048}), 100, 4_096)
    assert limits == Limits(items=8, body_bytes=2_048)


def test_what_cannot_be_made_smaller_is_not_sent_again():
    assert not Limits().learn(TooLarge("no"), 1, 10**9)
    assert not Limits().learn(BadInput("no", problem={"max_items": 8}), 8, 100)
    assert not Limits().learn(BadInput("a field is wrong"), 100, 100)
    assert not Limits().learn(BadInput("no", problem={"max_items": 0}), 100, 100)
