"""Reward models behind ``/classify``.

Sources: vllm 0.32, ``entrypoints/pooling/classify/protocol.py``; SGLang's native ``/classify``, whose request has
``text`` and whose answer is a list of embeddings with the score in them.
"""

import time
from typing import Annotated, Any, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, model_validator

from judge_server.core.errors import BadSubmission
from judge_server.core.model import Frozen
from judge_server.server.dialects.chat_markup import PromptAndResponse
from judge_server.server.dialects.envelope import EMPTY
from judge_server.server.dialects.failure_policy import RAISE, Profile
from judge_server.server.dialects.llamafactory import TextOptions, text_item
from judge_server.server.dialects.rewards import Reward, rewards_for, sampled, substituted_headers
from judge_server.server.dialects.trainer_request import Sample, TrainerBody, TrainerRequest, bind, trainer_request
from judge_server.server.middleware.headers import request_id_of
from judge_server.server.service import StrictRoute, require_items
from judge_server.util.parsing import writable

router = APIRouter(prefix="/trainers/classify", tags=["trainers"], route_class=StrictRoute)
PROFILE = Profile(
    dialect="classify",
    trainer="a client of /classify",
    bears=frozenset({"raise", "number"}),
    because="it reads the first number of probs",
    default=RAISE,
)
LABEL, SUBSTITUTED = "reward", "judge_failed"
Texts = str | tuple[str, ...]


class ClassifyRequest(TrainerBody):
    """One of ``input`` (vLLM), ``text`` (SGLang): decoded texts with prompt and response, or ``messages``."""

    model: str = ""
    input: Texts | None = None
    text: Texts | None = None
    messages: list[dict[str, Any]] | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if sum(given is not None for given in (self.input, self.text, self.messages)) != 1:
            raise ValueError("give one of input, text and messages")
        return self

    @property
    def texts(self) -> tuple[str, ...]:
        given = self.input if self.input is not None else self.text
        return (given,) if isinstance(given, str) else given or ()


class Classified(Frozen):
    """``probs`` holds the reward only; ``label`` is ``judge_failed`` if a substitute number is in its place."""

    index: int
    label: str
    probs: list[float]
    num_classes: int = 1


class ClassifyUsage(Frozen):
    """Tokens of the judge's calls."""

    prompt_tokens: int
    total_tokens: int
    completion_tokens: int


class ClassifyResponse(Frozen):
    id: str
    object: str = "list"
    created: int
    model: str
    data: list[Classified]
    usage: ClassifyUsage


class SglangReward(Frozen):
    """``embedding`` holds the reward only."""

    embedding: list[float]
    meta_info: dict[str, Any] = Field(default_factory=dict)


@router.post(
    "/{rubric:path}/classify", summary="Rewards as a reward model", response_model=ClassifyResponse | list[SglangReward]
)
async def classify(
    request: Request, response: Response, rubric: str, body: ClassifyRequest, options: Annotated[TextOptions, Query()]
) -> ClassifyResponse | list[SglangReward]:
    """The response of a reward model of vLLM or SGLang. A failed judge is an error status of the whole request."""
    trainer = await trainer_request(request, PROFILE, rubric, options)
    if body.texts:  # before each of them is read
        require_items(len(body.texts), trainer.service.settings.max_batch_items, "the samples")
    samples: list[Sample] = [sampled(text_item, trainer, options, text) for text in body.texts]
    if body.messages is not None:
        samples = [sampled(_item, trainer, body.messages)]
    rewards = await rewards_for(request, trainer, samples)
    response.headers.update(substituted_headers(rewards))
    if body.text is not None:
        return [
            SglangReward(embedding=[reward.number], meta_info={"judge_failed": reward.failed}) for reward in rewards
        ]
    return _answer(request_id_of(request.scope), body.model, rewards)


def _item(trainer: TrainerRequest, messages: list[dict[str, Any]]) -> dict[str, Any]:
    """The response is what assistant and tools say after the last message of another role."""
    spoke = [place for place, message in enumerate(messages) if message.get("role") not in ("assistant", "tool")]
    last = spoke[-1] + 1 if spoke else 0
    if not messages[last:]:
        raise BadSubmission(
            "messages: the last message is not the assistant's.",
            remedy="End messages with the response to judge.",
        )
    return bind(trainer, PromptAndResponse(messages[:last], messages[last:]), EMPTY)


def _answer(request_id: str, model: str, rewards: list[Reward]) -> ClassifyResponse:
    usages = [reward.judgment.usage for reward in rewards if reward.judgment]
    prompt, completion = sum(used.prompt_tokens for used in usages), sum(used.completion_tokens for used in usages)
    return ClassifyResponse(
        id=f"classify-{request_id}",
        created=int(time.time()),
        model=writable(model),
        data=[
            Classified(index=place, label=SUBSTITUTED if reward.fault else LABEL, probs=[reward.number])
            for place, reward in enumerate(rewards)
        ],
        usage=ClassifyUsage(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion),
    )
