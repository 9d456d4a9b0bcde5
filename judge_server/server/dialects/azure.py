"""The endpoint grader of Azure's reinforcement fine-tuning.

Source: microsoft-foundry/fine-tuning de257fc40, ``Demos/Agentic_RFT_PrivatePreview``: three tries, then the rollout is
discarded, whatever the error was; at most ten minutes and 1 MB.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from judge_server.core.errors import BadSubmission
from judge_server.core.model import Frozen
from judge_server.server.dialects.chat_markup import PromptAndResponse, Text
from judge_server.server.dialects.envelope import as_text, envelope_in_row
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

router = APIRouter(prefix="/trainers/azure", tags=["trainers"], route_class=StrictRoute)
PROFILE = Profile(
    dialect="azure",
    trainer="Azure's endpoint grader",
    bears=frozenset({"raise", "drop", "number"}),
    because="it wants a number in score",
    default=RAISE,
    patience_seconds=570.0,
    drops_on_error=True,
)
_MESSAGE_FIELDS = ("role", "content", "tool_calls", "reasoning_content", "refusal")


class AzureRequest(TrainerBody):
    """``sample`` is in the style of a chat completion, ``item`` the whole row of the data set."""

    sample: dict[str, Any]
    item: dict[str, Any]
    trace_id: str | None = Field(default=None, max_length=200)


class AzureResponse(Frozen):
    score: float


@router.post("/{rubric:path}", summary="Score for Azure's endpoint grader", response_model=AzureResponse)
async def azure(
    request: Request, response: Response, rubric: str, body: AzureRequest, options: Annotated[TrainerOptions, Query()]
) -> AzureResponse:
    """Called by a grader of type ``endpoint``. A failed judge is an error status; Azure then drops the rollout."""
    trainer = await trainer_request(request, PROFILE, rubric, options)
    (reward,) = await rewards_for(request, trainer, [sampled(_item, trainer, body)])
    response.headers.update(substituted_headers([reward]))
    return AzureResponse(score=reward.number)


def _item(trainer: TrainerRequest, body: AzureRequest) -> dict[str, Any]:
    prompt = body.item.get("messages") or body.item.get("prompt")
    if not isinstance(prompt, str | list):
        raise BadSubmission(
            "item: it has neither messages nor prompt.", remedy="Keep the messages in the rows of the data set."
        )
    row = {"reference": body.item.get("reference_answer"), **body.item}
    item = bind(trainer, PromptAndResponse(prompt, _response(body.sample)), envelope_in_row(row))
    return item | ({"id": body.trace_id} if body.trace_id else {})


def _response(sample: dict[str, Any]) -> Text:
    choices = sample.get("choices")
    message = (
        choices[0].get("message") if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
    )
    if isinstance(message, dict):
        return [{name: message[name] for name in _MESSAGE_FIELDS if message.get(name)} | {"role": "assistant"}]
    for name in ("output_text", "output_json"):
        if sample.get(name) is not None:
            return as_text(sample[name])
    raise BadSubmission(
        "sample: it has no choices, output_text or output_json.", remedy="Send the sample as Azure made it."
    )
