"""The index of trigrams: it finds what going through all texts finds, and forgets what is erased."""

import random
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text

from judge_server.core.erasure import ErasureWish
from judge_server.core.errors import StoreUnavailable
from judge_server.store import Store
from judge_server.store.location import Location
from judge_server.store.payload import pack
from judge_server.store.search_records import candidates
from judge_server.store.trigrams import ANY_BITS, BLOCK, bits_of, block_of, places, searched, wanted_rows
from tests.store.values import START, judgment, rubric, submission

WORDS = ["Fever", "straße", "ÄPFEL", "日本語の文章", "🧑🏽‍⚕️", "naïve", "x²", "rest", "drink", "call 112"]
ANY_TEXT = st.text(st.sampled_from("aAbßÄé \n日🧑\ud800\0"), max_size=40)


@given(st.lists(ANY_TEXT, max_size=20), ANY_TEXT)
def test_no_text_that_holds_a_piece_is_missed(texts, piece):
    parts = block_of({place: bits_of(text.casefold()) for place, text in enumerate(texts)})
    wanted = wanted_rows(piece)
    if wanted:
        found = places(parts, wanted)
        assert {place for place, one in enumerate(texts) if piece.casefold() in one.casefold()} <= set(found)
    else:
        assert len(piece.casefold().encode("utf-8", "surrogatepass")) < 3


def test_most_other_texts_are_left_out():
    chance = random.Random(3)
    texts = [
        " ".join(chance.choice("abcdefghij") * 2 + str(chance.randrange(10**6)) for _ in range(60))
        for _ in range(BLOCK)
    ]
    parts = block_of({place: bits_of(text) for place, text in enumerate(texts)})
    for place in range(0, BLOCK, 64):
        found = places(parts, wanted_rows(texts[place][100:130]))
        assert place in found
        assert len(found) < 20
    assert sum(map(len, parts.values())) < 400 * BLOCK


def test_a_long_text_may_hold_everything():
    parts = block_of({0: bits_of("other"), 7: ANY_BITS, BLOCK - 1: bits_of("some piece of text")})
    assert places(parts, wanted_rows("piece")) == [7, BLOCK - 1]


def test_messages_are_searched_as_they_are_joined():
    called = {"role": "assistant", "tool_calls": [{"function": {"name": "look", "arguments": '{"a": 1}'}}]}
    said = searched(
        [{"role": "user", "content": "One"}, {"reasoning": "Why", "content": "Two", "role": "assistant"}, called]
    )
    assert said == 'one\n\nwhy\ntwo\n\nlook({"a": 1})'


def judged(number, response, **place):
    of, given = rubric(1), submission(response, **place)
    return judgment(of, given, created_at=START + timedelta(seconds=number)), given, of


async def found(store, piece, **wanted):
    """All pages, newest first."""
    ids, cursor = [], None
    while True:
        page = await store.judgments(text=piece, limit=400, cursor=cursor, **wanted)
        ids += [one.id for one in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return ids


async def many(store, count=1_050):
    """Judgments with a text of their own each; every 200th names a rare word, and the newest are not indexed."""
    chance, made = random.Random(7), []
    for number in range(count):
        words = " ".join(chance.choices(WORDS, k=12))
        rare = f" rareword{number}x" if number % 200 == 0 else ""
        run = {"run": "odd" if number % 2 else "even", "step": number // 100}
        made.append(judged(number, f"Answer {number}: {words}{rare}", **run))
    await store.save_many(made)
    assert await store.search.index()
    assert not await store.search.waiting()
    assert not await store.search.index()
    return made


PIECES = ["rareword400x", "RAREWORD", "straSSE ÄPFEL", "日本語", "nowhere at all", "fe", "answer 1049:"]


async def test_what_the_index_finds_is_what_going_through_all_finds(store):
    made = await many(store)
    for piece in PIECES:
        folded = piece.casefold()
        for wanted in ({}, {"run": "even", "step": 3}):
            expected = [
                one.id
                for one, given, _ in reversed(made)
                if any(folded in part.casefold() for part in given.texts())
                and all(getattr(given, name) == value for name, value in wanted.items())
            ]
            assert await found(store, piece, **wanted) == expected, (piece, wanted)


async def test_what_is_erased_leaves_the_index(store):
    made = await many(store)
    (gone,) = [one for one, given, _ in made if "rareword400x" in given.response]
    before = await store.search.waiting()
    await store.erasures.remove(await store.erasures.matching(ErasureWish(judgment=gone.id, reason="asked")))
    assert not before
    assert await store.search.waiting()
    assert await found(store, "rareword400x") == []
    assert len(await found(store, "rareword")) == 5
    assert await store.search.index()
    assert not await store.search.waiting()
    assert await found(store, "rareword400x") == []
    assert len(await found(store, "rareword")) == 5


async def test_without_an_index_all_texts_are_read_page_by_page(store):
    made = [judged(number, f"Answer {number} of many.") for number in range(60)]
    await store.save_many(made)
    assert await found(store, "answer 7 ") == [made[7][0].id]
    assert await found(store, "zz") == []
    assert len(await found(store, "of")) == 60


@pytest.mark.postgres
async def test_no_text_that_is_committed_late_is_missed(postgres):
    """PostgreSQL gives out numbers before the commit: no block is indexed while somebody may still write into it."""
    url = postgres.empty_database()
    options = "options=-c%20lock_timeout%3D200ms"
    store = await Store.open(f"{url}{'&' if '?' in url else '?'}{options}")
    engine = create_engine(Location.of(url).url)
    try:
        with engine.connect() as slow:
            late = {"content": pack('"a latecomer"')}
            number = slow.execute(
                text("INSERT INTO text (digest, size, content) VALUES ('late', 13, :content) RETURNING id"), late
            ).scalar_one()
            assert number < BLOCK
            await store.save_many(judged(number, f"Answer {number}.") for number in range(1_100))
            with pytest.raises(StoreUnavailable):
                await store.search.index()
            slow.commit()
        assert await store.search.index()
        assert not await store.search.waiting()
        with engine.connect() as reading:
            assert number in (candidates(reading, "latecomer") or ())
    finally:
        engine.dispose()
        await store.close()
