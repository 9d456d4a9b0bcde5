"""What the judge said about a response, for an annotator who asked to see it or came across it; their labels of it say
so from then on."""

from collections.abc import Sequence
from datetime import UTC, datetime

from judge_server.core.caller import current_caller
from judge_server.core.judgment import Judgment
from judge_server.server.pages.label_session import own_name
from judge_server.server.pages.label_task import LabelTask, item_of
from judge_server.server.pages.shown_judgment import ShownVerdict, shown
from judge_server.store.label_plan_records import BROWSED, LabelShowing
from judge_server.wiring.service import Service


async def judge_answers(service: Service, task: LabelTask) -> dict[str, ShownVerdict]:
    """By criterion; empty if the item is of a label set, whose calibration shows them, or a pair."""
    if not task.judgment or task.other is not None:
        return {}
    found = await service.store.judgment(task.judgment)
    return {} if found is None else {row.criterion: row for row in shown(found, None, None).rows}


async def browsed(service: Service, judgments: Sequence[Judgment]) -> None:
    """Record, before a page shows them, that the holder of a key who may label has seen what a judge said, under both
    names that the response can have as an item. Without keys nobody is known, and nothing is recorded."""
    annotator, now = own_name(), datetime.now(UTC)
    if not annotator or not current_caller.get().may("label"):
        return
    names = dict.fromkeys(name for one in judgments for name in (item_of(one), one.id))
    if names:
        await service.store.label_plans.show(
            *(LabelShowing(label_set=BROWSED, item=name, annotator=annotator, shown_at=now) for name in names)
        )
