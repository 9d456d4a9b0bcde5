"""Plans of labelling: each item goes to as many people as the plan wants, and to nobody twice."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from judge_server.core.errors import BadInput
from judge_server.store import Store
from judge_server.store.label_plan_records import RESERVED_FOR, LabelShowing, PlannedItem, StoredPlan
from judge_server.store.label_records import CollectedLabel


def plan_of(count=6, **fields):
    items = tuple(PlannedItem(id=f"i{number}", prompt="p", response=f"r{number}") for number in range(count))
    return StoredPlan(label_set="ward", rubric="a/b", items=items, **fields)


async def labelled(store, item, annotator):
    content = {"item": item, "criterion": "c", "annotator": annotator, "label": "met"}
    label = CollectedLabel(item=item, criterion="c", annotator=annotator, content=content)
    await store.labels.collect("ward", [label])
    await store.label_plans.release("ward", item, annotator)


async def test_a_plan_is_kept_and_another_one_for_the_set_is_refused(store):
    plan = plan_of()
    await store.label_plans.put(plan)
    await store.label_plans.put(plan)
    assert await store.label_plans.find("ward") == plan
    assert await store.label_plans.find("other") is None
    with pytest.raises(BadInput, match="another plan"):
        await store.label_plans.put(plan_of(overlap=2))


async def test_an_item_for_one_person_is_reserved_and_the_same_person_gets_it_again(store):
    plan = plan_of(overlap=1)
    await store.label_plans.put(plan)
    ann = await store.label_plans.next_item(plan, "ann")
    bob = await store.label_plans.next_item(plan, "bob")
    assert (ann.id, bob.id) == ("i0", "i1")
    assert (await store.label_plans.next_item(plan, "ann")).id == "i0"
    await labelled(store, "i0", "ann")
    assert (await store.label_plans.next_item(plan, "ann")).id == "i2"


@pytest.mark.parametrize("overlap", [1, 2])
async def test_people_at_once_label_each_item_as_often_as_the_plan_wants(store, overlap):
    plan = plan_of(8, overlap=overlap)
    await store.label_plans.put(plan)
    given = Counter()

    async def work(annotator):
        while (item := await store.label_plans.next_item(plan, annotator)) is not None:
            given[item.id, annotator] += 1
            await labelled(store, item.id, annotator)

    await asyncio.gather(*(work(name) for name in ("ann", "bob", "cleo")))
    assert set(given.values()) == {1}
    assert Counter(item for item, _ in given) == {f"i{number}": overlap for number in range(8)}


async def test_a_share_of_the_items_goes_to_two_people(store):
    plan = plan_of(200, overlap=1, share=0.25)
    twice = [item.id for item in plan.items if plan.wanted(item.id) == 2]
    assert 30 <= len(twice) <= 70
    assert twice == [item.id for item in plan_of(200, overlap=1, share=0.25).items if plan.wanted(item.id) == 2]


async def test_everybody_labels_everything_without_an_overlap(store):
    plan = plan_of(2)
    await store.label_plans.put(plan)
    for annotator in ("ann", "bob"):
        for _ in range(2):
            item = await store.label_plans.next_item(plan, annotator)
            await labelled(store, item.id, annotator)
        assert await store.label_plans.next_item(plan, annotator) is None
    progress = await store.label_plans.progress(plan, "ann")
    assert (progress.done, progress.left, progress.total) == (2, 0, 2)
    assert progress.seconds is not None


async def test_a_skipped_item_comes_again_at_the_end_and_others_may_have_it(store):
    plan = plan_of(2, overlap=1)
    await store.label_plans.put(plan)
    first = await store.label_plans.next_item(plan, "ann")
    second = await store.label_plans.next_item(plan, "ann", after=first.id)
    assert (first.id, second.id) == ("i0", "i1")
    assert (await store.label_plans.next_item(plan, "bob")).id == "i0"
    await labelled(store, "i1", "ann")
    assert await store.label_plans.next_item(plan, "ann") is None  # bob has the other


async def test_a_reservation_expires(store):
    plan = plan_of(1, overlap=1)
    await store.label_plans.put(plan)
    await store.label_plans.next_item(plan, "ann")
    assert await store.label_plans.next_item(plan, "bob") is None
    later = datetime.now(UTC) + RESERVED_FOR + timedelta(seconds=1)
    assert (await store.label_plans.next_item(plan, "bob", now=later)).id == "i0"


async def test_what_was_shown_to_whom_is_kept_once_with_its_time(store):
    at = datetime(2026, 11, 1, tzinfo=UTC)
    first = LabelShowing(label_set="ward", item="i0", annotator="ann", shown_at=at)
    later = first.model_copy(update={"shown_at": at + timedelta(hours=1)})
    assert await store.label_plans.showing(first) is None
    await store.label_plans.show(first)
    await store.label_plans.show(later)
    await store.label_plans.show(later.model_copy(update={"annotator": "bob"}))
    assert await store.label_plans.showing(later) == first
    assert [one.annotator for one in await store.label_plans.showings(5)] == ["bob", "ann"]


async def test_of_two_plans_that_begin_at_once_for_one_set_one_is_refused(store, url):
    other = await Store.open(url)
    for number in range(20):
        plans = [plan_of(overlap=overlap).model_copy(update={"label_set": f"ward-{number}"}) for overlap in (1, 2)]
        both = (store.label_plans.put(plans[0]), other.label_plans.put(plans[1]))
        outcomes = await asyncio.gather(*both, return_exceptions=True)
        refused = [place for place, one in enumerate(outcomes) if isinstance(one, BadInput)]
        assert len(refused) == 1, outcomes
        assert await store.label_plans.find(f"ward-{number}") == plans[1 - refused[0]]
    await other.close()


async def test_a_plan_of_stored_responses_is_begun_again_by_who_came_before_it_grew(store):
    plan = plan_of(0, filters={})
    await store.label_plans.put(plan)
    grown = await store.label_plans.extend(plan, [PlannedItem(id="i9", judgments=("jdg_1",))])
    assert await store.label_plans.put(plan) == grown


async def test_what_was_seen_on_a_page_of_judgments_or_calibrations_counts_for_its_sets(store):
    at = datetime(2026, 11, 1, tzinfo=UTC)

    def seen(label_set, item, *, browsed):
        return LabelShowing(label_set=label_set, item=item, annotator="ann", shown_at=at, browsed=browsed)

    everywhere, of_set = seen("", "aaa", browsed=True), seen("ward", "row-1", browsed=True)
    asked = seen("ward", "row-2", browsed=False)
    await store.label_plans.show(everywhere, of_set, asked)
    assert await store.label_plans.showing(seen("other", "aaa", browsed=False)) == everywhere
    assert await store.label_plans.showing(seen("ward", "row-1", browsed=False)) == of_set
    assert await store.label_plans.showing(seen("other", "row-1", browsed=False)) is None
    assert await store.label_plans.showing(seen("other", "row-1", browsed=False), "ward") == of_set
    assert await store.label_plans.showings(10) == (asked,)
