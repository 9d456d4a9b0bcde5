"""Rewards from a judge-server. ``Rewarder`` is what trainers want; ``Client`` and ``AsyncClient`` know every route."""

from judge_client.async_client import AsyncClient
from judge_client.client import Client
from judge_client.errors import BadConfiguration, BadSample, JudgeClientError, JudgeFailed, Momentary, Refused
from judge_client.group import GroupResult, GroupStatistics, ScoredGroup
from judge_client.judgment import Failure, Judgment, StepReward, Verdict
from judge_client.on_failure import OnFailure
from judge_client.rewarder import Rewarder
from judge_client.sample import Sample
from judge_client.scored import Scored
from judge_client.version import __version__

__all__ = [
    "AsyncClient",
    "BadConfiguration",
    "BadSample",
    "Client",
    "Failure",
    "GroupResult",
    "GroupStatistics",
    "JudgeClientError",
    "JudgeFailed",
    "Judgment",
    "Momentary",
    "OnFailure",
    "Refused",
    "Rewarder",
    "Sample",
    "Scored",
    "ScoredGroup",
    "StepReward",
    "Verdict",
    "__version__",
]
