from contextlib import ExitStack

from hypothesis import given
from hypothesis import strategies as st

from judge_client.shards import CONNECTIONS, Shards


@given(st.integers(1, 100))
def test_there_are_as_many_pools_as_it_takes(requests):
    shards = Shards(object)
    with ExitStack() as stack:
        pools = [stack.enter_context(shards.place()) for _ in range(requests)]
    assert len(shards.pools()) == -(-requests // CONNECTIONS)
    assert all(pools.count(pool) <= CONNECTIONS for pool in set(pools))


def test_one_request_after_another_stays_on_one_pool():
    shards = Shards(object)
    for _ in range(50):
        with shards.place() as pool:
            assert shards.pools() == [pool]
