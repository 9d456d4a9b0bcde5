"""The remote reward model of slime and miles.

Source: slime 624b824a8 and miles 31f1ca961, ``rollout/rm_hub/__init__.py`` (``remote_rm``): one sample a request, and
the JSON that comes back is the reward: a number, or with ``--reward-key`` an object.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from judge_server.server.dialects.asking import Asking, Wishes, asked
from judge_server.server.dialects.binding import bound
from judge_server.server.dialects.chat_markup import Exchange, exchange_of
from judge_server.server.dialects.envelope import open_label
from judge_server.server.dialects.failure_policy import RAISE, Profile
from judge_server.server.dialects.foreign import Foreign
from judge_server.server.dialects.rewarding import rewards_for, sampled, substituted_headers
from judge_server.server.strict_json import StrictRoute

router = APIRouter(prefix="/trainers/slime", tags=["trainers"], route_class=StrictRoute)
PROFILE = Profile(
    dialect="slime",
    trainer="slime",
    bears=frozenset({"raise", "number"}),
    because="a reward of null crashes it",
    default=RAISE,
    patience_seconds=110.0,
)


class SlimeWishes(Wishes):
    """``reward_key`` is the trainer's own ``--reward-key``."""

    reward_key: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$",
        description="Answers an object with the reward under this key, as --reward-key of the trainer reads it.",
    )


class SlimeRequest(Foreign):
    """``prompt`` is text or messages; ``label`` is a reference or an envelope."""

    prompt: str | list[dict[str, Any]]
    response: str
    label: Any = None


@router.post("/{rubric:path}", summary="Reward for slime and miles", response_model=float | dict[str, float])
async def slime(
    request: Request, response: Response, rubric: str, body: SlimeRequest, wishes: Annotated[SlimeWishes, Query()]
) -> float | dict[str, float]:
    """What ``--rm-type remote_rm`` asks. A failed judge is an error status, unless ``on_error`` is a number."""
    asking = await asked(request, PROFILE, rubric, wishes)
    (reward,) = await rewards_for(request, asking, [sampled(_item, asking, body)])
    response.headers.update(substituted_headers([reward]))
    if wishes.reward_key is None:
        return reward.number
    return {"judge_failed": reward.failed, "judge_coverage": reward.coverage, wishes.reward_key: reward.number}


def _item(asking: Asking, body: SlimeRequest) -> dict[str, Any]:
    if isinstance(body.prompt, str):
        exchange = exchange_of(body.prompt, body.response)
    else:
        exchange = Exchange(body.prompt, exchange_of("", body.response).response)
    return bound(asking, exchange, open_label(body.label))
