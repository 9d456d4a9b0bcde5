"""What the judge said about a response, for an annotator who asked to see it or came across it; their labels of it say
so from then on."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from judge_server.core.caller import current_caller
from judge_server.core.judgment import Judgment
from judge_server.server.pages.label_session import own_name
from judge_server.server.pages.label_task import LabelTask, item_of, names_stored
from judge_server.server.pages.shown_judgment import ShownVerdict, shown
from judge_server.store.label_plan_records import LabelShowing
from judge_server.wiring.service import Service

_EVERY_SET: Final = ""


async def judge_answers(service: Service, task: LabelTask) -> dict[str, ShownVerdict]:
    """By criterion; empty if the item is of a label set, whose calibration shows them, or a pair."""
    if not task.judgment or task.other is not None:
        return {}
    found = await service.store.judgment(task.judgment)
    return {} if found is None else {row.criterion: row for row in shown(found, None, None).rows}


async def browsed(service: Service, judgments: Sequence[Judgment]) -> None:
    """Record, before a page shows them, that the holder of a key who may label has seen what a judge said, under both
    names that the response can have as an item. Without keys nobody is known, and nothing is recorded."""
    await _record(service, ((_EVERY_SET, name) for one in judgments for name in (item_of(one), one.id)))


async def browsed_items(service: Service, label_set: str, items: Sequence[str]) -> None:
    """As ``browsed``, of items of a label set by which a judge was measured."""
    await _record(service, ((_EVERY_SET if names_stored(item) else label_set, item) for item in items))


async def _record(service: Service, shown_items: Iterable[tuple[str, str]]) -> None:
    """``shown_items``: set and item."""
    annotator, now = own_name(), datetime.now(UTC)
    if not annotator or not current_caller.get().may("label"):
        return
    showings = [
        LabelShowing(label_set=label_set, item=item, annotator=annotator, shown_at=now, browsed=True)
        for label_set, item in dict.fromkeys(shown_items)
    ]
    if showings:
        await service.store.label_plans.show(*showings)
