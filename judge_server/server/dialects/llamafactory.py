"""LLaMA-Factory's reward model behind an API, for PPO.

Source: llamafactory 0.9.3, ``train/ppo/ppo_utils.py`` (``get_rewards_from_server``) and ``train/ppo/trainer.py``.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from judge_server.core.model import Frozen
from judge_server.server.dialects.chat_markup import WhichTurn, split_text
from judge_server.server.dialects.envelope import EMPTY
from judge_server.server.dialects.failure_policy import Profile
from judge_server.server.dialects.rewards import rewards_for, sampled, substituted_headers
from judge_server.server.dialects.trainer_request import (
    TrainerBody,
    TrainerOptions,
    TrainerRequest,
    bind,
    trainer_request,
)
from judge_server.server.service import StrictRoute

router = APIRouter(prefix="/trainers/llamafactory", tags=["trainers"], route_class=StrictRoute)
PROFILE = Profile(
    dialect="llamafactory",
    trainer="LLaMA-Factory",
    bears=frozenset({"number"}),
    because="it reads the scores without checking the status, and ends with KeyError: 'scores'",
)


class TextOptions(TrainerOptions):
    """How one decoded text is split into prompt and response."""

    turn: WhichTurn = Field(
        default="first",
        description="Which assistant turn begins the response. last is for prompts with earlier answers in them; "
        "a policy that writes headers can then move the beginning of its response.",
    )
    answer_after: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="The text in front of the response, for templates without known markup.",
    )


class LlamaFactoryRequest(TrainerBody):
    """``messages`` are prompts with their responses, decoded with their special tokens."""

    model: str | None = None
    messages: tuple[str, ...]


class LlamaFactoryResponse(Frozen):
    """In the order of the messages."""

    scores: list[float]


@router.post("/{rubric:path}", summary="Rewards for LLaMA-Factory", response_model=LlamaFactoryResponse)
async def llamafactory(
    request: Request,
    response: Response,
    rubric: str,
    body: LlamaFactoryRequest,
    options: Annotated[TextOptions, Query()],
) -> LlamaFactoryResponse:
    """Called by ``reward_model_type: api``. It needs finite numbers with status 200, so ``on_error`` must be a
    number."""
    trainer = await trainer_request(request, PROFILE, rubric, options)
    samples = [sampled(text_item, trainer, options, text) for text in body.messages]
    rewards = await rewards_for(request, trainer, samples)
    response.headers.update(substituted_headers(rewards))
    return LlamaFactoryResponse(scores=[reward.number for reward in rewards])


def text_item(trainer: TrainerRequest, options: TextOptions, text: str) -> dict[str, Any]:
    """The submission in one decoded text. Raises UnsplitText or UnboundRubric."""
    return bind(trainer, split_text(text, options.turn, options.answer_after), EMPTY)
