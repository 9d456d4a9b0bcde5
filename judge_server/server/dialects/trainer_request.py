"""A request of a trainer: the options in its URL, and its samples as submissions.

A mistake in the URL (an unknown rubric or judge, a failure policy that the trainer cannot handle) is an error of the
request and never a reward, so it shows at the first step of a run.
"""

import asyncio
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from judge_server.core.coordinates import MOST_TAGS, Coordinate, Tag
from judge_server.core.errors import BadInput, BadSubmission, Draining, JudgeServerError, Overloaded
from judge_server.core.model import Frozen
from judge_server.judging.answer import Terms
from judge_server.server.dialects.chat_markup import PromptAndResponse
from judge_server.server.dialects.envelope import EMPTY, Envelope
from judge_server.server.dialects.failure_policy import FailurePolicy, Profile, Substitutions
from judge_server.server.dialects.prompt_table import PromptTable
from judge_server.server.service import service_of, terms
from judge_server.wiring.service import Service

BY_SAMPLE = "-"
_LOOK_AGAIN_SECONDS = 0.2


Seconds = Annotated[float, Field(gt=0, le=86_400)]
_SECONDS: Final = TypeAdapter(Seconds)


class TrainerOptions(Frozen):
    """The query of a trainer's route. Unknown names are refused, so that a misspelt ``on_eror`` is noticed."""

    on_error: str | None = Field(
        default=None, description="When the judge fails: raise, drop, or the number to answer in place of the reward."
    )
    judge: Coordinate | None = Field(default=None, description="A configured judge.")
    run: Coordinate | None = Field(default=None, description="The name of the training run, kept with every judgment.")
    tag: tuple[Tag, ...] = Field(
        default=(), max_length=MOST_TAGS, description="Words by which the judgments are listed and erased; repeatable."
    )
    deadline_seconds: Seconds | None = Field(
        default=None, description="How long a judgment is worth waiting for; the trainer's own patience bounds it."
    )


@dataclass(frozen=True, slots=True)
class TrainerRequest:
    """One request of a trainer. ``rubric`` is None if each sample names its own."""

    service: Service
    profile: Profile
    policy: FailurePolicy
    rubric: str | None
    judge: str | None
    run: str | None
    tags: tuple[str, ...]
    terms: Terms
    table: PromptTable | None
    substitutions: Substitutions


async def trainer_request(request: Request, profile: Profile, rubric: str, options: TrainerOptions) -> TrainerRequest:
    """Check the URL. Raises BadInput, UnknownRubric, UnknownJudge or NotCalibrated: errors that would affect every
    sample of the run."""
    service = service_of(request)
    substitutions: Substitutions = request.app.state.substitutions
    try:
        policy = profile.policy(options.on_error)
        await _require_judgeable(service, rubric, options.judge)
    except JudgeServerError as fault:
        substitutions.refused(profile.dialect, fault)
        raise
    asked = options.deadline_seconds or _deadline_of(request)
    seconds = asked or service.settings.default_deadline_seconds or profile.patience_seconds
    if seconds is not None and profile.patience_seconds is not None:
        seconds = min(seconds, profile.patience_seconds)
    return TrainerRequest(
        service=service,
        profile=profile,
        policy=policy,
        rubric=None if rubric == BY_SAMPLE else rubric,
        judge=options.judge,
        run=options.run,
        tags=options.tag,
        terms=terms(service, seconds, None, None, "training"),
        table=request.app.state.prompt_table,
        substitutions=substitutions,
    )


def _deadline_of(request: Request) -> float | None:
    """Of the header, as on the other routes. Raises BadInput."""
    given = request.headers.get("deadline-seconds")
    if given is None:
        return None
    try:
        return _SECONDS.validate_python(given)
    except ValidationError:
        raise BadInput(
            "The header Deadline-Seconds is no number of seconds.", remedy="Send a number above 0, at most 86400."
        ) from None


async def _require_judgeable(service: Service, rubric: str, judge: str | None) -> None:
    known = service.judge_registry.named(judge)
    if rubric != BY_SAMPLE:
        service.calibration_state.certification.require(known.reference, await service.rubric_registry.get(rubric))


async def room_for(trainer: TrainerRequest, submissions: int) -> Overloaded | None:
    """Wait for room, until the deadline at most, if the trainer cannot handle a 429. None if there is room.

    Raises Overloaded at once for a trainer that can handle it, and Draining for all.
    """
    admission = trainer.service.scorer.admission
    while True:
        try:
            admission.require_room(
                submissions, trainer.terms.priority, trainer.terms.deadline, waiting=trainer.policy.kind != "raise"
            )
        except Draining:
            raise
        except Overloaded as fault:
            left = trainer.terms.seconds_left
            if trainer.policy.kind == "raise":
                raise
            if left is not None and left <= 0:
                return fault
            await asyncio.sleep(min(_LOOK_AGAIN_SECONDS, left if left is not None else _LOOK_AGAIN_SECONDS))
        else:
            return None


Sample = dict[str, Any] | JudgeServerError


def bind(trainer: TrainerRequest, exchange: PromptAndResponse, envelope: Envelope) -> dict[str, Any]:
    """The submission's data. The sample's envelope takes precedence over its row of the prompt table, and that over the
    URL; tags add up. The table is read only if the URL names no rubric. Raises UnboundRubric if none names a rubric."""
    row = trainer.table.find(exchange) if trainer.table and trainer.rubric is None else None
    row = row or EMPTY
    rubric = _first(envelope.rubric, row.rubric, trainer.rubric)
    if rubric is None:
        raise UnboundRubric(
            "The URL leaves the rubric to the sample, and neither its label nor the prompt table names one.",
            remedy='Put it into the label as {"rubric": …}, or add the prompt to the file of prompt_table.',
        )
    item = {
        "rubric": rubric,
        "prompt": _first(envelope.prompt, exchange.prompt),
        "response": exchange.response,
        "reference": _first(envelope.reference, row.reference),
        "facts": _first(envelope.facts, row.facts),
        "judge": _first(envelope.judge, row.judge, trainer.judge),
        "run": trainer.run,
        "tags": list(dict.fromkeys(trainer.tags + row.tags + envelope.tags)) or None,
    }
    return {name: value for name, value in item.items() if value is not None}


def _first(*given: Any) -> Any:
    return next((value for value in given if value is not None), None)


class TrainerBody(BaseModel):
    """A body in a trainer's own format. Unknown fields are ignored, because new releases add fields."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, hide_input_in_errors=True)


class UnboundRubric(BadSubmission):
    type, title = "unbound_rubric", "No rubric is bound to the sample"
