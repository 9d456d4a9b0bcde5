"""POST /v1/improvements, GET /v1/improvements and /v1/improvements/{id}, its files, and DELETE: better judges."""

import asyncio
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from judge_server.calibration.improvement import NO_LIMITS, Limits, Search
from judge_server.core.caller import current_caller
from judge_server.core.coordinates import Coordinate
from judge_server.core.errors import NotFound
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric
from judge_server.server.calibration_results import loaded
from judge_server.server.improvement_progress import ImprovementList, ImprovementProgress, ImprovementTerms
from judge_server.server.improvement_runs import ImprovementRuns
from judge_server.server.service import ServiceHere, StrictRoute

PATH: Final = "/v1/improvements"
router = APIRouter(prefix=PATH, tags=["calibration"], route_class=StrictRoute)
Count = Annotated[int, Field(ge=0, le=16)]
_TYPES: Final = {"html": "text/html", "md": "text/markdown", "json": "application/json", "csv": "text/csv"}
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; sandbox"


def _improvements(request: Request) -> ImprovementRuns:
    found: ImprovementRuns = request.app.state.improvements
    return found


ImprovementsHere = Annotated[ImprovementRuns, Depends(_improvements)]


class ImprovementRequest(Frozen):
    """``labels``: digest, id or id@version of a stored label set. ``proposer``: the judge whose model writes other
    wordings, asked once for a criterion, or as GEPA directs (``search``); ``second``: a stronger judge for at most
    ``second_share`` of the questions; ``tuned``: a judge with an adapter that was trained on the revise half of these
    labels. ``examples``: how many labelled examples to try with each question. ``positives``: the class that means met,
    by criterion. ``reason``: why the test split is read, if it was read before."""

    labels: str = Field(min_length=1, max_length=400)
    rubric: Rubric | str
    judge: Coordinate | None = None
    proposer: Coordinate | None = None
    second: Coordinate | None = None
    tuned: Coordinate | None = None
    second_share: float = Field(default=0.5, ge=0.01, le=1)
    examples: tuple[Count, ...] = Field(default=(4,), max_length=8)
    tries: int = Field(default=3, ge=1, le=10)
    search: Search = "once"
    seed: int = Field(default=0, ge=0, le=2**53)
    limits: Limits = NO_LIMITS
    positives: dict[str, str] = Field(default_factory=dict, max_length=200)
    reason: str = Field(default="", max_length=2_000)


@router.post("", status_code=202)
async def improve(
    body: ImprovementRequest, service: ServiceHere, improvements: ImprovementsHere
) -> ImprovementProgress:
    """Try to make a judge agree better with people, in the background, as ``calibrate improve`` does. Answers 202 at
    once; poll it for progress. It outlives the server's process."""
    rubric = await service.rubric_registry.get(body.rubric) if isinstance(body.rubric, str) else body.rubric
    await loaded("judge_server.server.improvement_work")
    from judge_server.calibration.gepa_search import require_search
    from judge_server.calibration.model_proposer import proposing
    from judge_server.calibration.tuning import require_trained_on_revise
    from judge_server.server.improvement_work import require_shown, stored_labels

    labels = await stored_labels(service.store, body.labels)
    judges = service.judge_registry
    judge = judges.named(body.judge).specification.name
    await require_shown(service, labels, rubric, judge, body.second, body.tuned, body.proposer)  # here, not later
    proposing(judges, body.proposer, labels, rubric)
    require_search(body.search, body.proposer)
    if body.tuned is not None:
        await asyncio.to_thread(require_trained_on_revise, judges.named(body.tuned).specification, labels, body.seed)
    caller = current_caller.get()
    terms = ImprovementTerms(
        **body.model_dump(exclude={"rubric", "judge", "limits"}),
        rubric=rubric,
        limits=body.limits,
        judge=judge,
        digest=labels.digest,
        caller=caller.name,
        judges=caller.allowance.judges,
    )
    return await improvements.begin(terms)


@router.get("")
async def listing(
    improvements: ImprovementsHere,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    cursor: Annotated[str | None, Query(max_length=1_000)] = None,
) -> ImprovementList:
    """All improvements, newest first."""
    return await improvements.listed(limit, cursor)


@router.get("/{improvement_id}")
async def improvement(improvement_id: str, improvements: ImprovementsHere) -> ImprovementProgress:
    """How far it is: what the labels can show, the rungs so far, what was spent; in the end the result."""
    return await improvements.find(improvement_id)


@router.delete("/{improvement_id}")
async def cancel(improvement_id: str, improvements: ImprovementsHere) -> ImprovementProgress:
    """End it. Answers that were given stay remembered; one that is over does not change."""
    return await improvements.cancel(improvement_id)


@router.get("/{improvement_id}/files/{file_name}", response_class=Response)
async def file(improvement_id: str, file_name: str, service: ServiceHere, improvements: ImprovementsHere) -> Response:
    """A file of the result: the report (``improvement.html``, ``.md``, ``.json``), the drafted ``rubric.yaml``, and
    ``judge.toml`` with the labels of its examples."""
    found = await improvements.find(improvement_id)
    files = await improvements.files_of(improvement_id)
    if file_name not in files and found.result is not None:
        await loaded("judge_server.server.improvement_work")
        from judge_server.server.improvement_work import example_files

        files = await example_files(service.store, await improvements.terms_of(improvement_id), found.result)
    if file_name not in files:
        raise NotFound(
            f"The improvement {improvement_id[:60]!r} has no file {file_name[:60]!r}: it is {found.status}.",
            remedy=f"It has {', '.join(found.files) or 'none yet'}.",
        )
    kind = _TYPES.get(file_name.rpartition(".")[2], "text/plain")
    headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
    return Response(files[file_name], media_type=f"{kind}; charset=utf-8", headers=headers)
