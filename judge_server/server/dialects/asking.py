"""What the URL of a trainer's route says, checked before anything is judged.

A mistake in the URL (an unknown rubric or judge, a policy that the trainer cannot bear) is an error of the request and
never a reward: it shows at the first step of a run, while somebody still looks.
"""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from fastapi import Request
from pydantic import Field

from judge_server.core.errors import Draining, JudgeServerError, Overloaded
from judge_server.core.model import Frozen
from judge_server.core.submission import Coordinate
from judge_server.judging.answer import Terms
from judge_server.server.dialects.failure_policy import FailurePolicy, Profile
from judge_server.server.dialects.prompt_table import PromptTable
from judge_server.server.dialects.substitution import Substitutions
from judge_server.server.service import service_of, terms
from judge_server.wiring.service import Service

BY_SAMPLE = "-"
_LOOK_AGAIN_SECONDS = 0.2


class Wishes(Frozen):
    """The query of a trainer's route; an unknown name is refused, so that ``on_eror`` never goes unnoticed."""

    on_error: str | None = Field(
        default=None, description="When the judge fails: raise, drop, or the number to answer in place of the reward."
    )
    judge: Coordinate | None = Field(default=None, description="A configured judge.")
    deadline_seconds: Annotated[float, Field(gt=0, le=86_400)] | None = Field(
        default=None, description="How long a judgment is worth waiting for; the trainer's own patience bounds it."
    )


@dataclass(frozen=True, slots=True)
class Asking:
    """One request of a trainer. ``rubric`` is None where each sample brings its own."""

    service: Service
    profile: Profile
    policy: FailurePolicy
    rubric: str | None
    judge: str | None
    terms: Terms
    table: PromptTable | None
    substitutions: Substitutions


async def asked(request: Request, profile: Profile, rubric: str, wishes: Wishes) -> Asking:
    """Raises BadInput, UnknownRubric, UnknownJudge or NotCalibrated for what no sample of the run could do with."""
    service = service_of(request)
    substitutions: Substitutions = request.app.state.substitutions
    try:
        policy = profile.policy(wishes.on_error)
        await _require_judgeable(service, rubric, wishes.judge)
    except JudgeServerError as fault:
        substitutions.refused(profile.dialect, fault)
        raise
    seconds = wishes.deadline_seconds or service.settings.default_deadline_seconds or profile.patience_seconds
    if seconds is not None and profile.patience_seconds is not None:
        seconds = min(seconds, profile.patience_seconds)
    return Asking(
        service=service,
        profile=profile,
        policy=policy,
        rubric=None if rubric == BY_SAMPLE else rubric,
        judge=wishes.judge,
        terms=terms(service, seconds, None, None, "training"),
        table=request.app.state.prompt_table,
        substitutions=substitutions,
    )


async def _require_judgeable(service: Service, rubric: str, judge: str | None) -> None:
    known = service.judge_registry.named(judge)
    if rubric != BY_SAMPLE:
        service.calibration_state.certification.require(known.reference, await service.rubric_registry.get(rubric))


async def room_for(asking: Asking, submissions: int) -> Overloaded | None:
    """Waits for room where the trainer cannot bear a 429, at most until the deadline; None when there is room.

    Raises Overloaded at once for a trainer that can be sent away, and Draining for all.
    """
    admission = asking.service.scorer.admission
    while True:
        try:
            admission.require_room(
                submissions, asking.terms.priority, asking.terms.deadline, waiting=asking.policy.kind != "raise"
            )
        except Draining:
            raise
        except Overloaded as fault:
            left = asking.terms.seconds_left
            if asking.policy.kind == "raise":
                raise
            if left is not None and left <= 0:
                return fault
            await asyncio.sleep(min(_LOOK_AGAIN_SECONDS, left if left is not None else _LOOK_AGAIN_SECONDS))
        else:
            return None
