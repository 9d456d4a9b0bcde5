"""From stored judgments to people's labels and to how often they agree with the judge, over all that was judged."""

from datetime import UTC, datetime, timedelta

import pytest

from judge_server.calibration.audit_queue import GivenLabel, fill, take, tasks
from judge_server.calibration.queue_estimate import estimate
from judge_server.core.audit_queue import Sizes
from judge_server.core.errors import BadInput
from judge_server.core.monitor import Series
from judge_server.labels.archive import find
from judge_server.store.writing import Judged
from tests.monitoring.simulated import RUBRIC, Run
from tests.store.conftest import store  # noqa: F401 - both databases

SERIES = Series(rubric=RUBRIC.id, judge="trainer")
SET = "audit/june"
SIZES = Sizes(disagreement=5, flagged=5, high_reward=5, random=5)


@pytest.fixture
async def judged(store):  # noqa: F811 - the store of both databases
    """A store with a run that has just ended; a tenth of it is audited."""
    run = Run(31, "repetition", groups=50, begin=datetime.now(UTC) - timedelta(seconds=500))
    rollouts = list(run.rollouts())
    await store.save_many([(one.judgment, one.submission, RUBRIC) for one in rollouts])
    for one in rollouts[::10]:
        await store.audits.keep(one.judgment.id, "auditor", Judged(one.audit, one.submission, RUBRIC, "anyone"))
    return store


def draw(store, sizes=SIZES, label_set=SET):  # noqa: F811
    return fill(store, label_set, SERIES, sizes, 3_600.0)


def agreeing(task, judgment, *, wrong=()):
    """Labels of a person who says what the judge said, but for the criteria that are ``wrong``."""
    said = {one.criterion: one.value >= 0.5 for one in judgment.verdicts if one.value is not None}
    return [
        GivenLabel(judgment=task.judgment, criterion=one.id, label=said.get(one.id, True) != (one.id in wrong))
        for one in task.criteria
    ]


async def test_what_was_drawn_is_open_until_somebody_has_labelled_it(judged):
    items = await draw(judged)
    assert {item.stratum for item in items} == {"disagreement", "flagged", "high_reward", "random"}
    opened = await tasks(judged, SET, None, 100)
    assert {one.judgment for one in opened} == {item.judgment for item in items}
    first = opened[0]
    await take(judged, SET, "ann", agreeing(first, await judged.judgment(first.judgment)))
    assert len(await tasks(judged, SET, None, 100)) == len(items) - 1
    assert len(await tasks(judged, SET, "ann", 100)) == len(items) - 1
    assert len(await tasks(judged, SET, "bob", 100)) == len(items)
    assert len(await tasks(judged, SET, "bob", 3)) == 3


async def test_people_are_shown_neither_verdicts_nor_why_it_was_drawn(judged):
    await draw(judged)
    (task, *_) = await tasks(judged, SET, None, 100)
    assert set(task.model_dump()) == {"judgment", "rubric", "prompt", "response", "reference", "criteria"}
    assert [one.id for one in task.criteria] == [leaf.id for leaf in RUBRIC.leaves]
    assert all(one.statement for one in task.criteria)


async def test_labels_stand_in_a_label_set_beside_what_the_judge_said(judged):
    items = {item.judgment: item for item in await draw(judged)}
    (task, *_) = await tasks(judged, SET, None, 100)
    judgment = await judged.judgment(task.judgment)
    labels = [one.model_copy(update={"rationale": "so it is"}) for one in agreeing(task, judgment)]
    added = await take(judged, SET, "ann", labels)
    decided = sum(one.value is not None for one in judgment.verdicts)
    assert added.new == len(task.criteria) + decided
    kept = await find(SET, judged.labels)
    assert set(kept.table.annotators.names) == {"ann", "judge:trainer"}
    (item,) = kept.items.values()
    drawn = items[task.judgment]
    assert item.tags == (f"stratum:{drawn.stratum}", f"weight:{drawn.weight:.6g}")
    assert (item.prompt, item.response) == (task.prompt, task.response)
    assert "so it is" in kept.table.rationales.values()
    assert (await take(judged, SET, "ann", labels)).unchanged == added.new


async def test_estimates_are_reweighted_to_all_that_was_judged(judged):
    items = {item.judgment: item for item in await draw(judged)}
    for task in await tasks(judged, SET, None, 100):
        flagged = items[task.judgment].stratum == "flagged"
        wrong = [one.id for one in task.criteria] if flagged else []
        await take(judged, SET, "ann", agreeing(task, await judged.judgment(task.judgment), wrong=wrong))
    (found,) = await estimate(judged, SET)
    assert found.judge == "trainer"
    assert (found.strata["flagged"].value, found.strata["random"].value) == (0.0, 1.0)
    flagged = next(item for item in items.values() if item.stratum == "flagged").population
    whole = sum({item.stratum: item.population for item in items.values()}.values())
    assert found.value == pytest.approx(1 - flagged / whole, abs=0.02)
    assert found.unweighted < found.value
    assert found.low <= found.value <= found.high
    assert found.items == len(items)


async def test_nothing_is_drawn_twice_for_a_label_set(judged):
    first = {item.judgment for item in await draw(judged)}
    second = {item.judgment for item in await draw(judged)}
    assert not first & second
    assert {item.judgment for item in await draw(judged, label_set="audit/july")} & first


async def test_audits_are_drawn_by_nobody(judged):
    items = await draw(judged, Sizes(disagreement=900, flagged=900, high_reward=900, random=900))
    assert not any(item.judgment.endswith("_audit") for item in items)
    assert len(items) == sum({item.stratum: item.population for item in items}.values())


async def test_an_estimate_needs_labels(judged):
    assert await estimate(judged, SET) == ()
    await draw(judged)
    assert await estimate(judged, SET) == ()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"judgment": "jdg_other"}, "labels.1: judgment 'jdg_other' was not drawn"),
        ({"criterion": "other"}, "labels.1.criterion: 'other' is not one of this item's criteria"),
        ({"label": "mte"}, "labels.1.label: 'mte' does not say whether 'good_0' is met"),
    ],
)
async def test_a_label_of_nothing_that_was_drawn_is_refused_and_none_is_kept(judged, change, message):
    await draw(judged)
    (task, *_) = await tasks(judged, SET, None, 100)
    label = GivenLabel(judgment=task.judgment, criterion="good_0", label=True)
    with pytest.raises(BadInput, match=message):
        await take(judged, SET, "ann", [label, label.model_copy(update=change)])
    assert await judged.labels.collected(SET) == ()


async def test_nobody_may_call_himself_a_judge(judged):
    with pytest.raises(BadInput, match="would be a judge"):
        await take(judged, SET, "judge:trainer", [])


async def test_an_annotator_thinks_again_only_when_asked(judged):
    await draw(judged)
    (task, *_) = await tasks(judged, SET, None, 100)
    label = GivenLabel(judgment=task.judgment, criterion="good_0", label=True)
    await take(judged, SET, "ann", [label])
    other = label.model_copy(update={"label": False})
    with pytest.raises(BadInput, match="otherwise before"):
        await take(judged, SET, "ann", [other])
    assert (await take(judged, SET, "ann", [other], replace=True)).changed == 1
