"""POST /v1/score, /v1/score/batch, /v1/score/group."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from judge_server.core.judgment import Judgment
from judge_server.core.message import Conversation
from judge_server.core.model import Frozen
from judge_server.core.outcome import JudgmentStatus
from judge_server.core.rubric import Rubric
from judge_server.core.submission import Coordinate, Submission
from judge_server.scoring.batch import score_batch
from judge_server.scoring.group import GroupStatistics, group_statistics
from judge_server.server.failure import failure_response
from judge_server.server.service import DeadlineHeader, ServiceHere, require_items, terms, while_connected
from judge_server.server.strict_json import StrictRoute

router = APIRouter(prefix="/v1/score", tags=["scoring"], route_class=StrictRoute)
PriorityName = Literal["training", "interactive", "batch", "audit"]
Seconds = Annotated[float, Field(gt=0, le=86_400)]


class ScoreRequest(Submission):
    """A submission, and how long its judgment is worth waiting for."""

    deadline_seconds: Seconds | None = None
    priority: PriorityName | None = None

    @property
    def submission(self) -> Submission:
        """What is judged and remembered: the terms of a request are no part of it."""
        given = {name: value for name, value in self if name in Submission.model_fields}
        return Submission.model_construct(self.model_fields_set & given.keys(), **given)


class BatchRequest(Frozen):
    """``items`` are submissions, each checked on its own; ``rubric`` and ``judge`` hold for items that name none."""

    items: list[Any] = Field(
        description="Submissions.", json_schema_extra={"items": {"$ref": "#/components/schemas/Submission"}}
    )
    rubric: Rubric | str | None = None
    judge: Coordinate | None = None
    deadline_seconds: Seconds | None = None
    priority: PriorityName | None = None


class BatchResponse(Frozen):
    """In the order of the items. A reward is null exactly where its result says why."""

    results: list[Judgment]
    rewards: list[float | None]


class GroupRequest(Frozen):
    """Rollouts of one prompt."""

    prompt: str | Conversation
    responses: list[Any]
    rubric: Rubric | str | None = None
    reference: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict)
    judge: Coordinate | None = None
    group: Coordinate | None = None
    step: int | None = Field(default=None, ge=0)
    policy: Coordinate | None = None
    explain: bool = False
    advantages: bool = False
    deadline_seconds: Seconds | None = None
    priority: PriorityName | None = None


class GroupResponse(BatchResponse):
    group: GroupStatistics


@router.post("", response_model=Judgment)
async def score(
    request: Request, body: ScoreRequest, service: ServiceHere, deadline: DeadlineHeader = None
) -> Response:
    """One submission → one judgment. When the judge failed on everything: 502, 503 or 504 with a problem document."""
    service.scorer.admission.require_room()
    conditions = terms(service, body.deadline_seconds, deadline, body.priority)
    judgment = await while_connected(request, service.scorer.score(body.submission, conditions))
    return failure_response(judgment) if judgment.status is JudgmentStatus.FAILED else _json(judgment.model_dump_json())


@router.post("/batch", response_model=BatchResponse)
async def batch(
    request: Request, body: BatchRequest, service: ServiceHere, deadline: DeadlineHeader = None
) -> Response:
    """Many submissions → judgments in order. One bad item never spoils the others; the status stays 200."""
    require_items(len(body.items), service.settings.max_batch_items, "items")
    service.scorer.admission.require_room()
    conditions = terms(service, body.deadline_seconds, deadline, body.priority)
    defaults = {"rubric": body.rubric, "judge": body.judge}
    judgments = await while_connected(request, score_batch(service.scorer, body.items, conditions, defaults))
    return _json(_results(judgments) + "}")


@router.post("/group", response_model=GroupResponse)
async def group(
    request: Request, body: GroupRequest, service: ServiceHere, deadline: DeadlineHeader = None
) -> Response:
    """Rollouts of one prompt → judgments, rewards, and how they stand to each other."""
    require_items(len(body.responses), service.settings.max_batch_items, "responses")
    service.scorer.admission.require_room()
    conditions = terms(service, body.deadline_seconds, deadline, body.priority)
    shared = body.model_dump(
        include={"prompt", "reference", "facts", "group", "step", "policy", "explain"},
        exclude_defaults=True,
        mode="json",
    )
    items = [{**shared, "response": response} for response in body.responses]
    defaults = {"rubric": body.rubric, "judge": body.judge}
    judgments = await while_connected(request, score_batch(service.scorer, items, conditions, defaults))
    statistics = group_statistics([judgment.reward for judgment in judgments], advantages=body.advantages)
    return _json(f'{_results(judgments)},"group":{statistics.model_dump_json()}}}')


def _results(judgments: Sequence[Judgment]) -> str:
    """An object without its closing brace; judgments are written once, by pydantic."""
    results = ",".join(judgment.model_dump_json() for judgment in judgments)
    rewards = ",".join("null" if judgment.reward is None else repr(judgment.reward) for judgment in judgments)
    return f'{{"results":[{results}],"rewards":[{rewards}]'


def _json(content: str) -> Response:
    return Response(content, media_type="application/json")
