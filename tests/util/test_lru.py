"""Bounded caches evict the least recently used values."""

from hypothesis import given
from hypothesis import strategies as st

from judge_server.util.lru import BoundedCache


def test_the_least_recently_used_value_is_evicted():
    cache = BoundedCache[str, int](2)
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert [cache.get(key) for key in "abc"] == [1, None, 3]
    assert cache.values() == [1, 3]


def test_a_value_is_made_once_while_it_is_kept():
    made = []
    cache = BoundedCache[str, str](10, len)
    for key in ("aaaa", "bbbb", "aaaa", "cccc", "aaaa", "bbbb"):
        assert cache.get_or_make(key, lambda key=key: made.append(key) or key) == key
    assert made == ["aaaa", "bbbb", "cccc", "bbbb"]


def test_a_value_larger_than_the_capacity_is_returned_and_not_kept():
    cache = BoundedCache[str, str](3, len)
    cache.put("small", "abc")
    assert cache.get_or_make("large", lambda: "abcd") == "abcd"
    assert "large" not in cache
    assert cache.get("small") == "abc"


def test_a_value_that_grew_too_large_takes_its_old_value_along():
    cache = BoundedCache[str, str](3, len)
    cache.put("key", "ab")
    cache.put("key", "abcd")
    assert "key" not in cache
    assert cache.size == 0


@given(
    st.integers(0, 12),
    st.lists(st.tuples(st.sampled_from("abcdef"), st.text(max_size=8), st.booleans()), max_size=60),
)
def test_the_size_is_that_of_the_kept_values_and_never_exceeds_the_capacity(capacity, actions):
    cache = BoundedCache[str, str](capacity, len)
    for key, value, write in actions:
        if write:
            cache.put(key, value)
        else:
            cache.get(key)
        assert cache.size == sum(map(len, cache.values())) <= capacity
