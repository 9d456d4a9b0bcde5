"""POST /v1/score/group."""

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from pydantic import BeforeValidator, Field, model_validator

from judge_server.core.caller import PriorityClass
from judge_server.core.coordinates import MOST_TAGS, Coordinate, Tag
from judge_server.core.model import Flag, Frozen
from judge_server.core.rubric import RubricOrName
from judge_server.core.submission import Conversation
from judge_server.core.verdict import Failure
from judge_server.judging.relative.comparison import RelativeOptions
from judge_server.scoring.batch import require_store
from judge_server.scoring.group.cohort import Times
from judge_server.scoring.group.evaluation import CohortOptions
from judge_server.scoring.group.groups import GroupScores, GroupTask
from judge_server.scoring.group.report import GroupReport
from judge_server.server.middleware.request_stream import while_connected
from judge_server.server.routes.scoring import BatchResponse, Seconds, results_json
from judge_server.server.service import (
    DeadlineHeader,
    ServiceHere,
    StrictRoute,
    require_ever_admitted,
    require_items,
    require_submissions,
    terms,
)
from judge_server.settings.settings import Settings

router = APIRouter(prefix="/v1/score", tags=["scoring"], route_class=StrictRoute)


def _options(given: Any) -> Any:
    """``true`` is short for the defaults."""
    return (RelativeOptions() if given else None) if isinstance(given, bool) else given


Relative = Annotated[
    RelativeOptions | None, BeforeValidator(_options, json_schema_input_type=bool | RelativeOptions | None)
]


class GroupRequest(Frozen):
    """Rollouts of one prompt, or some of them: then ``expected`` says how many there are."""

    prompt: str | Conversation
    responses: list[Any]
    ids: list[Coordinate | None] | None = None
    rubric: RubricOrName | None = None
    reference: str | None = None
    facts: dict[str, Any] = Field(default_factory=dict)
    judge: Coordinate | None = None
    run: Coordinate | None = None
    group: Coordinate | None = None
    step: int | None = Field(default=None, ge=0)
    policy: Coordinate | None = None
    tags: tuple[Tag, ...] = Field(default=(), max_length=MOST_TAGS)
    explain: bool = False
    advantages: Flag | Literal["grpo", "dr_grpo", "rloo"] = False
    relative: Relative = None
    expected: int | None = Field(default=None, ge=1)
    min_cohort: int = Field(default=1, ge=1)
    collection_seconds: Seconds | None = None
    evaluation_seconds: Seconds | None = None
    deadline_seconds: Seconds | None = None
    priority: PriorityClass | None = None

    @model_validator(mode="after")
    def _consistent(self) -> "GroupRequest":
        if self.ids is not None and len(self.ids) != len(self.responses):
            raise ValueError(f"ids: {len(self.ids)} ids for {len(self.responses)} responses; give one, or null, each")
        if self.expected is None:
            if self.collection_seconds is not None:
                raise ValueError("collection_seconds: needs expected, the size of the group")
        elif self.group is None:
            raise ValueError("group: members are collected by their group; set group together with expected")
        elif len(self.responses) > self.expected:
            raise ValueError(f"responses: {len(self.responses)} are more than the {self.expected} of expected")
        size = self.expected or len(self.responses)
        if self.min_cohort > max(size, 1):
            raise ValueError(f"min_cohort: {self.min_cohort} is more than the {size} members of the whole group")
        return self

    def task(self, settings: Settings) -> GroupTask:
        shared = self.model_dump(
            include={"prompt", "reference", "facts", "run", "group", "step", "policy", "tags", "explain"},
            exclude_defaults=True,
            mode="json",
        )
        names = self.ids or [None] * len(self.responses)
        return GroupTask(
            items=[
                {**shared, "response": response} | ({} if name is None else {"id": name})
                for response, name in zip(self.responses, names, strict=True)
            ],
            wanted=CohortOptions(
                defaults={"rubric": self.rubric, "judge": self.judge},
                relative=self.relative,
                expected=self.expected or len(self.responses),
                minimum=self.min_cohort,
            ),
            times=Times(
                self.collection_seconds or settings.default_collection_seconds,
                self.evaluation_seconds or (settings.default_deadline_seconds if self.expected else None),
            ),
            collect=self.expected is not None,
            advantages="grpo" if self.advantages is True else self.advantages or None,
        )


class GroupResponse(BatchResponse):
    """``errors``: the reason for each null reward; ``rewards`` are those of ``results``, or relative ones."""

    errors: list[Failure | None]
    group: GroupReport


@router.post("/group", response_model=GroupResponse)
async def group(
    request: Request, body: GroupRequest, service: ServiceHere, deadline: DeadlineHeader = None
) -> Response:
    """Rollouts of one prompt → judgments, rewards and their statistics."""
    require_items(body.expected or 1, service.settings.max_batch_items, "expected")
    require_submissions(service, len(body.responses), "responses")
    task = body.task(service.settings)
    conditions = terms(service, body.deadline_seconds, deadline, body.priority)
    if task.collect and not (body.deadline_seconds or deadline):
        conditions = replace(conditions, deadline=None)  # the two deadlines of the cohort bound the wait
    admission = service.scorer.admission
    if task.collect:
        require_ever_admitted(body.expected or 1, "expected")
        with admission.waiting(len(task.items), conditions.priority):
            scores = await while_connected(request, service.groups.score(task, conditions))
    else:
        with admission.admit(len(task.items), conditions.priority, conditions.deadline):
            scores = await while_connected(request, service.groups.score(task, conditions))
    require_store(scores.judgments)
    return Response(_json(scores), media_type="application/json")


def _json(scores: GroupScores) -> str:
    rewards = [None if isinstance(outcome, Failure) else outcome for outcome in scores.outcomes]
    errors = ",".join(
        outcome.model_dump_json() if isinstance(outcome, Failure) else "null" for outcome in scores.outcomes
    )
    return f'{results_json(scores.judgments, rewards)},"errors":[{errors}],"group":{scores.report.model_dump_json()}}}'
