"""/calibrations: measure a judge against people's labels, read the report, certify, compare, go on to the wording.

The figures are those of ``judge-server calibrate report``; each names its split and how much it counts.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError

from judge_server.core.calibration import Calibration
from judge_server.core.errors import BadInput, JudgeServerError, NotFound
from judge_server.server.calibration_results import certified, compared, labels_of, loaded, report_of
from judge_server.server.pages.calibration_items import again_of, record_of
from judge_server.server.pages.label_showing import browsed_items
from judge_server.server.pages.rendering import form_of, page, sent_to
from judge_server.server.pages.run_history import history
from judge_server.server.pages.shown_report import (
    figure_links,
    filters_of,
    may_list,
    selection_of,
    shown_excerpt,
    shown_report,
)
from judge_server.server.problems import refused
from judge_server.server.routes.calibrations import CalibrationRequest, CalibrationsHere, calibrate
from judge_server.server.service import ServiceHere
from judge_server.wiring.service import Service

router = APIRouter(prefix="/calibrations", include_in_schema=False)
_LISTED: Final = 100
_TEXTS: Final = ("labels", "rubric", "judge", "split", "reader", "reason")
_FLAGS: Final = ("partial", "gate")
_EMPTY: Final = dict.fromkeys((*_TEXTS, *_FLAGS), "") | {"split": "dev", "gate": "yes"}


_NOTHING: Final[dict[str, Any]] = {
    "report": None,
    "part": None,
    "filters": (),
    "may_list": False,
    "certificate": None,
    "again": {},
    "further": (),
    "history": (),
}


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
    before, after = await record_of(service, old), await record_of(service, new)
    if before.labels.id != after.labels.id:
        raise BadInput(
            f"{before.labels.id} and {after.labels.id} are different label sets.",
            remedy="Compare two runs on the same labels.",
        )
    found = await compared(service.store, before, after)
    drawing = await _both(service, before, after)
    return page(request, "calibration_compare.html", old=before, new=after, found=found, drawing=drawing)


async def _both(service: Service, old: Calibration, new: Calibration) -> Any:
    """The intervals of both runs, criterion by criterion; None if a report is not kept."""
    reports = [(await report_of(service.store, one.id), one.judge.name) for one in (old, new)]
    from judge_server.report.figures import headline_of, versions_forest

    (before, old_judge), (after, new_judge) = reports
    if before is None or after is None:
        return None
    figures = headline_of(before, old_judge), headline_of(after, new_judge)
    return versions_forest(*figures, title="Agreement by criterion, before and after")


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
    shown = dict(_NOTHING)
    if record is not None:
        shown |= await _figures(request, service, record)
        shown["certificate"] = await service.store.calibrations.certificate_of(record)
        shown["again"] = await again_of(service, record.labels.id)
        others = await service.store.calibrations.calibrations(limit=_LISTED)
        same = [one for one in others.items if one.labels.id == record.labels.id]
        shown["further"] = [one for one in same if one.id != record.id]
        shown["history"] = history(same, record.id, request.query_params.get("criterion", ""))
    return page(request, "calibration.html", run=found, record=record, **shown)


async def _figures(request: Request, service: Service, record: Calibration) -> dict[str, Any]:
    """The report; with a filter in the URL the figures of that part. Raises BadInput for a filter that fits nothing."""
    kept = await report_of(service.store, record.id)
    if kept is None:
        return {}
    await loaded("judge_server.calibration.label_part", "judge_server.report.excerpt")
    from judge_server.report.excerpt import excerpt

    selection, judge = selection_of(request.query_params), record.judge.name
    address = f"{request.app.state.root_path}/calibrations/{record.id}"
    links = figure_links(address, record, selection)
    report = shown_report(kept, judge, links)
    found: dict[str, Any] = {
        "filters": filters_of(kept, judge, selection),
        "may_list": may_list(record),
        "report": report,
    }
    if selection.whole and may_list(record):
        await browsed_items(service, record.labels.id, [one.item for one in report.judge.disagreements])
    elif not selection.whole:
        labels = await labels_of(service.store, record)
        part = await asyncio.to_thread(excerpt, labels, judge, selection)
        found["part"] = shown_excerpt(part, record, selection, links)
    return found


@router.post("/{calibration_id}/certificate")
async def certify(calibration_id: str, request: Request, service: ServiceHere) -> Response:
    """Let the gate decide on this run, and store the certificate."""
    await form_of(request)
    record = await record_of(service, calibration_id)
    rubric = await service.store.rubric_by_digest(record.rubric.digest)
    if rubric is None:
        raise NotFound("The rubric of this run is no longer stored.", remedy="Measure the judge again.")
    await certified(service, record, await labels_of(service.store, record), rubric)
    await service.calibration_state.refresh(service.store.calibrations)
    return sent_to(request, f"/calibrations/{record.id}#certificate")


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
        certificates=await service.store.calibrations.certificates_of(*done.items),
        more=None if done.next_cursor is None else urlencode({"cursor": done.next_cursor}),
    )
