"""GET /v1/judgments, GET /v1/judgments/{id}, POST /v1/rescore."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field, model_validator

from judge_server.core.errors import BadInput, UnknownJudgment
from judge_server.core.judgment import Judgment
from judge_server.core.judgment_filter import JudgmentFilter, Text
from judge_server.core.model import Frozen
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Failure
from judge_server.scoring.rescore import Rescored, rescore
from judge_server.server.service import ServiceHere, StrictRoute, require_items, viewer
from judge_server.util.parsing import writable

router = APIRouter(prefix="/v1", tags=["judgments"], route_class=StrictRoute)


class JudgmentWithSubmission(Judgment):
    """A judgment with its submission."""

    submitted: Submission | None = None


class JudgmentPage(Frozen):
    """Newest first; ``next_cursor`` asks for the page after this one."""

    judgments: list[JudgmentWithSubmission] | list[Judgment]
    next_cursor: str | None = None


class JudgmentQuery(JudgmentFilter):
    """``include=text`` adds the submissions."""

    include: Literal["text"] | None = None
    limit: int = Field(default=100, ge=1, le=1_000)
    cursor: Text = None


@router.get("/judgments", response_model=JudgmentPage)
async def judgments(service: ServiceHere, query: Annotated[JudgmentQuery, Query()]) -> Response:
    """Stored judgments, newest first: the key's own, or all (scope `read_all`).

    With ``q`` a page may hold fewer than ``limit`` although ``next_cursor`` is given: follow it until it is null."""
    page = await service.store.judgments(limit=query.limit, cursor=query.cursor, **query.wanted, caller=viewer(service))
    shown = JudgmentPage(judgments=list(page.items), next_cursor=page.next_cursor)
    if query.include == "text":
        whole = [await _with_submission(service, one) for one in page.items]
        shown = JudgmentPage(judgments=whole, next_cursor=page.next_cursor)
    return Response(shown.model_dump_json(), media_type="application/json")


@router.get("/judgments/{judgment_id}", response_model=JudgmentWithSubmission)
async def judgment(judgment_id: str, service: ServiceHere) -> Response:
    """One judgment with its submission."""
    whole = await _with_submission(service, await _stored(service, judgment_id))
    return Response(whole.model_dump_json(), media_type="application/json")


async def _with_submission(service: ServiceHere, found: Judgment) -> JudgmentWithSubmission:
    return JudgmentWithSubmission(**dict(found), submitted=await service.store.submission(found.id))


class RescoreRequest(Frozen):
    """``judgments``: ids. ``rubric``: a name, or a whole rubric with the same criteria and other points."""

    judgments: list[str] = Field(max_length=10_000)
    rubric: Rubric | str


class RescoreResult(Frozen):
    """Exactly one of ``rescored`` and ``error`` is given."""

    judgment: str
    rescored: Rescored | None = None
    error: Failure | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "RescoreResult":
        if (self.rescored is None) == (self.error is None):
            raise ValueError("give exactly one of rescored and error")
        return self


class RescoreResponse(Frozen):
    results: list[RescoreResult]


@router.post("/rescore")
async def rescore_stored(body: RescoreRequest, service: ServiceHere) -> RescoreResponse:
    """Aggregate stored verdicts under another rubric, without a model call. A judgment that cannot be rescored gives an
    error in its place."""
    require_items(len(body.judgments), 10_000, "judgments")
    rubric = await service.rubric_registry.get(body.rubric) if isinstance(body.rubric, str) else body.rubric
    return RescoreResponse(results=[await _rescored(service, one, rubric) for one in body.judgments])


async def _rescored(service: ServiceHere, judgment_id: str, rubric: Rubric) -> RescoreResult:
    try:
        found = await _stored(service, judgment_id)
        before = await service.store.rubric_by_digest(found.rubric.digest) if found.rubric else None
        return RescoreResult(judgment=judgment_id, rescored=rescore(found, rubric, before))
    except (BadInput, UnknownJudgment) as fault:
        return RescoreResult(judgment=writable(judgment_id), error=Failure(type=fault.type, detail=str(fault)))


async def _stored(service: ServiceHere, judgment_id: str) -> Judgment:
    found = await service.store.judgment(judgment_id, caller=viewer(service))
    if found is None:
        raise UnknownJudgment("No judgment is stored under this id.", remedy="List them with GET /v1/judgments.")
    return found
