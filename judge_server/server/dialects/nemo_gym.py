"""NeMo Gym's resources server.

Source: nemo-gym 0.5.1 (07d6b0d07), ``base_resources_server.py`` and ``judge.py``; nemo-rl (7ea279abf),
``experience/rollouts.py`` (``instance_config.mask_sample``) and ``environments/nemo_gym.py`` (components sum to the
reward).
"""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from judge_server.core.errors import BadSubmission
from judge_server.core.judgment import Judgment
from judge_server.core.rubric import Rubric
from judge_server.server.dialects.chat_markup import PromptAndResponse
from judge_server.server.dialects.envelope import Envelope, envelope_in_row
from judge_server.server.dialects.failure_policy import DROP, Profile
from judge_server.server.dialects.nemo_gym_metrics import (
    FAILURE,
    AggregateMetrics,
    aggregate,
    reward_components,
    reward_evidence,
    rounded,
)
from judge_server.server.dialects.responses_api import messages_of
from judge_server.server.dialects.rewards import Reward, rewards_for, sampled, substituted_headers
from judge_server.server.dialects.trainer_request import (
    TrainerBody,
    TrainerOptions,
    TrainerRequest,
    bind,
    trainer_request,
)
from judge_server.server.service import StrictRoute
from judge_server.util.canonical import JsonObject

router = APIRouter(prefix="/trainers/nemo-gym", tags=["trainers"], route_class=StrictRoute)
PROFILE = Profile(
    dialect="nemo-gym",
    trainer="NeMo Gym",
    bears=frozenset({"raise", "drop", "number"}),
    because="it wants a number in reward",
    default=DROP,
)
_MASKED = 0.0  # the number that NeMo Gym itself writes beside its failure class


class AggregateRequest(TrainerBody):
    verify_responses: list[JsonObject]


@router.post("/{rubric:path}/seed_session", summary="Session of NeMo Gym")
async def seed_session(request: Request, rubric: str, options: Annotated[TrainerOptions, Query()]) -> dict[str, Any]:
    """Stores nothing; refuses a URL under which no rollout could be verified."""
    await trainer_request(request, PROFILE, rubric, options)
    return {}


@router.post("/{rubric:path}/verify", summary="Reward for NeMo Gym", response_model=dict[str, Any])
async def verify(
    request: Request, response: Response, rubric: str, body: JsonObject, options: Annotated[TrainerOptions, Query()]
) -> dict[str, Any]:
    """The body with its reward. A failed judge is reported as NeMo Gym's ``judge_failed``, and the rollout is
    masked."""
    trainer = await trainer_request(request, PROFILE, rubric, options)
    (reward,) = await rewards_for(request, trainer, [sampled(_item, trainer, body)])
    response.headers.update(substituted_headers([reward]))
    if reward.judgment is None or reward.fault is not None:
        return body | _failed(body, reward)
    verified = body | {"reward": rounded(reward.number), "judge_failed": 0.0}
    return verified | await _parts(trainer, body, reward.judgment)


@router.post("/{rubric:path}/aggregate_metrics", summary="Statistics for NeMo Gym")
async def aggregate_metrics(rubric: str, body: AggregateRequest) -> AggregateMetrics:
    """Mean, max, min, median and standard deviation of every number. Rollouts with a failed judge are excluded and
    counted."""
    return aggregate(body.verify_responses)


@router.get("/{rubric:path}/reverify_mode", summary="How NeMo Gym may verify again")
async def reverify_mode(rubric: str) -> Literal["stateless"]:
    """Each rollout can be verified again on its own."""
    return "stateless"


def _item(trainer: TrainerRequest, body: dict[str, Any]) -> dict[str, Any]:
    asked_for, answered = body.get("responses_create_params"), body.get("response")
    if not isinstance(asked_for, dict) or not isinstance(answered, dict):
        raise BadSubmission(
            "The body lacks responses_create_params or response.", remedy="Send what NeMo Gym sends to /verify."
        )
    prompt = messages_of(asked_for.get("input") or "", "responses_create_params.input")
    if asked_for.get("instructions"):
        prompt = [{"role": "system", "content": asked_for["instructions"]}, *prompt]
    response = messages_of(answered.get("output") or [], "response.output") or ""
    return bind(trainer, PromptAndResponse(prompt, response), _envelope(body))


def _envelope(body: dict[str, Any]) -> Envelope:
    """The row's columns are in the body itself or in ``verifier_metadata``."""
    metadata = body.get("verifier_metadata")
    return envelope_in_row((metadata if isinstance(metadata, dict) else {}) | body)


def _failed(body: dict[str, Any], reward: Reward) -> dict[str, Any]:
    """With a number of the user the rollout is trained on; without one it is masked."""
    told = {"judge_failed": 1.0, "_ng_failure_judge_error": str(reward.fault)}
    if reward.value is not None:
        return told | {"reward": reward.value}
    config = body.get("instance_config")
    masked = (config if isinstance(config, dict) else {}) | {"mask_sample": True}
    return told | {"reward": _MASKED, FAILURE: "judge_failed", "instance_config": masked}


async def _parts(trainer: TrainerRequest, body: dict[str, Any], judgment: Judgment) -> dict[str, Any]:
    """What each criterion adds to the reward, and the steps that hold its evidence if the rubric asks for any. Empty if
    the reward is no sum."""
    if judgment.rubric is None or judgment.reward is None:
        return {}
    given = _envelope(body).rubric
    named = given if isinstance(given, dict) else f"{judgment.rubric.id}@{judgment.rubric.version}"
    rubric = (
        await trainer.service.rubric_registry.get(named) if isinstance(named, str) else Rubric.model_validate(named)
    )
    components = reward_components(rubric, judgment.verdicts, judgment.reward)
    if components is None:
        return {}
    parts = {"reward_components": components}
    evidence = reward_evidence(rubric, judgment.verdicts, components)
    return parts | {"reward_evidence": evidence} if evidence else parts
