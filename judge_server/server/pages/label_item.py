"""/label/item and /label/show: one response or pair at a time, blind to the judge and to other annotators.

An item that somebody has got is reserved for half an hour. What is stored is stored: nothing is lost if the browser or
the server ends in the middle.
"""

from collections.abc import Mapping
from functools import partial
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from judge_server.calibration.audit_queue import GivenLabel, take
from judge_server.core.errors import BadInput, JudgeServerError, UnknownJudgment
from judge_server.labels.archive import collect
from judge_server.server.pages.label_overtaken import require_current, seen_state
from judge_server.server.pages.label_question import (
    UNSURE,
    GivenAnswers,
    answers_of,
    given_labels,
    questions,
    require_answers,
)
from judge_server.server.pages.label_session import LabelSession, session_of
from judge_server.server.pages.label_showing import judge_answers
from judge_server.server.pages.label_source import topped_up
from judge_server.server.pages.label_task import LabelTask, judged_task, planned_task, set_task
from judge_server.server.pages.rendering import form_of, page, sent_to
from judge_server.server.service import ServiceHere
from judge_server.store.label_plan_records import StoredPlan
from judge_server.store.label_records import CollectedLabel
from judge_server.wiring.service import Service

router = APIRouter(prefix="/label", include_in_schema=False)
_MOST_GONE: Final = 100  # responses without texts that are passed over for one page
_NAMING: Final = ("item", "judgment")


@router.get("/item")
async def item(request: Request, service: ServiceHere) -> Response:
    """The next item that is reserved for the annotator; or the one that the address names, with what was given."""
    asked = request.query_params
    session = await session_of(service, asked)
    plan = await _plan_of(service, session)
    task, gone = await _named(service, session, plan, asked), 0
    if task is None:
        task, plan, gone = await _next(service, session, plan, asked.get("after"))
    return await _item_page(request, service, session, plan, task, named=asked, gone=gone)


@router.post("/item")
async def labelled(request: Request, service: ServiceHere) -> Response:
    """Store the labels of one item, then go to the next. Who leaves criteria without an answer is asked once, with the
    answers kept; those criteria then stay without a label. So is who would replace labels of another tab, or add some
    to an item that others have settled since."""
    fields = await form_of(request)
    session = await session_of(service, fields)
    plan = await _plan_of(service, session)
    task = await _named(service, session, plan, fields)
    if task is None:
        raise BadInput("The form names no response.", remedy="Go on with the next one.")
    showing = await service.store.label_plans.showing(session.showing(task.id), task.source)
    asked = questions(task, session.rubric)
    try:
        require_answers(asked, fields, partial=fields.get("partial") == "yes")
        given = given_labels(task, asked, session.annotator, fields, saw_judge=showing is not None)
        check = partial(require_current, fields.get("seen", ""), plan, session.annotator, given)
        if plan.queue and any(one.id == task.id for one in plan.items):
            drawn = _drawn_labels(given)
            await take(service.store, session.label_set, session.annotator, drawn, replace=True, check=check)
        else:
            await collect(session.label_set, given, service.store.labels, replace=True, check=check)
    except JudgeServerError as fault:
        return await _item_page(request, service, session, plan, task, named=fields, fault=fault)
    await service.store.label_plans.release(session.label_set, task.id, session.annotator)
    return sent_to(request, f"/label/item?{session.query}&{urlencode({'after': task.id, 'done': 'yes'})}")


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
    named = urlencode({name: fields[name] for name in _NAMING if fields.get(name)})
    return sent_to(request, f"/label/item?{session.query}&{named}")


async def _item_page(
    request: Request,
    service: Service,
    session: LabelSession,
    plan: StoredPlan,
    task: LabelTask | None,
    *,
    named: Mapping[str, str],
    fault: JudgeServerError | None = None,
    gone: int = 0,
) -> Response:
    """``named``: the address; or a form that was refused because of ``fault``, whose answers are shown again."""
    records = service.store.label_plans
    asked = () if task is None else questions(task, session.rubric)
    collected = await service.store.labels.collected(session.label_set)
    stored = [one for one in collected if one.annotator == session.annotator]
    showing = None if task is None else await records.showing(session.showing(task.id), task.source)
    given = _given(stored, task) if fault is None else answers_of(asked, named)
    return page(
        request,
        "label_item.html",
        status=200 if fault is None else fault.status,
        plan=session,
        about=plan.about,
        task=task,
        questions=asked,
        given=given,
        showing=showing,
        said=await judge_answers(service, task) if task and showing and not showing.browsed else {},
        progress=await records.progress(plan, session.annotator),
        seen="" if task is None else seen_state(plan, task.id, session.annotator, collected),
        named=named.get("judgment", ""),
        before=_before(stored, task),
        gone=gone,
        fault=fault,
        partly=fault is not None and any(given.answers.values()) and not all(given.answers.values()),
    )


async def _plan_of(service: Service, session: LabelSession) -> StoredPlan:
    """The plan of the set; without one, everybody labels the stored responses of the rubric."""
    found = await service.store.label_plans.find(session.label_set)
    if found is not None:
        return found
    plan = StoredPlan(label_set=session.label_set, rubric=session.rubric.id, about="stored responses", filters={})
    return await service.store.label_plans.put(plan)


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
) -> tuple[LabelTask | None, StoredPlan, int]:
    """With the plan as it is then: it may have got further items; and how many responses were passed over because
    their texts are no longer stored."""
    records, gone = service.store.label_plans, set[str]()
    while len(gone) < _MOST_GONE:
        found = await records.next_item(plan, session.annotator, after=after)
        if found is None or found.id == after or found.id in gone:
            plan = await topped_up(service, plan)
            found = await records.next_item(plan, session.annotator, after=after)
        if found is None or found.id in gone:
            break
        try:
            return await planned_task(service, found, session.rubric), plan, len(gone)
        except (UnknownJudgment, BadInput):
            gone.add(found.id)
            after = found.id
    return None, plan, len(gone)


def _before(stored: list[CollectedLabel], task: LabelTask | None) -> str | None:
    """The item that the annotator has completed before this one, or last if this one is new."""
    order = list(dict.fromkeys(one.item for one in reversed(stored)))
    if task is not None and task.id in order:
        order = order[order.index(task.id) + 1 :]
    return order[0] if order else None


def _given(stored: list[CollectedLabel], task: LabelTask | None) -> GivenAnswers:
    """What the annotator has given on the item."""
    if task is None:
        return GivenAnswers({}, "")
    own = [one for one in stored if one.item == task.id]
    labels = {one.criterion: one.content.get("label") for one in own}
    answers = {name: UNSURE if label is None else str(label) for name, label in labels.items()}
    notes = [str(one.content["rationale"]) for one in own if one.content.get("rationale")]
    return GivenAnswers(task.read(answers), notes[0] if notes else "")


def _drawn_labels(given: list[CollectedLabel]) -> list[GivenLabel]:
    said = {"met": True, "unmet": False}
    labels = [(one, one.content["label"]) for one in given]
    return [
        GivenLabel(
            judgment=one.item,
            criterion=one.criterion,
            label=said.get(label, label),
            rationale=one.content.get("rationale"),
            saw_judge=bool(one.content.get("saw_judge")),
        )
        for one, label in labels
    ]
