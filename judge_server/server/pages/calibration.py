"""/calibrations: measure a judge against people's labels, read the report, certify, compare, go on to the wording.

The figures are those of ``judge-server calibrate report``; each names its split and how much it counts.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from judge_server.core.calibration import Calibration
from judge_server.core.caller import current_caller
from judge_server.core.errors import BadInput, JudgeServerError, NotFound
from judge_server.server.calibration_results import certified, compared, labels_of, report_of
from judge_server.server.pages.rendering import form_of, page, sent_to
from judge_server.server.pages.rewording import anchor_of, draft_with
from judge_server.server.pages.shown_report import ShownReport, shown_report
from judge_server.server.problems import refused
from judge_server.server.routes.calibrations import CalibrationRequest, CalibrationsHere, calibrate
from judge_server.server.service import ServiceHere
from judge_server.store.draft_records import DraftSample
from judge_server.wiring.service import Service

router = APIRouter(prefix="/calibrations", include_in_schema=False)
_LISTED: Final = 100
_TEXTS: Final = ("labels", "rubric", "judge", "split", "reader", "reason")
_FLAGS: Final = ("partial", "gate")
_EMPTY: Final = dict.fromkeys((*_TEXTS, *_FLAGS), "") | {"split": "dev", "gate": "yes"}


@router.get("")
async def calibrations(request: Request, service: ServiceHere, runs: CalibrationsHere) -> Response:
    """The form to begin one, what is under way, and what was measured."""
    given = _EMPTY | {name: value for name, value in request.query_params.items() if name in _EMPTY}
    return await _overview(request, service, runs, given)


@router.post("")
async def begun(request: Request, service: ServiceHere, runs: CalibrationsHere) -> Response:
    """Begin a run, as POST /v1/calibrations does; an error stands above the form, which keeps its contents."""
    given = dict.fromkeys(_EMPTY, "") | {
        name: value.strip() for name, value in (await form_of(request)).items() if name in _EMPTY
    }
    asked: dict[str, Any] = {name: given[name] for name in _TEXTS if given[name]}
    asked |= {name: given[name] == "yes" for name in _FLAGS}
    try:
        made = await calibrate(CalibrationRequest.model_validate(asked), service, runs)
    except ValidationError as fault:
        wrong = refused(fault.errors(include_url=False), asked)
        return await _overview(request, service, runs, given, fault=str(wrong), status=wrong.status)
    except JudgeServerError as fault:
        return await _overview(request, service, runs, given, fault=str(fault), status=fault.status)
    return sent_to(request, f"/calibrations/{made.id}")


@router.get("/compare")
async def comparison(request: Request, service: ServiceHere, old: str, new: str) -> Response:
    """The paired test of two runs, on the items that both judged."""
    before, after = await _record(service, old), await _record(service, new)
    if before.labels.id != after.labels.id:
        raise BadInput(
            f"{before.labels.id} and {after.labels.id} are different label sets.",
            remedy="Compare two runs on the same labels.",
        )
    found = await compared(service.store, before, after)
    return page(request, "calibration_compare.html", old=before, new=after, found=found)


@router.get("/{calibration_id}")
async def calibration(calibration_id: str, request: Request, service: ServiceHere, runs: CalibrationsHere) -> Response:
    """A run with its progress, then its report; a script asks for the progress until the run has ended."""
    found = await runs.find(calibration_id)
    if "hx-request" in request.headers:
        answer = page(request, "calibration_progress.html", run=found)
        if found.status != "running":
            answer.headers["HX-Refresh"] = "true"
        return answer
    record = found.calibration
    report: ShownReport | None = None
    certificate = None
    again: dict[str, str] = {}
    further: tuple[Calibration, ...] = ()
    if record is not None:
        kept = await report_of(service.store, record.id)
        report = None if kept is None else shown_report(kept, record.judge.name)
        certificate = await service.store.calibrations.certificate_of(record)
        again = await _again(service, record.labels.id)
        others = await service.store.calibrations.calibrations(limit=_LISTED)
        further = tuple(one for one in others.items if one.labels.id == record.labels.id and one.id != record.id)
    return page(
        request,
        "calibration.html",
        run=found,
        record=record,
        report=report,
        certificate=certificate,
        further=further,
        again=again,
    )


@router.post("/{calibration_id}/certificate")
async def certify(calibration_id: str, request: Request, service: ServiceHere) -> Response:
    """Let the gate decide on this run, and store the certificate."""
    await form_of(request)
    record = await _record(service, calibration_id)
    rubric = await service.store.rubric_by_digest(record.rubric.digest)
    if rubric is None:
        raise NotFound("The rubric of this run is no longer stored.", remedy="Measure the judge again.")
    await certified(service, record, await labels_of(service.store, record), rubric)
    await service.calibration_state.refresh(service.store.calibrations)
    return sent_to(request, f"/calibrations/{record.id}#certificate")


@router.post("/{calibration_id}/wording")
async def change_wording(calibration_id: str, request: Request, service: ServiceHere) -> Response:
    """From a disagreement to the editor at its criterion, with the response among the samples."""
    fields = await form_of(request)
    record = await _record(service, calibration_id)
    draft = await draft_with(
        service, current_caller.get().name, record.rubric.id, await _sample(service, record, fields)
    )
    return sent_to(request, f"/drafts/{draft.id}{anchor_of(draft, fields.get('criterion', ''))}")


async def _sample(service: Service, record: Calibration, fields: Mapping[str, str]) -> DraftSample | None:
    """The response of the disagreement; None if its texts are not kept."""
    kept = await report_of(service.store, record.id)
    every = () if kept is None else kept.disagreements.get(record.judge.name, ())
    found = next((one for one in every if one.item == fields.get("item")), None)
    if found is None or not found.prompt or not found.response:
        return None
    return DraftSample(prompt=found.prompt, response=found.response, reference=found.reference or None)


async def _record(service: Service, calibration_id: str) -> Calibration:
    found = await service.store.calibrations.calibration(calibration_id)
    if found is None:
        raise NotFound(f"No calibration has the id {calibration_id[:60]!r}.", remedy="Look for it in the list.")
    return found


async def _again(service: Service, label_set: str) -> dict[str, str]:
    """Where items of the set are labelled again: a set that is being collected itself, beside an imported one another.
    Empty if the store does not have the set, as after a run of the command line on a file."""
    if await service.store.labels.find_set(label_set) is not None:
        return {"set": f"{label_set}/again", "source": label_set}
    collected = {one.id for one in await service.store.labels.collections()}
    return {"set": label_set, "source": label_set} if label_set in collected else {}


async def _overview(
    request: Request,
    service: Service,
    runs: CalibrationsHere,
    given: Mapping[str, str],
    *,
    fault: str | None = None,
    status: int = 200,
) -> Response:
    records = service.store.labels
    names = [one.id for one in await records.sets()] + [one.id for one in await records.collections()]
    done = await service.store.calibrations.calibrations(limit=_LISTED)
    return page(
        request,
        "calibrations.html",
        status=status,
        given=given,
        fault=fault,
        sets=list(dict.fromkeys(names)),
        rubrics=await service.rubric_registry.listing(),
        judges=list(service.judge_registry.judges),
        under_way=runs.under_way(),
        done=done.items,
        more=None if done.next_cursor is None else urlencode({"cursor": done.next_cursor}),
    )
