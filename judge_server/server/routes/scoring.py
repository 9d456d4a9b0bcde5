"""POST /v1/score, /v1/score/batch."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import Field

from judge_server.core.caller import PriorityClass
from judge_server.core.coordinates import Coordinate
from judge_server.core.judgment import Judgment
from judge_server.core.model import Frozen
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.rubric import RubricOrName
from judge_server.core.submission import Submission
from judge_server.scoring.batch import require_store, score_batch
from judge_server.server.middleware.request_stream import while_connected
from judge_server.server.problems import failure_response
from judge_server.server.service import DeadlineHeader, ServiceHere, StrictRoute, require_submissions, terms

router = APIRouter(prefix="/v1/score", tags=["scoring"], route_class=StrictRoute)
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class ScoreRequest(Submission):
    """A submission with the deadline and priority of its judgment."""

    deadline_seconds: Seconds | None = None
    priority: PriorityClass | None = None

    @property
    def submission(self) -> Submission:
        """What is judged and stored, without the terms of the request."""
        given = {name: value for name, value in self if name in Submission.model_fields}
        return Submission.model_construct(self.model_fields_set & given.keys(), **given)


class BatchRequest(Frozen):
    """``items`` are submissions, each validated separately; ``rubric`` and ``judge`` apply to items that name none."""

    items: list[Any] = Field(
        description="Submissions.", json_schema_extra={"items": {"$ref": "#/components/schemas/Submission"}}
    )
    rubric: RubricOrName | None = None
    judge: Coordinate | None = None
    deadline_seconds: Seconds | None = None
    priority: PriorityClass | None = None


class BatchResponse(Frozen):
    """In the order of the items. A reward is null exactly if its result has an error."""

    results: list[Judgment]
    rewards: list[float | None]


@router.post("", response_model=Judgment)
async def score(
    request: Request, body: ScoreRequest, service: ServiceHere, deadline: DeadlineHeader = None
) -> Response:
    """One submission → one judgment. If the judge failed on everything: 502, 503 or 504 with a problem document."""
    conditions = terms(service, body.deadline_seconds, deadline, body.priority)
    with service.scorer.admission.admit(1, conditions.priority, conditions.deadline):
        judgment = await while_connected(request, service.scorer.score(body.submission, conditions))
    return failure_response(judgment) if judgment.status is JudgmentStatus.FAILED else _json(judgment.model_dump_json())


@router.post("/batch", response_model=BatchResponse)
async def batch(
    request: Request, body: BatchRequest, service: ServiceHere, deadline: DeadlineHeader = None
) -> Response:
    """Many submissions → judgments in order. A bad item gives an error in its place; the status stays 200."""
    require_submissions(service, len(body.items), "items")
    conditions = terms(service, body.deadline_seconds, deadline, body.priority)
    defaults = {"rubric": body.rubric, "judge": body.judge}
    with service.scorer.admission.admit(len(body.items), conditions.priority, conditions.deadline):
        judgments = await while_connected(request, score_batch(service.scorer, body.items, conditions, defaults))
    require_store(judgments)
    return _json(results_json(judgments) + "}")


def results_json(judgments: Sequence[Judgment], rewards: Sequence[float | None] | None = None) -> str:
    """A JSON object without its closing brace, so that callers can add members; judgments are serialized once, by
    pydantic. ``rewards``: by default the judgments' own."""
    given = [judgment.reward for judgment in judgments] if rewards is None else rewards
    results = ",".join(judgment.model_dump_json() for judgment in judgments)
    listed = ",".join("null" if reward is None else repr(reward) for reward in given)
    return f'{{"results":[{results}],"rewards":[{listed}]'


def _json(content: str) -> Response:
    return Response(content, media_type="application/json")
