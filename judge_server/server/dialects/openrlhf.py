"""OpenRLHF's remote reward model.

Source: openrlhf 0.11.2, ``utils/agent.py`` (``SingleTurnAgentExecutor._fetch_rewards_via_http``).
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from judge_server.core.errors import BadInput
from judge_server.core.model import Frozen
from judge_server.server.dialects.asking import Asking, Wishes, asked
from judge_server.server.dialects.binding import bound
from judge_server.server.dialects.chat_markup import exchange_of
from judge_server.server.dialects.envelope import open_label
from judge_server.server.dialects.failure_policy import Profile
from judge_server.server.dialects.foreign import Foreign
from judge_server.server.dialects.prefix import response_after
from judge_server.server.dialects.rewarding import rewards_for, sampled, substituted_headers
from judge_server.server.strict_json import StrictRoute

router = APIRouter(prefix="/trainers/openrlhf", tags=["trainers"], route_class=StrictRoute)
PROFILE = Profile(
    dialect="openrlhf",
    trainer="OpenRLHF",
    bears=frozenset({"number"}),
    because="it asks five times, takes an error for a reward of None, and stops later without saying why",
    patience_seconds=170.0,
)


class OpenRlhfRequest(Foreign):
    """``query`` is prompt and response as one decoded text, with its special tokens."""

    query: tuple[str, ...]
    prompts: tuple[str, ...]
    labels: tuple[Any, ...] | None = Field(default=None, description="References, or envelopes.")


class OpenRlhfResponse(Frozen):
    """``extra_logs`` always has the same names, because OpenRLHF joins them over samples."""

    rewards: list[float]
    scores: list[float]
    extra_logs: dict[str, list[float]]


@router.post("/{rubric:path}", summary="Rewards for OpenRLHF", response_model=OpenRlhfResponse)
async def openrlhf(
    request: Request, response: Response, rubric: str, body: OpenRlhfRequest, wishes: Annotated[Wishes, Query()]
) -> OpenRlhfResponse:
    """What ``--reward.remote_url`` asks. Finite numbers with status 200, so ``on_error`` has to be a number."""
    asking = await asked(request, PROFILE, rubric, wishes)
    rows = zip(body.query, body.prompts, _labels(body), strict=True)
    rewards = await rewards_for(request, asking, [sampled(_item, asking, *row) for row in rows])
    response.headers.update(substituted_headers(rewards))
    numbers = [reward.number for reward in rewards]
    logs = {
        "judge_failed": [reward.failed for reward in rewards],
        "judge_coverage": [reward.coverage for reward in rewards],
    }
    return OpenRlhfResponse(rewards=numbers, scores=numbers, extra_logs=logs)


def _item(asking: Asking, query: str, prompt: str, label: Any) -> dict[str, Any]:
    return bound(asking, exchange_of(prompt, response_after(prompt, query)), open_label(label))


def _labels(body: OpenRlhfRequest) -> tuple[Any, ...]:
    labels = body.labels or (None,) * len(body.query)
    if not len(body.query) == len(body.prompts) == len(labels):
        raise BadInput(
            f"query has {len(body.query)} elements, prompts {len(body.prompts)} and labels {len(labels)}.",
            remedy="Send lists of the same length.",
        )
    return labels
