"""/label, /label/item and /label/export: people label responses or pairs, one at a time, blind to the judge and to each
other.

What is labelled into a set stands in its plan; an item that somebody has got is reserved for half an hour. Labels go
into a set that is being collected, as by POST /v1/labels. What is stored is stored: nothing is lost if the browser or
the server ends in the middle.
"""

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from judge_server.calibration.audit_queue import GivenLabel, take
from judge_server.core.errors import BadInput, JudgeServerError
from judge_server.labels.archive import collected_set
from judge_server.server.pages.label_export import FORMATS, exported
from judge_server.server.pages.label_question import UNSURE, given_labels, questions
from judge_server.server.pages.label_session import LabelSession, own_name, session_of
from judge_server.server.pages.label_showing import judge_answers, marked, unmarked
from judge_server.server.pages.label_source import (
    FILTERS,
    disagreement_items,
    file_items,
    pairs,
    queue_items,
    stored_items,
    topped_up,
)
from judge_server.server.pages.label_task import LabelTask, judged_task, planned_task, set_task
from judge_server.server.pages.rendering import SentFile, form_of, page, sent_to
from judge_server.server.service import ServiceHere
from judge_server.store.label_plan_records import StoredPlan
from judge_server.store.label_records import CollectedLabel
from judge_server.wiring.service import Service

router = APIRouter(prefix="/label", include_in_schema=False)
_SHOWN: Final = 50
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
        if await service.store.label_plans.find(session.label_set) is None:
            plan = await _planned(service, session, fields, files.get("file", SentFile("", b"")))
            await service.store.label_plans.put(plan)
    except JudgeServerError as fault:
        return await _overview(request, service, fields, fault=str(fault), status=fault.status)
    return sent_to(request, f"/label/item?{session.query}")


@router.get("/item")
async def item(request: Request, service: ServiceHere) -> Response:
    """The next item that is reserved for the annotator; or the one that the address names, with what was given."""
    asked = request.query_params
    session = await session_of(service, asked)
    plan = await _plan_of(service, session)
    task = await _named(service, session, plan, asked)
    if task is None:
        task, plan = await _next(service, session, plan, asked.get("after"))
    given, note = ({}, "") if task is None else await _given(service, session, task)
    showing = None if task is None else await service.store.label_plans.showing(session.showing(task.id))
    return page(
        request,
        "label_item.html",
        plan=session,
        about=plan.about,
        task=task,
        questions=() if task is None else questions(task, session.rubric),
        given=given,
        note=note,
        showing=showing,
        said={} if task is None or showing is None else await judge_answers(service, task),
        progress=await service.store.label_plans.progress(plan, session.annotator),
        named=asked.get("judgment", ""),
        before=asked.get("before"),
        unsure=UNSURE,
    )


@router.post("/item")
async def labelled(request: Request, service: ServiceHere) -> Response:
    """Store the labels of one item, then go to the next. A criterion without an answer stays without a label."""
    fields = await form_of(request)
    session = await session_of(service, fields)
    plan = await _plan_of(service, session)
    task = await _named(service, session, plan, fields)
    if task is None:
        raise BadInput("The form names no response.", remedy="Go on with the next one.")
    showing = await service.store.label_plans.showing(session.showing(task.id))
    note = marked(fields.get("note", ""), seen=showing is not None)
    given = given_labels(task, questions(task, session.rubric), session.annotator, fields, note)
    if not given:
        raise BadInput("No criterion has an answer.", remedy="Answer at least one, or skip the response.")
    if plan.queue and not fields.get("judgment"):
        await take(service.store, session.label_set, session.annotator, _drawn_labels(given), replace=True)
    else:
        await _store(service, session.label_set, given)
    await service.store.label_plans.release(session.label_set, task.id, session.annotator)
    before = urlencode({name: fields[name] for name in ("item", "judgment") if fields.get(name)})
    return sent_to(request, f"/label/item?{session.query}&{urlencode({'before': before, 'after': task.id})}")


@router.post("/show")
async def show(request: Request, service: ServiceHere) -> Response:
    """Show one item with what the judge said about it. Who saw it and when is recorded first, and labels that the
    annotator gives it from then on say so."""
    fields = await form_of(request)
    session = await session_of(service, fields)
    task = await _named(service, session, await _plan_of(service, session), fields)
    if task is None:
        raise BadInput("The form names no response.", remedy="Go on with the next one.")
    await service.store.label_plans.show(session.showing(task.id))
    named = urlencode({name: fields[name] for name in ("item", "judgment") if fields.get(name)})
    return sent_to(request, f"/label/item?{session.query}&{named}")


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
        collections=await service.store.labels.collections(),
        plans=await service.store.label_plans.all(),
        showings=await service.store.label_plans.showings(_SHOWN),
        rubrics=await service.rubric_registry.listing(),
        calibrations=calibrations.items,
        annotator=own_name(),
        given={name: given.get(name, "") for name in ("set", "rubric", "source", "overlap", "calibration", *FILTERS)},
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


async def _plan_of(service: Service, session: LabelSession) -> StoredPlan:
    """The plan of the set; without one, everybody labels the stored responses of the rubric."""
    found = await service.store.label_plans.find(session.label_set)
    if found is None:
        found = StoredPlan(label_set=session.label_set, rubric=session.rubric.id, about="stored responses", filters={})
        await service.store.label_plans.put(found)
    return found


async def _named(
    service: Service, session: LabelSession, plan: StoredPlan, given: Mapping[str, str]
) -> LabelTask | None:
    """The task that an address or a form names; None if it names none."""
    if given.get("judgment"):
        return await judged_task(service, given["judgment"])
    name = given.get("item", "")
    if not name:
        return None
    planned = next((one for one in plan.items if one.id == name), None)
    if planned is not None and not session.source:
        return await planned_task(service, planned, session.rubric)
    return await set_task(service, session.source or session.label_set, name, session.rubric)


async def _next(
    service: Service, session: LabelSession, plan: StoredPlan, after: str | None
) -> tuple[LabelTask | None, StoredPlan]:
    """With the plan as it is then: it may have got further items."""
    records = service.store.label_plans
    found = await records.next_item(plan, session.annotator, after=after)
    if found is None or found.id == after:
        plan = await topped_up(service, plan)
        found = await records.next_item(plan, session.annotator, after=after)
    return None if found is None else await planned_task(service, found, session.rubric), plan


async def _given(service: Service, session: LabelSession, task: LabelTask) -> tuple[dict[str, str], str]:
    """What the annotator has given on the item: answers by criterion, and the note."""
    found = await service.store.labels.collected(session.label_set)
    own = [one for one in found if one.item == task.id and one.annotator == session.annotator]
    labels = {one.criterion: one.content.get("label") for one in own}
    answers = {name: UNSURE if label is None else str(label) for name, label in labels.items()}
    notes = [str(one.content["rationale"]) for one in own if one.content.get("rationale")]
    return task.read(answers), unmarked(notes[0]) if notes else ""


async def _store(service: Service, label_set: str, given: list[CollectedLabel]) -> None:
    """All or none, in place of what the annotator gave before. Raises BadInput if the set would contradict itself."""
    records = service.store.labels
    own = {(label.item, label.criterion, label.annotator) for label in given}
    stored = await records.collected(label_set)
    others = [one for one in stored if (one.item, one.criterion, one.annotator) not in own]
    await asyncio.to_thread(collected_set, label_set, [*given, *others])
    await records.collect(label_set, given, replace=True)


def _drawn_labels(given: list[CollectedLabel]) -> list[GivenLabel]:
    said = {"met": True, "unmet": False}
    labels = [(one, one.content["label"]) for one in given]
    return [
        GivenLabel(
            judgment=one.item,
            criterion=one.criterion,
            label=said.get(label, label),
            rationale=one.content.get("rationale"),
        )
        for one, label in labels
    ]
