"""/label and /label/export: what is labelled into a set, by how many people, and the labels as a file.

What is labelled into a set stands in its plan, which ``label_item`` follows. Labels go into a set that is being
collected, as by POST /v1/labels.
"""

from collections.abc import Mapping
from typing import Final

from fastapi import APIRouter, Request, Response

from judge_server.core.errors import BadInput, JudgeServerError
from judge_server.server.pages.label_export import FORMATS, exported
from judge_server.server.pages.label_session import LabelSession, own_name, session_of
from judge_server.server.pages.label_sets import shown_sets
from judge_server.server.pages.label_source import (
    FILTERS,
    disagreement_items,
    file_items,
    pairs,
    queue_items,
    stored_items,
)
from judge_server.server.pages.rendering import SentFile, form_of, page, sent_to
from judge_server.server.service import ServiceHere
from judge_server.store.label_plan_records import StoredPlan
from judge_server.wiring.service import Service

router = APIRouter(prefix="/label", include_in_schema=False)
_SHOWN: Final = 50
_KEPT: Final = ("set", "rubric", "annotator", "from", "overlap", "calibration")
_SOURCES: Final = ("stored", "pairs", "file", "queue", "disagreements")
_OVERLAPS: Final = {"all": (0, 0.0), "1": (1, 0.0), "share": (1, 0.2), "2": (2, 0.0), "3": (3, 0.0)}


@router.get("")
async def overview(request: Request, service: ServiceHere) -> Response:
    """The sets that are being collected, and the form to begin or go on."""
    return await _overview(request, service, request.query_params)


@router.post("")
async def begun(request: Request, service: ServiceHere) -> Response:
    """Begin a set with its plan, or go on with it."""
    files: dict[str, SentFile] = {}
    fields = await form_of(request, files=files)
    try:
        session = await session_of(service, fields)
        standing = await service.store.label_plans.find(session.label_set)
        if standing is None:
            plan = await _planned(service, session, fields, files.get("file", SentFile("", b"")))
            await service.store.label_plans.put(plan)
        elif standing.rubric != session.rubric.id:
            raise BadInput(
                f"{session.label_set} is labelled under {standing.rubric}, not under {session.rubric.id}.",
                remedy="Choose that rubric to go on with it, or give a new name to begin another set.",
            )
    except JudgeServerError as fault:
        return await _overview(request, service, fields, fault=str(fault), status=fault.status)
    return sent_to(request, f"/label/item?{session.query}")


@router.get("/export")
async def export(request: Request, service: ServiceHere) -> Response:
    """A set as a file: ``set`` and ``format``."""
    name, form = request.query_params.get("set", ""), request.query_params.get("format", "")
    content = await exported(service, name, form)
    ending = {"csv": "csv", "label-studio": "json", "preferences": "jsonl"}[form]
    file = f"{''.join(letter if letter.isalnum() else '-' for letter in name)}.{ending}"
    return Response(
        content, media_type=FORMATS[form], headers={"Content-Disposition": f'attachment; filename="{file}"'}
    )


async def _overview(
    request: Request, service: Service, given: Mapping[str, str], *, fault: str | None = None, status: int = 200
) -> Response:
    calibrations = await service.store.calibrations.calibrations(limit=20)
    return page(
        request,
        "label.html",
        status=status,
        sets=await shown_sets(service, own_name()),
        showings=await service.store.label_plans.showings(_SHOWN),
        rubrics=await service.rubric_registry.listing(),
        calibrations=calibrations.items,
        annotator=own_name(),
        given={name: given.get(name, "") for name in (*_KEPT, *FILTERS)},
        opened=given.get("from") == "disagreements" or any(given.get(name) for name in FILTERS),
        fault=fault,
    )


async def _planned(service: Service, session: LabelSession, fields: Mapping[str, str], file: SentFile) -> StoredPlan:
    """The plan that the form asks for. Raises BadInput if there is nothing to label."""
    source, rubric = fields.get("from", "") or "stored", session.rubric.id
    overlap, share = _OVERLAPS.get(fields.get("overlap", "all"), (0, 0.0))
    filters = {name: fields[name].strip() for name in FILTERS if fields.get(name, "").strip()}
    match source:
        case "stored":
            items, about = await stored_items(service, rubric, filters), "stored responses"
        case "pairs":
            items, about = await pairs(service, rubric, filters), "pairs of stored responses"
        case "file":
            items, about = await file_items(file.name, file.content), f"responses of {file.name[-80:]}"
        case "queue":
            items, about = await queue_items(service, session.label_set), "the audit queue"
        case "disagreements":
            items, about = (
                await disagreement_items(service, fields.get("calibration", "")),
                "disagreements with a judge",
            )
        case _:
            raise BadInput(f"{source[:40]!r} is no source.", remedy=f"Use {', '.join(_SOURCES)}.")
    if not items and source != "stored":
        raise BadInput(f"There is nothing to label: {about}.", remedy="Choose another source or other filters.")
    return StoredPlan(
        label_set=session.label_set,
        rubric=rubric,
        kind="pairs" if source == "pairs" else "criteria",
        overlap=overlap,
        share=share,
        about=about,
        queue=source == "queue",
        filters=filters if source == "stored" else None,
        items=tuple(items),
    )
