import pytest

from judge_server.core.errors import StoreUnavailable
from judge_server.labels.archive import find, keep, packed, unpacked
from judge_server.labels.label import Item
from judge_server.labels.splits import read_test, split_by_prompt
from judge_server.store import Store
from judge_server.store.label_records import CollectedLabel
from tests.labels.test_label_set import MANY, ODD, label_set


@pytest.fixture
async def records():
    store = await Store.open("sqlite://")
    yield store.labels
    await store.close()


async def test_a_set_comes_back_exactly(records):
    kept = label_set(*ODD, items={"a": Item(id="a", response="t")}, splits={"a": "test"}, notes=("n",))
    stored = await keep(kept, records)
    for name in (stored.digest, "s", "s@1"):
        found = await find(name, records)
        assert found.digest == kept.digest
        assert list(found.table) == list(kept.table)
        assert (found.notes, found.splits, found.provenance) == (kept.notes, kept.splits, kept.provenance)


async def test_the_newest_edition_answers_to_the_id(records):
    await keep(label_set(*ODD), records)
    await keep(label_set(*ODD[:2], version="2"), records)
    assert (await find("s", records)).version == "2"
    assert (await find("s@1", records)).version == "1"


async def test_labels_that_came_one_by_one_are_a_set_too(records):
    content = {"item": "a", "criterion": "c", "annotator": "ann", "role": "human", "label": "yes"}
    await records.collect("mine", [CollectedLabel(item="a", criterion="c", annotator="ann", content=content)])
    found = await find("mine", records)
    assert [one.label for one in found.table] == ["yes"]
    assert await find("nobody's", records) is None


async def test_a_reading_of_test_is_recorded_in_the_store(records):
    split = split_by_prompt(label_set(*MANY))
    await read_test(split, records, reader="Ada", reason="final")
    assert [reading.reader for reading in await records.readings(split.digest)] == ["Ada"]


async def test_content_that_is_damaged_is_said_to_be_so(records):
    stored = await keep(label_set(*ODD), records)
    with pytest.raises(StoreUnavailable, match="cannot be read"):
        unpacked(stored, packed(label_set(*ODD))[:-9])
