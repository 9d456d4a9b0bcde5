"""GET /label and GET and POST /label/item: people label stored responses, one at a time, blind to the judge.

An item is a stored submission; its labels go into a set that is being collected, as by POST /v1/labels, under the
annotator's name. What is stored is stored: nothing is lost if the browser or the server ends in the middle.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter, ValidationError

from judge_server.core.audit_queue import SetName
from judge_server.core.caller import ANYONE, current_caller
from judge_server.core.criterion import Choice, JudgedLeaf
from judge_server.core.errors import BadInput
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.labels.archive import collected_set
from judge_server.labels.label import Name
from judge_server.server.pages.label_task import LabelTask, item_of, judged_task, set_task
from judge_server.server.pages.rendering import form_of, page, sent_to
from judge_server.server.service import ServiceHere
from judge_server.store.label_records import CollectedLabel
from judge_server.wiring.service import Service

router = APIRouter(prefix="/label", include_in_schema=False)
_PAGE: Final = 100
_UNSURE: Final = "unsure"
_PLAN: Final = ("set", "rubric", "annotator")
_NAMES: Final = TypeAdapter(Name)
_SETS: Final = TypeAdapter(SetName)


@dataclass(frozen=True)
class LabelPlan:
    """Who labels what: responses judged under ``rubric``, or items of the set ``source``. ``label_set``: where to."""

    label_set: str
    rubric: Rubric
    annotator: str
    source: str = ""

    @property
    def query(self) -> str:
        named = {"set": self.label_set, "rubric": self.rubric.name, "annotator": self.annotator}
        return urlencode(named | ({"source": self.source} if self.source else {}))


@dataclass(frozen=True)
class LabelQuestion:
    """A criterion as the page asks it. ``answers``: value and words of each, in the order of their keys 1, 2, …"""

    id: str
    statement: str
    guidance: str
    answers: tuple[tuple[str, str], ...]


@router.get("")
async def overview(request: Request, service: ServiceHere) -> Response:
    """The sets that are being collected, and the form to begin or go on."""
    return page(
        request,
        "label.html",
        collections=await service.store.labels.collections(),
        rubrics=await service.rubric_registry.listing(),
        annotator=_own_name(),
    )


@router.get("/item")
async def item(request: Request, service: ServiceHere) -> Response:
    """The next response that the annotator has not labelled; with ``judgment`` that one, or with ``item`` that item of
    the set, with what was given."""
    wanted = await _plan(service, request.query_params)
    known = await _known(service, wanted)
    task = await _named(service, wanted, request.query_params)
    if task is None:
        found = await _next(service, wanted, known, request.query_params.get("after"))
        task = None if found is None else await judged_task(service, found.id)
    return page(
        request,
        "label_item.html",
        plan=wanted,
        task=task,
        questions=() if task is None else tuple(map(_question, task.leaves(wanted.rubric))),
        given={} if task is None else task.read(known.get(task.id, {})),
        done=len(known),
        before=request.query_params.get("before"),
        unsure=_UNSURE,
    )


@router.post("/item")
async def labelled(request: Request, service: ServiceHere) -> Response:
    """Store the labels of one response, then go to the next. A criterion without an answer stays without a label."""
    fields = await form_of(request)
    wanted = await _plan(service, fields)
    task = await _named(service, wanted, fields)
    if task is None:
        raise BadInput("The form names no response.", remedy="Go on with the next one.")
    given = [label for leaf in task.leaves(wanted.rubric) if (label := _label(leaf, wanted, task, fields)) is not None]
    if not given:
        raise BadInput("No criterion has an answer.", remedy="Answer at least one, or skip the response.")
    records = service.store.labels
    own = {(label.item, label.criterion, label.annotator) for label in given}
    stored = await records.collected(wanted.label_set)
    others = [one for one in stored if (one.item, one.criterion, one.annotator) not in own]
    await asyncio.to_thread(collected_set, wanted.label_set, [*given, *others])
    await records.collect(wanted.label_set, given, replace=True)
    return sent_to(request, f"/label/item?{wanted.query}&{urlencode({'before': urlencode(task.query)})}")


async def _plan(service: Service, given: Mapping[str, str]) -> LabelPlan:
    label_set, rubric, annotator = (given.get(name, "").strip() for name in _PLAN)
    if current_caller.get() is not ANYONE:
        annotator = _own_name()
    for name, value, kind in (("set", label_set, _SETS), ("annotator", annotator, _NAMES)):
        try:
            kind.validate_python(value)
        except ValidationError:
            raise BadInput(f"{name}: {value[:60]!r} is no name.", remedy="Go back and give one.") from None
    return LabelPlan(label_set, await service.rubric_registry.get(rubric), annotator, given.get("source", ""))


async def _named(service: Service, plan: LabelPlan, given: Mapping[str, str]) -> LabelTask | None:
    """The task that an address or a form names; None if it names none."""
    if given.get("judgment"):
        return await judged_task(service, given["judgment"])
    if given.get("item"):
        return await set_task(service, plan.source or plan.label_set, given["item"], plan.rubric)
    return None


def _own_name() -> str:
    """The key's name, under which its holder labels; empty if the server knows nobody."""
    caller = current_caller.get()
    return "" if caller is ANYONE else caller.name


async def _known(service: Service, plan: LabelPlan) -> dict[str, dict[str, str]]:
    """What the annotator has given in the set: by item and criterion."""
    found: dict[str, dict[str, str]] = {}
    for one in await service.store.labels.collected(plan.label_set):
        if one.annotator == plan.annotator:
            label = one.content.get("label")
            found.setdefault(one.item, {})[one.criterion] = _UNSURE if label is None else str(label)
    return found


async def _next(
    service: Service, plan: LabelPlan, known: Mapping[str, Mapping[str, str]], after: str | None
) -> Judgment | None:
    """The newest response that is not labelled yet, after the judgment ``after`` if one was skipped."""
    cursor: str | None = None
    passed = after is None
    while True:
        found = await service.store.judgments(limit=_PAGE, cursor=cursor, rubric=plan.rubric.id)
        for judgment in found.items:
            if passed and judgment.submission_digest and item_of(judgment) not in known:
                return judgment
            passed = passed or judgment.id == after
        cursor = found.next_cursor
        if cursor is None:
            return None


def _question(leaf: JudgedLeaf) -> LabelQuestion:
    answers: Sequence[tuple[str, str]] = (("met", "Yes"), ("unmet", "No"))
    if isinstance(leaf, Choice):
        answers = [(option.label, option.label) for option in leaf.options]
    return LabelQuestion(leaf.id, leaf.statement, leaf.guidance or "", (*answers, (_UNSURE, "Cannot tell")))


def _label(leaf: JudgedLeaf, plan: LabelPlan, task: LabelTask, fields: Mapping[str, str]) -> CollectedLabel | None:
    """The label of one criterion; None if the form has none. Raises BadInput for an answer that is not offered."""
    answer = fields.get(f"label.{leaf.id}", "")
    if not answer:
        return None
    if answer not in {value for value, _ in _question(leaf).answers}:
        raise BadInput(f"{leaf.id}: {answer[:60]!r} is no answer to it.", remedy="Reload the page.")
    content = {
        "item": task.id,
        "criterion": leaf.id,
        "annotator": plan.annotator,
        "role": "human",
        "label": None if answer == _UNSURE else task.word(leaf.id, answer),
        "cluster": task.cluster,
        "prompt": task.submission.prompt_text,
        "response": task.submission.read.text,
    }
    note = fields.get("note", "").strip()
    further = {"reference": task.submission.reference, "rationale": note or None}
    content |= {name: value for name, value in further.items() if value is not None}
    return CollectedLabel(item=task.id, criterion=leaf.id, annotator=plan.annotator, content=content)
