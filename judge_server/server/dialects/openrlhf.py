"""OpenRLHF's remote reward model.

Source: openrlhf 0.11.2, ``utils/agent.py`` (``SingleTurnAgentExecutor._fetch_rewards_via_http``).
"""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from judge_server.core.errors import BadInput
from judge_server.core.model import Frozen
from judge_server.core.verdict import Failure
from judge_server.server.dialects.chat_family import content_start
from judge_server.server.dialects.chat_markup import UnsplitText, split_pair
from judge_server.server.dialects.envelope import open_label
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

router = APIRouter(prefix="/trainers/openrlhf", tags=["trainers"], route_class=StrictRoute)
PROFILE = Profile(
    dialect="openrlhf",
    trainer="OpenRLHF",
    bears=frozenset({"number"}),
    because="it tries five times, takes an error for a reward of None, and stops later without giving a reason",
    patience_seconds=170.0,
)


class OpenRlhfRequest(TrainerBody):
    """``query`` is prompt and response as one decoded text, with its special tokens."""

    query: tuple[str, ...]
    prompts: tuple[str, ...]
    labels: tuple[Any, ...] | None = Field(default=None, description="References, or envelopes.")


class OpenRlhfResponse(Frozen):
    """``extra_logs`` always has the same names, because OpenRLHF joins them over samples. OpenRLHF reads no
    ``failures``, our client does."""

    rewards: list[float]
    scores: list[float]
    extra_logs: dict[str, list[float]]
    failures: list[Failure | None] = Field(description="Why a reward is the number of on_error; null for the judge's.")


@router.post("/{rubric:path}", summary="Rewards for OpenRLHF", response_model=OpenRlhfResponse)
async def openrlhf(
    request: Request,
    response: Response,
    rubric: str,
    body: OpenRlhfRequest,
    options: Annotated[TrainerOptions, Query()],
) -> OpenRlhfResponse:
    """Called at ``--reward.remote_url``. It needs finite numbers with status 200, so ``on_error`` must be a number."""
    trainer = await trainer_request(request, PROFILE, rubric, options)
    rows = zip(body.query, body.prompts, _labels(body), strict=True)
    rewards = await rewards_for(request, trainer, [sampled(_item, trainer, *row) for row in rows])
    response.headers.update(substituted_headers(rewards))
    numbers = [reward.number for reward in rewards]
    logs = {
        "judge_failed": [reward.failed for reward in rewards],
        "judge_coverage": [reward.coverage for reward in rewards],
    }
    failures = [reward.failure for reward in rewards]
    return OpenRlhfResponse(rewards=numbers, scores=numbers, extra_logs=logs, failures=failures)


def _item(trainer: TrainerRequest, query: str, prompt: str, label: Any) -> dict[str, Any]:
    return bind(trainer, split_pair(prompt, response_after(prompt, query)), open_label(label))


def _labels(body: OpenRlhfRequest) -> tuple[Any, ...]:
    labels = body.labels or (None,) * len(body.query)
    if not len(body.query) == len(body.prompts) == len(labels):
        raise BadInput(
            f"query has {len(body.query)} elements, prompts {len(body.prompts)} and labels {len(labels)}.",
            remedy="Send lists of the same length.",
        )
    return labels


def response_after(prompt: str, query: str) -> str:
    """The rest of ``query`` after ``prompt``. Trainers decode the two with and without special tokens, so white space
    and marks at the beginning may differ. Raises UnsplitText if the prompt is empty or not a prefix."""
    wanted = prompt[content_start(prompt) :]
    if not wanted.strip():
        raise UnsplitText("The prompt is empty.", remedy="Send the prompt that the policy got.")
    for prefix, whole in ((prompt, query), (wanted, query[content_start(query) :])):
        if whole.startswith(prefix):
            return whole[len(prefix) :]
    end = _end_of("".join(wanted.split()), query, content_start(query))
    if end is None:
        raise UnsplitText(
            "The query does not begin with its prompt.",
            remedy="Raise the trainer's longest prompt so that none is cut, and render both with the same template.",
        )
    return query[end:]


def _end_of(letters: str, text: str, place: int) -> int | None:
    """The offset after ``letters`` in ``text`` from ``place`` on, ignoring white space; None if they differ."""
    said = 0
    while said < len(letters):
        if place == len(text):
            return None
        if not text[place].isspace():
            if text[place] != letters[said]:
                return None
            said += 1
        place += 1
    return place
