"""POST /v1/fine_tuning/alpha/graders/run and /validate: graders in OpenAI's format.

The format has no place for a missing reward. A sample without one is answered with a problem document that carries the
format's error flags, or with the number that the caller chose in ``on_error``.
"""

import time
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator, Field

from judge_server.core.errors import JudgeFailure
from judge_server.core.grader import Grader
from judge_server.core.judgment import Usage
from judge_server.core.model import Frozen
from judge_server.scoring.graders.grade import Grade, GraderFault
from judge_server.scoring.graders.grader_input import GraderInput
from judge_server.server.dialects.failure_policy import RAISE, FailurePolicy, Profile
from judge_server.server.middleware.request_stream import while_connected
from judge_server.server.problems import failure_problem
from judge_server.server.service import DeadlineHeader, ServiceHere, StrictRoute, terms
from judge_server.util.canonical import JsonObject, encodable

router = APIRouter(prefix="/v1/fine_tuning/alpha/graders", tags=["graders"], route_class=StrictRoute)
_PROFILE = Profile(
    dialect="openai_graders",
    trainer="a client of graders",
    bears=frozenset({"raise", "number"}),
    because="a reward in this shape is a number",
    default=RAISE,
)
OnError = Annotated[
    str | None, Query(max_length=40, description="raise (the default), or the reward in place of a missing one.")
]


class RunRequest(Frozen):
    """``item`` is the row of the data set that placeholders refer to."""

    grader: Grader
    model_sample: Annotated[str, AfterValidator(encodable)]
    item: JsonObject = Field(default_factory=dict)


class ValidateRequest(Frozen):
    grader: Grader


class Errors(Frozen):
    """Which errors a run had, with details in three texts."""

    formula_parse_error: bool = False
    sample_parse_error: bool = False
    truncated_observation_error: bool = False
    unresponsive_reward_error: bool = False
    invalid_variable_error: bool = False
    other_error: bool = False
    python_grader_server_error: bool = False
    python_grader_server_error_type: str | None = None
    python_grader_runtime_error: bool = False
    python_grader_runtime_error_details: str | None = None
    model_grader_server_error: bool = False
    model_grader_refusal_error: bool = False
    model_grader_parse_error: bool = False
    model_grader_server_error_details: str | None = None


class Metadata(Frozen):
    """``scores``: of a multi grader's parts by key (null where one failed), or the share of each label. ``flags``: what
    the guard saw in the sample; with ``degenerate`` or ``vetoed`` no judge was asked."""

    name: str
    type: str
    execution_time: float
    scores: dict[str, float | None]
    token_usage: int | None
    sampled_model_name: str | None
    errors: Errors
    flags: tuple[str, ...]


class GraderTokenUsage(Frozen):
    prompt_tokens: int
    total_tokens: int
    completion_tokens: int
    cached_tokens: int


class RunResponse(Frozen):
    """``reward`` is the grade if no error is set, else the caller's ``on_error``."""

    reward: float
    sub_rewards: dict[str, float | None]
    model_grader_token_usage_per_model: dict[str, GraderTokenUsage]
    metadata: Metadata


class ValidateResponse(Frozen):
    grader: Grader


@router.post("/run", response_model=RunResponse)
async def run(
    request: Request,
    body: RunRequest,
    service: ServiceHere,
    on_error: OnError = None,
    deadline: DeadlineHeader = None,
) -> Response:
    """One sample → one reward. Without a reward: a problem document, or 200 with the number of ``on_error``."""
    policy = _PROFILE.policy(on_error)
    started = time.monotonic()
    material = GraderInput(body.model_sample, body.item)
    conditions = terms(service, None, deadline, None)
    with service.scorer.admission.admit(1, conditions.priority, conditions.deadline):
        grade = await while_connected(request, service.graders.grade(body.grader, material, conditions))
    _count(request, body.grader, grade, policy)
    known, fault = _told(body.grader, grade, time.monotonic() - started), grade.fault
    if fault is None:
        return _json(RunResponse(reward=_score(grade.score), **known))
    if policy.number is not None:
        return _json(RunResponse(reward=policy.number, **known))
    result = {name: _plain(value) for name, value in known.items()}
    return failure_problem(fault.failure, fault.remedy, result=result)


@router.post("/validate", response_model=ValidateResponse)
async def validate(request: Request, body: ValidateRequest, service: ServiceHere) -> Response:
    """The grader as parsed; a problem document that names the fault if it cannot run on this server."""
    service.scorer.admission.require_room()
    await while_connected(request, service.graders.check(body.grader))
    return Response(
        ValidateResponse(grader=body.grader).model_dump_json(exclude_none=True), media_type="application/json"
    )


def _count(request: Request, grader: Grader, grade: Grade, policy: FailurePolicy) -> None:
    """Count the run in the metrics; log a substituted reward."""
    state, failure = request.app.state, grade.fault.failure if grade.fault else None
    substituted = policy.number is not None
    state.metrics.graded(grader.type, failure and failure.type, grade.usage.values(), substituted=substituted)
    if failure is not None and substituted:
        state.substitutions.tell(_PROFILE.dialect, failure.type, JudgeFailure(failure.detail), policy)


def _told(grader: Grader, grade: Grade, seconds: float) -> dict[str, Any]:
    """Every field of the response except the reward."""
    usage = {judge: _tokens(spent) for judge, spent in grade.usage.items()}
    metadata = Metadata(
        name=grader.name,
        type=grader.type,
        execution_time=seconds,
        scores=dict(grade.scores),
        token_usage=sum(spent.total_tokens for spent in usage.values()) if usage else None,
        sampled_model_name=grade.models[0] if len(grade.models) == 1 else None,
        errors=_errors(grade.every_fault),
        flags=grade.flags,
    )
    parts = dict(grade.scores) if grader.type == "multi" else {}
    return {"sub_rewards": parts, "model_grader_token_usage_per_model": usage, "metadata": metadata}


def _errors(faults: tuple[GraderFault, ...]) -> Errors:
    flags: dict[str, Any] = {flag: True for fault in faults for flag in fault.flags}
    for fault in faults:
        detail = fault.failure.detail
        if "python_grader_server_error" in fault.flags:
            flags["python_grader_server_error_type"] = fault.kind or fault.failure.type
        if "python_grader_runtime_error" in fault.flags:
            flags["python_grader_runtime_error_details"] = detail
        if any(flag.startswith("model_grader") for flag in fault.flags):
            flags["model_grader_server_error_details"] = detail
    return Errors(**flags)


def _tokens(usage: Usage) -> GraderTokenUsage:
    return GraderTokenUsage(
        prompt_tokens=usage.prompt_tokens,
        total_tokens=usage.prompt_tokens + usage.completion_tokens,
        completion_tokens=usage.completion_tokens,
        cached_tokens=usage.cached_tokens,
    )


def _score(score: float | None) -> float:
    if score is None:
        raise ValueError("a grade without a fault has a score")
    return score


def _plain(value: Any) -> Any:
    if isinstance(value, Frozen):
        return value.model_dump(mode="json")
    return {key: _plain(inner) for key, inner in value.items()} if isinstance(value, Mapping) else value


def _json(answer: RunResponse) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")
