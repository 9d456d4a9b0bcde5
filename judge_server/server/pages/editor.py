"""/drafts: an author writes a rubric as form or text, tries it on samples, and publishes it. Every change is kept."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from fastapi import APIRouter, Request, Response

from judge_server.authoring.draft_form import changed, draft_form, shape
from judge_server.authoring.template import template
from judge_server.core.caller import current_caller
from judge_server.core.errors import BadInput, BadRubric, JudgeServerError, RubricConflict, UnknownRubric
from judge_server.server.pages.draft_expectations import expectations
from judge_server.server.pages.draft_samples import labelled, of_cases, stored, written
from judge_server.server.pages.draft_trial import TriedSample, tried
from judge_server.server.pages.rendering import form_of, page, sent_to
from judge_server.server.pages.rewording import next_draft
from judge_server.server.pages.shown_changes import shown_difference
from judge_server.server.service import ServiceHere
from judge_server.server.validated_rubric import publishable, unblocking, validated
from judge_server.store.draft_records import MOST_NOTE, MOST_SAMPLES, RubricDraft
from judge_server.wiring.service import Service

router = APIRouter(prefix="/drafts", include_in_schema=False)
_MOST_FIELDS: Final = 12_000
_NONE: Final = "You have no draft under this id."


class Clash(NamedTuple):
    """Another page has kept ``revision`` since this page's ``side``, form or text, was read."""

    side: str
    revision: int


@router.get("")
async def drafts(request: Request, service: ServiceHere) -> Response:
    """The author's drafts, and how to begin one."""
    records = service.store.drafts
    return page(
        request,
        "drafts.html",
        drafts=[(one, _title(one.text)) for one in await records.drafts(_author())],
        discarded=[(one, _title(one.text)) for one in await records.drafts(_author(), discarded=True)],
        rubrics=await service.rubric_registry.listing(),
        base=request.query_params.get("base", ""),
    )


@router.post("")
async def begun(request: Request, service: ServiceHere) -> Response:
    """Begin a draft: from the newest version of a rubric, raised by a minor step, or from the template."""
    fields = await form_of(request)
    base, name = fields.get("base", ""), fields.get("id", "").strip()
    if base:
        draft = await next_draft(service, _author(), base)
    else:
        draft = RubricDraft.begun(_author(), template(name))
    kept = await service.store.drafts.keep(draft, "")
    return sent_to(request, f"/drafts/{kept.id}")


@router.get("/{draft_id}")
async def draft(draft_id: str, request: Request, service: ServiceHere) -> Response:
    return await _editor(request, service, await _own(service, draft_id))


@router.post("/{draft_id}")
async def edited(draft_id: str, request: Request, service: ServiceHere) -> Response:
    """Keep what the form or the text says. A script gets the other of the two and the findings, a plain form the
    page. What another page has overtaken is not kept: it stays on its page, which offers to keep it all the same."""
    fields = await form_of(request, _MOST_FIELDS)
    found = await _own(service, draft_id)
    live = "hx-request" in request.headers
    part, act, text = "text" if "text" in fields else "form", fields.get("act", "form"), found.text
    try:
        if act == "undo":
            text = found.undo or found.text
        else:
            text = fields["text"] if part == "text" else changed(found.text, fields, act)
        undo = found.text if part == "form" and act not in ("form", "undo") else ""
        kept = await _keep(service, found, fields, text=text, undo=undo)
    except JudgeServerError as fault:
        clash = Clash(part, found.revision) if isinstance(fault, RubricConflict) and not found.published else None
        if live:
            return await _live(request, service, found, fault=str(fault), clash=clash)
        typed = found.model_copy(update={"text": text, "revision": _seen(fields)}) if clash else found
        return await _editor(request, service, typed, fault=str(fault), clash=clash, status=fault.status)
    if live:
        both = part == "form" and shape(found.text) != shape(text)
        return await _live(request, service, kept, part="both" if both else part, editor=fields.get("editor", ""))
    return sent_to(request, f"/drafts/{draft_id}{_anchor(fields)}")


@router.post("/{draft_id}/samples")
async def sampled(draft_id: str, request: Request, service: ServiceHere) -> Response:
    """Add a sample, remove one, take stored responses, or try the draft on all of them. Samples are added to those that
    are there now, whatever the page has read."""
    fields = await form_of(request)
    found = await _own(service, draft_id)
    act, _, place = fields.get("act", "").partition(":")
    try:
        match act:
            case "add":
                samples = [*found.samples, written(fields)]
            case "remove":
                samples = [one for number, one in enumerate(found.samples) if str(number) != place]
            case "stored":
                samples = [*found.samples, *await stored(service, found)]
            case "set":
                samples = [*found.samples, *await labelled(service, found, fields.get("set", ""))]
            case "cases":
                samples = [*found.samples, *await of_cases(service, found)]
            case _:
                return await _editor(request, service, found, results=await _trial(service, found))
        if len(samples) > MOST_SAMPLES:
            raise BadInput(f"A draft has at most {MOST_SAMPLES} samples.", remedy="Remove some first.")
        read = fields if act == "remove" else {**fields, "revision": str(found.revision)}
        await _keep(service, found, read, samples=tuple(samples))
    except JudgeServerError as fault:
        return await _editor(request, service, found, fault=str(fault), status=fault.status)
    return sent_to(request, f"/drafts/{draft_id}#samples")


@router.get("/{draft_id}/publish")
async def before_publishing(draft_id: str, request: Request, service: ServiceHere) -> Response:
    """What changed since the version before, and which step that is."""
    return await _publishing(request, service, await _own(service, draft_id))


@router.post("/{draft_id}/publish")
async def published(draft_id: str, request: Request, service: ServiceHere) -> Response:
    """Publish permanently: the page before showed the changes, and a note says why."""
    fields = await form_of(request)
    found = await _own(service, draft_id)
    parsed, _ = await unblocking(publishable, found.text)
    rubric, note = parsed.rubric, fields.get("note", "").strip()
    try:
        _confirmed(note, fields)
        await service.rubric_registry.publish(rubric)
    except JudgeServerError as refused:
        return await _publishing(request, service, found, note=note, fault=str(refused), status=refused.status)
    done = found.model_copy(update={"published": rubric.name, "note": note})
    await service.store.drafts.keep(done, found.editor)
    return sent_to(request, f"/rubrics/{rubric.name}")


@router.post("/{draft_id}/discard")
async def discarded(draft_id: str, request: Request, service: ServiceHere) -> Response:
    """Discard a draft, or take a discarded one back."""
    fields = await form_of(request)
    if fields.get("act") == "back":
        if not await service.store.drafts.take_back(draft_id, _author()):
            raise UnknownRubric(_NONE, remedy="Look for it among your drafts.")
        return sent_to(request, f"/drafts/{draft_id}")
    await _own(service, draft_id)
    await service.store.drafts.discard(draft_id, _author())
    return sent_to(request, "/drafts#discarded")


def _confirmed(note: str, fields: Mapping[str, str]) -> None:
    """Raises BadInput for a note that is missing or too long, and without the confirmation."""
    if not note:
        raise BadInput("There is no note.", remedy="Write what changed and why.")
    if len(note) > MOST_NOTE:
        raise BadInput(f"The note has {len(note):,} characters.", remedy=f"Write at most {MOST_NOTE:,}.")
    if fields.get("sure") != "yes":
        raise BadInput("Nothing is published yet.", remedy="Confirm that this version may never change again.")


def _author() -> str:
    return current_caller.get().name


async def _own(service: Service, draft_id: str) -> RubricDraft:
    found = await service.store.drafts.draft(draft_id, _author())
    if found is None or found.discarded:
        raise UnknownRubric(_NONE, remedy="Look for it among your drafts, also among the discarded ones.")
    return found


async def _keep(service: Service, found: RubricDraft, fields: Mapping[str, str], **changes: Any) -> RubricDraft:
    """``fields`` say which page it is and what it has read."""
    read = found.model_copy(update={"revision": _seen(fields), **changes})
    return await service.store.drafts.keep(read, fields.get("editor", "")[:64])


def _seen(fields: Mapping[str, str]) -> int:
    """The revision that the page has read; ``over``: the one that its author wants to replace."""
    seen = fields.get("over") or fields.get("revision", "")
    return int(seen) if seen.isdigit() and len(seen) < 10 else -1


async def _editor(
    request: Request,
    service: Service,
    found: RubricDraft,
    *,
    fault: str | None = None,
    clash: Clash | None = None,
    status: int = 200,
    results: Sequence[TriedSample] = (),
) -> Response:
    records = service.store.labels
    sets = sorted({one.id for one in await records.sets()} | {one.id for one in await records.collections()})
    own = {"fault": fault, "clash": clash, "results": results, "sets": sets, "editor": uuid.uuid4().hex}
    return page(request, "draft.html", status=status, **await _read(service, found), **own)


async def _live(
    request: Request,
    service: Service,
    found: RubricDraft,
    *,
    fault: str | None = None,
    clash: Clash | None = None,
    part: str = "",
    editor: str = "",
) -> Response:
    """What a script puts into the opened page ``editor``: remarks, and the side that follows the changed ``part``."""
    shown = await _read(service, found)
    return page(request, "draft_live.html", **shown, fault=fault, clash=clash, part=part, editor=editor)


async def _read(service: Service, found: RubricDraft) -> dict[str, Any]:
    """What the draft's text says: form, remarks, and whether its cases hold."""
    parsed, findings = await unblocking(validated, found.text)
    try:
        form = draft_form(found.text)
    except BadRubric:
        form = None
    expected = None if parsed is None else await asyncio.to_thread(expectations, service, found, parsed)
    return {"draft": found, "form": form, "valid": parsed is not None, "findings": findings, "expected": expected}


async def _trial(service: Service, found: RubricDraft) -> Sequence[TriedSample]:
    if not found.samples:
        raise BadInput("There is no sample to try the draft on.", remedy="Add a prompt and a response first.")
    base = None if found.base is None else await service.rubric_registry.get(found.base)
    parsed, _ = await unblocking(publishable, found.text)
    return await tried(service, parsed.rubric, base, found.samples)


async def _publishing(
    request: Request,
    service: Service,
    found: RubricDraft,
    *,
    note: str = "",
    fault: str | None = None,
    status: int = 200,
) -> Response:
    parsed, findings = await unblocking(publishable, found.text)
    rubric = parsed.rubric
    versions = await service.rubric_registry.versions(rubric.id)
    before = await service.rubric_registry.get(f"{rubric.id}@{versions[-1]}") if versions else None
    shown = None if before is None else await asyncio.to_thread(shown_difference, before, rubric)
    return page(
        request,
        "draft_publish.html",
        status=status,
        draft=found,
        rubric=rubric,
        shown=shown,
        findings=findings,
        note=note,
        fault=fault,
    )


def _title(text: str) -> str:
    try:
        head = draft_form(text).head
    except BadRubric:
        return "not readable yet"
    return f"{head['title']} ({head['id']}@{head['version']})"


def _anchor(fields: Mapping[str, str]) -> str:
    """Where the page goes after an act on a criterion: to the criterion."""
    act, _, where = fields.get("act", "").partition(":")
    return f"#c{where}" if act in ("up", "down", "copy") and where.replace("-", "").isdigit() else ""
