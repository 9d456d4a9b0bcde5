from datetime import UTC, datetime, timedelta

import pytest

from judge_server.core.errors import BadInput
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
