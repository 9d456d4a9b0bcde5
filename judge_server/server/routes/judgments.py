"""GET /v1/judgments, GET /v1/judgments/{id}, POST /v1/rescore."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from judge_server.core.errors import BadInput, UnknownJudgment
from judge_server.core.judgment import Judgment
from judge_server.core.model import Frozen
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Submission
from judge_server.core.verdict import Failure
from judge_server.scoring.rescore import Rescored, rescore
from judge_server.server.service import ServiceHere, StrictRoute, require_items, viewer
from judge_server.util.parsing import writable


def _as_written(given: Any) -> Any:
    """Refuses bare numbers, which pydantic would read as seconds."""
    if isinstance(given, str) and "-" not in given[1:]:
        raise ValueError("write a time such as 2026-01-31T08:00:00Z")
    return given


router = APIRouter(prefix="/v1", tags=["judgments"], route_class=StrictRoute)
Moment = Annotated[AwareDatetime, BeforeValidator(_as_written)]
Text = Annotated[str | None, Field(max_length=400)]


class JudgmentWithSubmission(Judgment):
    """A judgment with its submission."""

    submitted: Submission | None = None


class JudgmentPage(Frozen):
    """Newest first; ``next_cursor`` asks for the page after this one."""

    judgments: list[JudgmentWithSubmission] | list[Judgment]
    next_cursor: str | None = None


class JudgmentQuery(Frozen):
    """``rubric`` is an id, id@version or digest; ``since`` is included, ``until`` is not; ``reward_from``
    (included) and ``reward_below`` (not) leave out judgments without a reward; ``flag`` is one of the guard's; ``q``
    stands in the prompt, the response or the reference, whatever its case;
    ``include=text`` adds the submissions."""

    rubric: Text = None
    judge: Text = None
    since: Moment | None = None
    until: Moment | None = None
    run: Text = None
    step: int | None = Field(default=None, ge=0, lt=2**63)
    group: Text = None
    policy: Text = None
    status: JudgmentStatus | None = None
    flag: Text = None
    reward_from: float | None = Field(default=None, allow_inf_nan=False)
    reward_below: float | None = Field(default=None, allow_inf_nan=False)
    tag: Text = None
    text: Annotated[str | None, Field(alias="q", min_length=2, max_length=400)] = None
    include: Literal["text"] | None = None
    limit: int = Field(default=100, ge=1, le=1_000)
    cursor: Text = None


@router.get("/judgments", response_model=JudgmentPage)
async def judgments(service: ServiceHere, query: Annotated[JudgmentQuery, Query()]) -> Response:
    """Stored judgments, newest first: the key's own, or all (scope `read_all`).

    With ``q`` a page may hold fewer than ``limit`` although ``next_cursor`` is given: follow it until it is null."""
    wanted = {name: value for name, value in query if name != "include"}
    page = await service.store.judgments(**wanted, caller=viewer(service))
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
