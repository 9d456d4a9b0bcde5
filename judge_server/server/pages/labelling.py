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
from judge_server.core.errors import BadInput, BadSubmission, UnknownJudgment
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.labels.archive import collected_set
from judge_server.labels.label import Name
from judge_server.scoring.plan import plan
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
    """Who labels what: responses judged under ``rubric``, into the set ``label_set``."""

    label_set: str
    rubric: Rubric
    annotator: str

    @property
    def query(self) -> str:
        return urlencode({"set": self.label_set, "rubric": self.rubric.name, "annotator": self.annotator})

    def leaves(self, submission: Submission) -> tuple[JudgedLeaf, ...]:
        """The criteria that people decide: those that a judge decides about the whole response, if they apply."""
        asked = [leaf for leaf in self.rubric.leaves if isinstance(leaf, JudgedLeaf) and leaf.scope != "step"]
        try:
            planned = plan(submission, self.rubric)
        except BadSubmission:  # a fact that cannot be read: whether a condition holds is not known
            return tuple(asked)
        applicable = {leaf.id for leaf in (*planned.applicable, *planned.undecided)}
        return tuple(leaf for leaf in asked if leaf.id in applicable)


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
    """The next response that the annotator has not labelled; with ``judgment`` that one, with what was given."""
    wanted = await _plan(service, request.query_params)
    known = await _known(service, wanted)
    named = request.query_params.get("judgment")
    if named:
        found: Judgment | None = await service.store.judgment(named)
        if found is None:
            raise UnknownJudgment("No judgment is stored under this id.", remedy="Go on with the next one.")
    else:
        found = await _next(service, wanted, known, request.query_params.get("after"))
    submission = None if found is None else await service.store.submission(found.id)
    return page(
        request,
        "label_item.html",
        plan=wanted,
        judgment=found,
        submission=submission,
        questions=() if submission is None else tuple(map(_question, wanted.leaves(submission))),
        given={} if found is None else known.get(_item_of(found), {}),
        done=len(known),
        before=request.query_params.get("before"),
        unsure=_UNSURE,
    )


@router.post("/item")
async def labelled(request: Request, service: ServiceHere) -> Response:
    """Store the labels of one response, then go to the next. A criterion without an answer stays without a label."""
    fields = await form_of(request)
    wanted = await _plan(service, fields)
    found = await service.store.judgment(fields.get("judgment", ""))
    submission = None if found is None else await service.store.submission(found.id)
    if found is None or submission is None:
        raise UnknownJudgment("The response is no longer stored.", remedy="Go on with the next one.")
    given = [
        label
        for leaf in wanted.leaves(submission)
        if (label := _label(leaf, wanted, found, submission, fields)) is not None
    ]
    if not given:
        raise BadInput("No criterion has an answer.", remedy="Answer at least one, or skip the response.")
    records = service.store.labels
    own = {(label.item, label.criterion, label.annotator) for label in given}
    stored = await records.collected(wanted.label_set)
    others = [one for one in stored if (one.item, one.criterion, one.annotator) not in own]
    await asyncio.to_thread(collected_set, wanted.label_set, [*given, *others])
    await records.collect(wanted.label_set, given, replace=True)
    return sent_to(request, f"/label/item?{wanted.query}&{urlencode({'before': found.id})}")


async def _plan(service: Service, given: Mapping[str, str]) -> LabelPlan:
    label_set, rubric, annotator = (given.get(name, "").strip() for name in _PLAN)
    if current_caller.get() is not ANYONE:
        annotator = _own_name()
    for name, value, kind in (("set", label_set, _SETS), ("annotator", annotator, _NAMES)):
        try:
            kind.validate_python(value)
        except ValidationError:
            raise BadInput(f"{name}: {value[:60]!r} is no name.", remedy="Go back and give one.") from None
    return LabelPlan(label_set, await service.rubric_registry.get(rubric), annotator)


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
            if passed and judgment.submission_digest and _item_of(judgment) not in known:
                return judgment
            passed = passed or judgment.id == after
        cursor = found.next_cursor
        if cursor is None:
            return None


def _item_of(judgment: Judgment) -> str:
    """One item for each submission, however often it was judged."""
    return (judgment.submission_digest or judgment.id).removeprefix("sha256:")[:24]


def _question(leaf: JudgedLeaf) -> LabelQuestion:
    answers: Sequence[tuple[str, str]] = (("met", "Yes"), ("unmet", "No"))
    if isinstance(leaf, Choice):
        answers = [(option.label, option.label) for option in leaf.options]
    return LabelQuestion(leaf.id, leaf.statement, leaf.guidance or "", (*answers, (_UNSURE, "Cannot tell")))


def _label(
    leaf: JudgedLeaf, plan: LabelPlan, judgment: Judgment, submission: Submission, fields: Mapping[str, str]
) -> CollectedLabel | None:
    """The label of one criterion; None if the form has none. Raises BadInput for an answer that is not offered."""
    answer = fields.get(f"label.{leaf.id}", "")
    if not answer:
        return None
    if answer not in {value for value, _ in _question(leaf).answers}:
        raise BadInput(f"{leaf.id}: {answer[:60]!r} is no answer to it.", remedy="Reload the page.")
    content = {
        "item": _item_of(judgment),
        "criterion": leaf.id,
        "annotator": plan.annotator,
        "role": "human",
        "label": None if answer == _UNSURE else answer,
        "cluster": submission.prompt_key[:64],
        "prompt": submission.prompt_text,
        "response": submission.read.text,
    }
    note = fields.get("note", "").strip()
    further = {"reference": submission.reference, "rationale": note or None}
    content |= {name: value for name, value in further.items() if value is not None}
    return CollectedLabel(item=_item_of(judgment), criterion=leaf.id, annotator=plan.annotator, content=content)
