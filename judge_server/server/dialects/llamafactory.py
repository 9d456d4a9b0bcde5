"""LLaMA-Factory's reward model behind an API, for PPO.

Source: llamafactory 0.9.3, ``train/ppo/ppo_utils.py`` (``get_rewards_from_server``) and ``train/ppo/trainer.py``.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from judge_server.core.model import Frozen
from judge_server.server.dialects.asking import Asking, Wishes, asked
from judge_server.server.dialects.binding import bound
from judge_server.server.dialects.chat_markup import WhichTurn, exchange_in
from judge_server.server.dialects.envelope import EMPTY
from judge_server.server.dialects.failure_policy import Profile
from judge_server.server.dialects.foreign import Foreign
from judge_server.server.dialects.rewarding import rewards_for, sampled, substituted_headers
from judge_server.server.strict_json import StrictRoute

router = APIRouter(prefix="/trainers/llamafactory", tags=["trainers"], route_class=StrictRoute)
PROFILE = Profile(
    dialect="llamafactory",
    trainer="LLaMA-Factory",
    bears=frozenset({"number"}),
    because="it reads the scores out of every answer without a look at the status, and ends with KeyError: 'scores'",
)


class TextWishes(Wishes):
    """How prompt and response are told apart in one decoded text."""

    turn: WhichTurn = Field(
        default="first",
        description="Which assistant's turn begins the response; last believes the policy, and is for prompts with "
        "earlier answers in them.",
    )
    answer_after: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="The text in front of the response, for templates without known markup.",
    )


class LlamaFactoryRequest(Foreign):
    """``messages`` are prompts with their responses, decoded with their special tokens."""

    model: str | None = None
    messages: tuple[str, ...]


class LlamaFactoryResponse(Frozen):
    """In the order of the messages."""

    scores: list[float]


@router.post("/{rubric:path}", summary="Rewards for LLaMA-Factory", response_model=LlamaFactoryResponse)
async def llamafactory(
    request: Request, response: Response, rubric: str, body: LlamaFactoryRequest, wishes: Annotated[TextWishes, Query()]
) -> LlamaFactoryResponse:
    """What ``reward_model_type: api`` asks. Finite numbers with status 200, so ``on_error`` has to be a number."""
    asking = await asked(request, PROFILE, rubric, wishes)
    samples = [sampled(text_item, asking, wishes, text) for text in body.messages]
    rewards = await rewards_for(request, asking, samples)
    response.headers.update(substituted_headers(rewards))
    return LlamaFactoryResponse(scores=[reward.number for reward in rewards])


def text_item(asking: Asking, wishes: TextWishes, text: str) -> dict[str, Any]:
    """The submission in one decoded text. Raises UnsplitText or UnboundRubric."""
    return bound(asking, exchange_in(text, wishes.turn, wishes.answer_after), EMPTY)
