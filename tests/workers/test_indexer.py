"""The indexer makes the index of texts, one server at a time."""

from judge_server.store import Store
from judge_server.workers.indexer import Indexer
from tests.store.test_search import judged


async def test_full_blocks_are_indexed_by_one_server_and_then_nothing_is_left(tmp_path):
    store = await Store.open(f"sqlite:///{tmp_path / 'judge.db'}")
    try:
        first, second = Indexer(store, rest_seconds=0.0), Indexer(store, rest_seconds=0.0)
        assert await first.step() == 0
        await store.save_many(judged(number, f"Answer {number}.") for number in range(1_030))
        assert await store.watches.claim("index", "another server", seconds=60)
        assert await second.step() == 0
        await store.watches.release("index", "another server")
        assert await first.step() == 1
        assert await first.step() == 0
        assert not await store.search.waiting()
        (found,) = (await store.judgments(text="answer 7.")).items
        assert found.response_characters
    finally:
        await store.close()
