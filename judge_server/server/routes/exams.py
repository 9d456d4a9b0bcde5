"""POST /v1/exams, GET /v1/exams, /v1/exams/{id} and its report page."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse
from pydantic import Field

from judge_server.core.coordinates import Coordinate
from judge_server.core.errors import NotFound
from judge_server.core.exam import Family
from judge_server.core.model import Frozen
from judge_server.exam.families import PAIRS_A_FAMILY
from judge_server.exam.page import as_html
from judge_server.exam.sitting import plan_for
from judge_server.server.exam_runs import ExamList, ExamProgress, ExamRuns
from judge_server.server.service import ServiceHere, StrictRoute

router = APIRouter(prefix="/v1/exams", tags=["calibration"], route_class=StrictRoute)
_PAST = 50
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


async def _exams(request: Request) -> ExamRuns:
    found: ExamRuns = request.app.state.exams
    return found


ExamsHere = Annotated[ExamRuns, Depends(_exams)]


class ExamRequest(Frozen):
    """``judge``: a configured judge, else the default. ``seed`` decides the surface forms. ``pairs``: in each family.
    ``families``: only these. ``longest``: tokens of the longest response, else what the judge holds, at most 64,000."""

    judge: Coordinate | None = None
    seed: int = Field(default=0, ge=0, le=2**53)
    pairs: int = Field(default=PAIRS_A_FAMILY, ge=1, le=100)
    families: tuple[Family, ...] = Field(default=(), max_length=50)
    longest: int | None = Field(default=None, ge=1_000, le=64_000)


@router.post("", status_code=202)
async def examine(body: ExamRequest, service: ServiceHere, exams: ExamsHere) -> ExamProgress:
    """Ask a judge contrast pairs with known answers in the background. Answers 202 at once; poll the exam for its
    progress."""
    judge = service.judge_registry.named(body.judge)
    return exams.begin(judge, plan_for(judge, body.seed, body.pairs, body.families, body.longest))


@router.get("")
async def listing(
    exams: ExamsHere,
    judge: Annotated[Coordinate | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: Annotated[str | None, Query(max_length=1_000)] = None,
) -> ExamList:
    """The exams that are kept, newest first, without their failed pairs, after those that run or failed. ``judge``: of
    the judge of this name only."""
    return await exams.listed(judge, limit, cursor)


@router.get("/{exam_id}")
async def exam(exam_id: str, exams: ExamsHere) -> ExamProgress:
    """An exam's progress or result."""
    return await exams.find(exam_id)


@router.get("/{exam_id}/report", response_class=HTMLResponse)
async def report(exam_id: str, exams: ExamsHere) -> HTMLResponse:
    """The result as a page: families with intervals, failing pairs, what to do, and other exams of this judge."""
    found = await exams.find(exam_id)
    if found.result is None:
        raise NotFound(f"The exam {exam_id!r} has no result yet: it is {found.status}.", remedy="Ask again later.")
    past = await exams.records.listed(judge=found.judge, limit=_PAST)
    return HTMLResponse(as_html(found.result, past.items), headers={"Content-Security-Policy": _POLICY})
