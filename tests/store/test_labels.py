import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from judge_server.core.errors import BadInput
from judge_server.labels import archive
from judge_server.store import Store
from judge_server.store.label_records import Added, CollectedLabel, LockedReading, StoredSet

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def stored(digest: str, version: str = "1", days: int = 0) -> StoredSet:
    moment = NOW + timedelta(days=days)
    return StoredSet(
        id="a/set", version=version, digest=digest, created_at=moment, description={"counts": {"labels": 1}}
    )


def collected(item: str, label: str) -> CollectedLabel:
    return CollectedLabel(item=item, criterion="c", annotator="ann \0 \ud800", content={"label": label})


async def test_editions_are_kept_for_good_and_listed_newest_first(store):
    await store.labels.put_set(stored("sha256:1"), b"one")
    await store.labels.put_set(stored("sha256:2", "2", days=1), b"two")
    await store.labels.put_set(stored("sha256:1", "9"), b"other")
    assert [one.digest for one in await store.labels.sets()] == ["sha256:2", "sha256:1"]
    assert await store.labels.find_set("a/set") == (stored("sha256:2", "2", days=1), b"two")
    assert await store.labels.find_set("a/set@1") == (stored("sha256:1"), b"one")
    assert await store.labels.find_set("sha256:1") == (stored("sha256:1"), b"one")
    assert await store.labels.find_set("none") is None


async def test_labels_are_collected_once_and_changed_only_when_asked(store):
    assert await store.labels.collect("s", [collected("a", "1"), collected("b", "1")]) == Added(
        new=2, changed=0, unchanged=0
    )
    assert await store.labels.collect("s", [collected("a", "1")]) == Added(new=0, changed=0, unchanged=1)
    with pytest.raises(BadInput, match="otherwise before"):
        await store.labels.collect("s", [collected("c", "1"), collected("a", "2")])
    assert len(await store.labels.collected("s")) == 2, "all or none"
    assert await store.labels.collect("s", [collected("a", "2")], replace=True) == Added(new=0, changed=1, unchanged=0)
    assert [one.content["label"] for one in await store.labels.collected("s")] == ["1", "2"]
    assert [(one.id, one.labels) for one in await store.labels.collections()] == [("s", 2)]


async def test_readings_of_a_locked_split_are_only_ever_added(store):
    reading = LockedReading(label_set="s", digest="sha256:1", reader="Ada", reason="why", read_at=NOW)
    later = reading.model_copy(update={"read_at": NOW + timedelta(seconds=1)})
    for one in (later, reading, reading):
        await store.labels.record_reading(one)
    assert await store.labels.readings("sha256:1") == (reading, reading, later)
    assert await store.labels.readings("sha256:2") == ()


def long_label(item, label, annotator="ann"):
    content = {"item": item, "criterion": "c", "annotator": annotator, "role": "human", "label": label}
    return CollectedLabel(item=item, criterion="c", annotator=annotator, content=content)


async def test_of_two_processes_that_look_at_once_one_looks_again_at_what_the_other_stored(store, url):
    """Both have looked before either stores; replacing is allowed, so that only the look can tell them apart."""
    other = await Store.open(url)
    looks = []

    async def complete(records, item, label, barrier):
        async def check(standing):
            looks.append(item)
            if any(one.item == item for one in standing):
                raise BadInput("Completed meanwhile.")
            if looks.count(item) <= 2:
                await barrier.wait()

        return await records.collect("s", [long_label(item, label)], replace=True, check=check)

    for number in range(30):
        item, barrier = f"i{number}", asyncio.Barrier(2)
        both = (complete(store.labels, item, "1", barrier), complete(other.labels, item, "2", barrier))
        outcomes = await asyncio.gather(*both, return_exceptions=True)
        assert sorted(type(one).__name__ for one in outcomes) == ["Added", "BadInput"], outcomes
        assert looks.count(item) == 3
    assert len(await store.labels.collected("s")) == 30
    await other.close()


async def test_labels_that_contradict_each_other_are_not_both_stored_when_they_come_at_once(store, url):
    """Of one item that two senders put into different groups."""
    other = await Store.open(url)
    for number in range(20):
        name, sent = f"set-{number}", []
        for records, annotator in ((store.labels, "ann"), (other.labels, "bob")):
            label = long_label("i", "1", annotator)
            label = label.model_copy(update={"content": {**label.content, "cluster": annotator}})
            sent.append(archive.collect(name, [label], records))
        outcomes = await asyncio.gather(*sent, return_exceptions=True)
        assert sorted(type(one).__name__ for one in outcomes) == ["BadInput", "tuple"], outcomes
        assert (await archive.find(name, store.labels)).counts.labels == 1
    await other.close()


async def test_a_label_that_replaces_another_is_later_than_all_of_its_set(store):
    await store.labels.collect("s", [collected("a", "1"), collected("b", "1")])
    for label in ("2", "3", "2"):
        await store.labels.collect("s", [collected("a", label)], replace=True)
        assert [one.item for one in await store.labels.collected("s")] == ["b", "a"]
