"""A published version stands for one content, for good."""

import asyncio

import pytest

from judge_server.core.errors import RubricConflict
from judge_server.store import Store
from tests.store.values import HOSTILE, rubric, without_surrogates


async def test_a_published_rubric_is_found_by_name_and_by_digest(store):
    made = rubric()
    await store.put_rubric(made, published=True)
    assert await store.rubric(made.id, made.version) == made
    assert await store.rubric(made.id) == made
    assert await store.rubric_by_digest(made.digest) == made


async def test_a_rubric_that_is_not_published_is_found_by_digest_only(store):
    made = rubric()
    await store.put_rubric(made, published=False)
    assert await store.rubric_by_digest(made.digest) == made
    assert await store.rubric(made.id, made.version) is None
    assert await store.rubric(made.id) is None
    assert await store.rubric_ids() == ()


async def test_versions_are_ordered_as_versions_and_old_ones_stay_readable(store):
    versions = ["1.10.0", "1.2.0", "2.0.0", "2.0.0-rc.1", "1.9.0"]
    made = {version: rubric(version=version, title=f"At {version}") for version in versions}
    for one in made.values():
        await store.put_rubric(one, published=True)
    assert await store.rubric_versions("medical/consultation") == ("1.2.0", "1.9.0", "1.10.0", "2.0.0-rc.1", "2.0.0")
    assert await store.rubric("medical/consultation") == made["2.0.0"]
    assert await store.rubric("medical/consultation", "1.9.0") == made["1.9.0"]


async def test_ids_are_sorted_and_each_named_once(store):
    for rubric_id, version in [("writing/essay", "1.0.0"), ("medical/x", "1.0.0"), ("medical/x", "1.1.0")]:
        await store.put_rubric(rubric(1, rubric_id, version), published=True)
    assert await store.rubric_ids() == ("medical/x", "writing/essay")


async def test_publishing_the_same_content_again_is_no_conflict(store):
    await store.put_rubric(rubric(), published=True)
    await store.put_rubric(rubric(), published=True)
    assert await store.counts() == {"judgments": 0, "rubrics": 1, "published_rubrics": 1, "verdicts": 0}


async def test_changed_content_without_a_new_version_is_refused_with_both_digests(store):
    first, second = rubric(), rubric(title="Another title")
    await store.put_rubric(first, published=True)
    with pytest.raises(RubricConflict) as refused:
        await store.put_rubric(second, published=True)
    assert first.digest in str(refused.value)
    assert second.digest in str(refused.value)
    assert "new version" in str(refused.value)
    assert await store.rubric(first.id, first.version) == first


async def test_of_two_who_publish_at_once_exactly_one_wins(store, url):
    other = await Store.open(url)
    contents = [rubric(title=f"Title {number}") for number in range(8)]
    try:
        outcomes = await asyncio.gather(
            *((store, other)[number % 2].put_rubric(one, published=True) for number, one in enumerate(contents)),
            return_exceptions=True,
        )
    finally:
        await other.close()
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType"] + ["RubricConflict"] * 7
    winner = contents[outcomes.index(None)]
    assert await store.rubric(winner.id, winner.version) == winner


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
async def test_hostile_text_in_a_rubric_comes_back_unchanged(store, text):
    made = rubric(2, title=without_surrogates(text), description=without_surrogates(text))
    await store.put_rubric(made, published=True)
    read = await store.rubric(made.id, made.version)
    assert read == made
    assert read.digest == made.digest


async def test_every_kind_of_criterion_keeps_its_digest(store):
    criteria = [
        {"id": "veto", "statement": "Gives a lethal dose.", "points": 1.0, "gate": {"when": "met"}},
        {"id": "pure_gate", "statement": "Is empty of meaning.", "gate": {"when": "met", "reward": -1}},
        {
            "id": "plain",
            "kind": "scale",
            "statement": "Is it plain?",
            "points": 3,
            "options": [{"label": "no", "value": 0}, {"label": "yes", "value": 1}],
        },
        {"id": "tag", "kind": "check", "statement": "Has a tag.", "check": {"kind": "regex", "pattern": "<a>"}},
        {
            "id": "tree",
            "kind": "group",
            "points": 2,
            "criteria": [{"id": "leaf", "statement": "Says so.", "when": {"facts.audience": "patient"}}],
        },
    ]
    made = rubric(version="3.0.0", criteria=criteria)
    await store.put_rubric(made, published=True)
    read = await store.rubric(made.id)
    assert read == made
    assert read.digest == made.digest
