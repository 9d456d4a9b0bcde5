"""/calibrations/improve: make a judge agree better with people, rung by rung; nothing is published by itself."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from judge_server.authoring.diff import VersionStep, next_version
from judge_server.authoring.emitting import data_of, text_of
from judge_server.authoring.parsing import parse
from judge_server.calibration.improvement import PartSize
from judge_server.core.caller import current_caller
from judge_server.core.errors import BadInput, JudgeServerError, NotFound
from judge_server.server.calibration_results import loaded
from judge_server.server.pages.rendering import form_of, page, sent_to
from judge_server.server.problems import refused
from judge_server.server.routes.improvements import ImprovementRequest, ImprovementsHere, improve
from judge_server.server.service import ServiceHere
from judge_server.store.draft_records import RubricDraft
from judge_server.wiring.service import Service

router = APIRouter(prefix="/calibrations/improve", include_in_schema=False)
_LISTED: Final = 50
_TEXTS: Final = ("labels", "rubric", "judge", "proposer", "search", "second", "tuned", "reason")
_LIMITS: Final = ("questions", "calls", "tokens", "dollars", "minutes")
_EMPTY: Final = dict.fromkeys((*_TEXTS, *_LIMITS, "positives"), "") | {"examples": "4", "tries": "3", "search": "once"}
RUNGS: Final = (
    ("map", "Fitted maps"),
    ("wording", "Other wordings"),
    ("examples", "Labelled examples"),
    ("cascade", "A second judge"),
    ("adapter", "A trained adapter"),
)


@router.get("")
async def overview(request: Request, service: ServiceHere, runs: ImprovementsHere) -> Response:
    """The form, with what the chosen labels can show, and what was begun."""
    given = _EMPTY | {name: value for name, value in request.query_params.items() if name in _EMPTY}
    try:
        sizes = await _sizes(service, given["labels"]) if given["labels"] else ()
    except JudgeServerError as fault:
        return await _overview(request, service, runs, given, fault=str(fault), status=fault.status)
    return await _overview(request, service, runs, given, sizes=sizes)


@router.post("")
async def begun(request: Request, service: ServiceHere, runs: ImprovementsHere) -> Response:
    """Begin one, as POST /v1/improvements does; an error stands above the form, which keeps its contents."""
    given = dict(_EMPTY) | {name: value.strip() for name, value in (await form_of(request)).items() if name in _EMPTY}
    try:
        asked = _asked(given)
        made = await improve(ImprovementRequest.model_validate(asked), service, runs)
    except ValidationError as fault:
        wrong = refused(fault.errors(include_url=False), asked)
        return await _overview(request, service, runs, given, fault=str(wrong), status=wrong.status)
    except JudgeServerError as fault:
        return await _overview(request, service, runs, given, fault=str(fault), status=fault.status)
    return sent_to(request, f"/calibrations/improve/{made.id}")


@router.get("/{improvement_id}")
async def shown(improvement_id: str, request: Request, runs: ImprovementsHere) -> Response:
    """One with its progress; a script asks for the progress again until it is over."""
    found = await runs.find(improvement_id)
    whole = "hx-request" not in request.headers
    answer = page(
        request,
        "improvement.html" if whole else "improvement_progress.html",
        run=found,
        rungs=RUNGS,
        result=found.result,
        kept=[one for one in found.candidates if one.kept],
        other=[one for one in found.candidates if not one.kept],
    )
    if not whole and found.over:
        answer.headers["HX-Refresh"] = "true"
    return answer


@router.post("/{improvement_id}/cancel")
async def cancelled(improvement_id: str, request: Request, runs: ImprovementsHere) -> Response:
    await form_of(request)
    await runs.cancel(improvement_id)
    return sent_to(request, f"/calibrations/improve/{improvement_id}")


@router.post("/{improvement_id}/draft")
async def drafted(improvement_id: str, request: Request, service: ServiceHere, runs: ImprovementsHere) -> Response:
    """The drafted version in the editor, where a person reads, tries and publishes it."""
    await form_of(request)
    text = (await runs.files_of(improvement_id)).get("rubric.yaml")
    if text is None:
        raise NotFound("No version was drafted: no other wording was kept.", remedy="Read what did not help.")
    draft = await _draft(service, text, (await runs.find(improvement_id)).rubric.version)
    return sent_to(request, f"/drafts/{draft.id}")


async def _draft(service: Service, text: str, before: str) -> RubricDraft:
    """The author's draft of this text, or a new one, under the next version."""
    rubric = parse(text.encode()).rubric
    if rubric is None:
        raise NotFound("The drafted version cannot be read.", remedy="Begin another improvement.")
    author, base = current_caller.get().name, f"{rubric.id}@{before}"
    told = text_of({**data_of(rubric), "version": next_version(before, VersionStep.MINOR)})
    for one in await service.store.drafts.drafts(author):
        if one.text == told:
            return one
    draft = RubricDraft.begun(author, told, base)
    return await service.store.drafts.keep(draft, draft.editor)


async def _sizes(service: Service, labels: str) -> tuple[PartSize, ...]:
    await loaded("judge_server.server.improvement_work")
    from judge_server.server.improvement_work import shown_sizes

    return await shown_sizes(service.store, labels)


def _asked(given: Mapping[str, str]) -> dict[str, Any]:
    """Raises BadInput for what is no number or no CRITERION=CLASS."""
    asked: dict[str, Any] = {name: given[name] for name in _TEXTS if given[name]}
    numbers = {name: _number(name, given[name]) for name in (*_LIMITS, "examples", "tries") if given[name]}
    asked["tries"], asked["examples"] = numbers.pop("tries", 3), (numbers.pop("examples", 0),)
    if "minutes" in numbers:
        numbers["seconds"] = 60 * numbers.pop("minutes")
    asked["limits"] = numbers
    pairs = [line.partition("=") for line in given["positives"].splitlines() if line.strip()]
    for criterion, equals, label in pairs:
        if not (criterion and equals and label):
            raise BadInput(f"{criterion[:60]!r} is not CRITERION=CLASS.", remedy="Write one pair a line, as met=yes.")
    asked["positives"] = {criterion.strip(): label.strip() for criterion, _, label in pairs}
    return asked


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"{name}: {text[:40]!r} is no number.", remedy="Write a number, or leave it empty.") from None


async def _overview(
    request: Request,
    service: Service,
    runs: ImprovementsHere,
    given: Mapping[str, str],
    *,
    sizes: tuple[PartSize, ...] = (),
    fault: str | None = None,
    status: int = 200,
) -> Response:
    records = service.store.labels
    names = [one.id for one in await records.sets()] + [one.id for one in await records.collections()]
    return page(
        request,
        "improvements.html",
        status=status,
        given=given,
        fault=fault,
        sizes=sizes,
        sets=list(dict.fromkeys(names)),
        rubrics=await service.rubric_registry.listing(),
        judges=list(service.judge_registry.judges),
        begun=(await runs.listed(_LISTED, None)).improvements,
    )
