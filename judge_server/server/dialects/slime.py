"""The remote reward model of slime and miles.

Source: slime 624b824a8 and miles 31f1ca961, ``rollout/rm_hub/__init__.py`` (``remote_rm``): one sample a request; the
JSON response is the reward, as a number or, with ``--reward-key``, in an object.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from judge_server.server.dialects.chat_markup import PromptAndResponse, split_pair
from judge_server.server.dialects.envelope import open_label
from judge_server.server.dialects.failure_policy import RAISE, Profile
from judge_server.server.dialects.rewards import rewards_for, sampled, substituted_headers
from judge_server.server.dialects.trainer_request import (
    TrainerBody,
    TrainerOptions,
    TrainerRequest,
    bind,
    trainer_request,
)
from judge_server.server.service import StrictRoute

router = APIRouter(prefix="/trainers/slime", tags=["trainers"], route_class=StrictRoute)
PROFILE = Profile(
    dialect="slime",
    trainer="slime",
    bears=frozenset({"raise", "number"}),
    because="a reward of null crashes it",
    default=RAISE,
    patience_seconds=110.0,
)


class SlimeOptions(TrainerOptions):
    """``reward_key`` is the trainer's own ``--reward-key``."""

    reward_key: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$",
        description="Answer with an object that has the reward under this key, for the trainer's --reward-key.",
    )


class SlimeRequest(TrainerBody):
    """``prompt`` is text or messages; ``label`` is a reference or an envelope."""

    prompt: str | list[dict[str, Any]]
    response: str
    label: Any = None


@router.post("/{rubric:path}", summary="Reward for slime and miles", response_model=float | dict[str, float])
async def slime(
    request: Request, response: Response, rubric: str, body: SlimeRequest, options: Annotated[SlimeOptions, Query()]
) -> float | dict[str, float]:
    """Called by ``--rm-type remote_rm``. A failed judge is an error status, unless ``on_error`` is a number."""
    trainer = await trainer_request(request, PROFILE, rubric, options)
    (reward,) = await rewards_for(request, trainer, [sampled(_item, trainer, body)])
    response.headers.update(substituted_headers([reward]))
    if reward.judgment is not None:
        response.headers["X-Judge-Judgment"] = reward.judgment.id
    if options.reward_key is None:
        return reward.number
    return {"judge_failed": reward.failed, "judge_coverage": reward.coverage, options.reward_key: reward.number}


def _item(trainer: TrainerRequest, body: SlimeRequest) -> dict[str, Any]:
    if isinstance(body.prompt, str):
        exchange = split_pair(body.prompt, body.response)
    else:
        exchange = PromptAndResponse(body.prompt, split_pair("", body.response).response)
    return bind(trainer, exchange, open_label(body.label))
