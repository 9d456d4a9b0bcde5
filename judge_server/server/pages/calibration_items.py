"""/calibrations/{id}/items: the items behind one number of a figure, each with its way to the wording."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from judge_server.core.calibration import Calibration
from judge_server.core.caller import current_caller
from judge_server.core.errors import BadInput, NotFound
from judge_server.labels.label import Item
from judge_server.server.calibration_results import labels_of, loaded, report_of, texts_of
from judge_server.server.pages.label_showing import browsed_items
from judge_server.server.pages.rendering import form_of, page, sent_to
from judge_server.server.pages.rewording import anchor_of, draft_with
from judge_server.server.pages.shown_report import may_list, part_told, selection_of
from judge_server.server.problems import refused
from judge_server.server.service import ServiceHere
from judge_server.store.draft_records import DraftSample
from judge_server.wiring.service import Service

if TYPE_CHECKING:  # these need the calibration extra, and a server without it serves the other pages
    from judge_server.calibration.label_part import Cell, LabelPart

router = APIRouter(prefix="/calibrations/{calibration_id}", include_in_schema=False)
_AT_ONCE: Final = 25
_CELL: Final = ("people", "judge", "bin")


@router.get("/items")
async def items(calibration_id: str, request: Request, service: ServiceHere, start: int = 0) -> Response:
    """Those that a cell of the confusion table or a bin of the reliability diagram counts, furthest apart first."""
    await loaded("judge_server.calibration.label_part", "judge_server.report.excerpt")
    record = await record_of(service, calibration_id)
    if not may_list(record):
        raise BadInput(
            f"Items of the {record.split} part stay locked: only figures of it are shown.",
            remedy="Measure the judge on the dev part to see single items.",
        )
    given = dict(request.query_params)
    selection, cell = selection_of(given), _cell_of(given)
    count, found = await _listed(service, record, selection, cell, max(start, 0))
    await browsed_items(service, record.labels.id, [one.item for one in found])
    following = {**given, "start": str(start + _AT_ONCE)} if start + _AT_ONCE < count else None
    return page(
        request,
        "calibration_items.html",
        record=record,
        count=count,
        told=_told(selection, cell, record.judge.name),
        items=found,
        first=max(start, 0),
        more=None if following is None else urlencode(following),
        again=await again_of(service, record.labels.id),
        filters=urlencode({name: value for name, value in selection.model_dump().items() if value}),
    )


@router.post("/wording")
async def change_wording(calibration_id: str, request: Request, service: ServiceHere) -> Response:
    """From a disagreement to the editor at its criterion, with the response among the samples."""
    fields = await form_of(request)
    record = await record_of(service, calibration_id)
    draft = await draft_with(
        service, current_caller.get().name, record.rubric.id, await _sample(service, record, fields)
    )
    return sent_to(request, f"/drafts/{draft.id}{anchor_of(draft, fields.get('criterion', ''))}")


async def again_of(service: Service, label_set: str) -> dict[str, str]:
    """Where items of the set are labelled again: a set that is being collected itself, beside an imported one another.
    Empty if the store does not have the set, as after a run of the command line on a file."""
    if await service.store.labels.find_set(label_set) is not None:
        return {"set": f"{label_set}/again", "source": label_set}
    collected = {one.id for one in await service.store.labels.collections()}
    return {"set": label_set, "source": label_set} if label_set in collected else {}


async def record_of(service: Service, calibration_id: str) -> Calibration:
    """Raises NotFound."""
    found = await service.store.calibrations.calibration(calibration_id)
    if found is None:
        raise NotFound(f"No calibration has the id {calibration_id[:60]!r}.", remedy="Look for it in the list.")
    return found


def _cell_of(given: Mapping[str, str]) -> "Cell":
    from judge_server.agreement.judge import Measurement
    from judge_server.calibration.label_part import Cell

    asked: dict[str, Any] = {name: given[name] for name in _CELL if given.get(name)}
    try:
        return Cell.model_validate({**asked, "bins": Measurement().bins})
    except ValidationError as fault:
        raise refused(fault.errors(include_url=False), asked) from None


async def _listed(
    service: Service, record: Calibration, selection: "LabelPart", cell: "Cell", start: int
) -> tuple[int, tuple[Any, ...]]:
    from judge_server.calibration.label_part import listed, selected
    from judge_server.calibration.readings import readings

    labels = await labels_of(service.store, record)
    texts = await texts_of(service.store, record)
    whole = replace(labels, items={**labels.items, **texts})

    def work() -> tuple[int, tuple[Any, ...]]:
        part = selected(readings(whole).judged, selection)
        count, found = listed(part, record.judge.name, cell, start + _AT_ONCE)
        return count, found[start:]

    return await asyncio.to_thread(work)


def _told(selection: "LabelPart", cell: "Cell", judge: str) -> str:
    said = [part_told(selection)] if not selection.whole else []
    if cell.people:
        said.append(f"people said {cell.people}")
    if cell.judge:
        said.append(f"{judge} said {cell.judge}")
    if cell.bin is not None:
        said.append(f"{judge} gave a probability from {cell.bin / cell.bins:.2f} to {(cell.bin + 1) / cell.bins:.2f}")
    return ", ".join(said) or "all items that people labelled"


async def _sample(service: Service, record: Calibration, fields: Mapping[str, str]) -> DraftSample | None:
    """The response of the item; None if its texts are not kept, or may not be shown."""
    if not may_list(record):
        return None
    name = fields.get("item", "")
    texts = await texts_of(service.store, record)
    kept = None if name in texts else await report_of(service.store, record.id)
    every = () if kept is None else kept.disagreements.get(record.judge.name, ())
    shown = (Item(id=one.item, prompt=one.prompt, response=one.response, reference=one.reference) for one in every)
    found = texts.get(name) or next((one for one in shown if one.id == name), None)
    if found is None or not found.prompt or not found.response:
        return None
    return DraftSample(prompt=found.prompt, response=found.response, reference=found.reference or None)
