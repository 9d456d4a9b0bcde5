"""What the judge said about a response, for an annotator who asked to see it; their labels say so from then on."""

from judge_server.server.pages.label_task import LabelTask
from judge_server.server.pages.shown_judgment import ShownVerdict, shown
from judge_server.wiring.service import Service


async def judge_answers(service: Service, task: LabelTask) -> dict[str, ShownVerdict]:
    """By criterion; empty if the item is of a label set, whose calibration shows them, or a pair."""
    if not task.judgment or task.other is not None:
        return {}
    found = await service.store.judgment(task.judgment)
    return {} if found is None else {row.criterion: row for row in shown(found, None, None).rows}
