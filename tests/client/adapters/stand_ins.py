"""Names that adapters import of trainers which tests/trainers runs for real, as far as one first call touches them.

They let a table of wrong first calls hold for every adapter in one process and in seconds; what the real packages do
with an error is tested there.
"""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

from pydantic import BaseModel

from judge_client import adapters
from tests.client.adapters.foreign import importable
from tests.client.adapters.test_nemo_rl import NEMO_RL
from tests.client.adapters.test_ragen import RAGEN
from tests.client.adapters.test_rllm import RLLM
from tests.client.adapters.test_roll import ROLL


@dataclass
class Trajectory:
    """Of ART."""

    messages_and_choices: list[Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    reward: float = 0.0

    def messages(self) -> list[Any]:
        return list(self.messages_and_choices)

    def model_copy(self, *, update: dict[str, Any]) -> "Trajectory":
        return replace(self, **update)


@dataclass
class TrajectoryGroup:
    """Of ART."""

    trajectories: list[Any]
    metadata: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    logs: list[str] = field(default_factory=list)
    exceptions: list[Any] = field(default_factory=list)


class ORM:
    """Of ms-swift, and AsyncORM too."""

    def __init__(self, args: Any = None) -> None:
        self.args = args


class BaseTextEnv:
    """Of skyrl-gym."""

    def __init__(self) -> None:
        self.turns = 0


class Env:
    """Of the Tinker cookbook, and EnvGroupBuilder too."""


class AsyncSimpleWorkflow:
    """Of Trinity-RFT: ``task`` holds what its constructor would find out."""

    reply_prefix = None
    run_id_base = 0

    def __init__(self, *, task: Any, model: Any) -> None:
        self.model = model
        self.rollout_args = {"n": 1}
        self.reset(task)

    def reset(self, task: Any) -> None:
        self.raw_task, self.truth = task.raw_task, task.truth
        self.reward_fn = task.reward_fn(**task.reward_fn_args)

    def format_messages(self) -> Any:
        return self.raw_task["prompt"]


class JudgeConfig(BaseModel):
    """Of verifiers 0.4."""

    name: str = ""


class Judge:
    """Of verifiers 0.4."""

    def __class_getitem__(cls, _: Any) -> type:
        return cls

    def __init__(self, config: Any = None) -> None:
        self.config = config

    @property
    def reward_name(self) -> str:
        return str(self.config.name)


class RewardManagerBase:
    """Of verl."""

    def __init__(self, config: Any, tokenizer: Any, compute_score: Any) -> None:
        self.config, self.tokenizer, self.loop = config, tokenizer, asyncio.get_event_loop()


class VerifierFunction:
    """Of open-instruct."""

    def __init__(self, name: str, weight: float = 1.0, verifier_config: Any = None) -> None:
        self.name = name


class NoError(Exception):
    pass


STAND_INS: dict[str, dict[str, Any]] = {
    **NEMO_RL,
    **RAGEN,
    **RLLM,
    **ROLL,
    "open_instruct.ground_truth_utils": {
        "VerifierConfig": object, "VerificationResult": SimpleNamespace, "VerifierFunction": VerifierFunction,
    },
    "art": {"Trajectory": Trajectory, "TrajectoryGroup": TrajectoryGroup},
    "swift.rewards": {"ORM": ORM, "AsyncORM": ORM, "orms": {}},
    "skyrl_gym.envs.base_text_env": {"BaseTextEnv": BaseTextEnv, "BaseTextEnvStepOutput": SimpleNamespace},
    "tinker": {"ModelInput": SimpleNamespace(empty=lambda: None)},
    "tinker_cookbook.renderers": {"Renderer": object},
    "tinker_cookbook.rl.types": {
        "Action": Any, "ActionExtra": Any, "Env": Env, "EnvGroupBuilder": Env, "Metrics": dict,
        "StepResult": SimpleNamespace, "Trajectory": Any,
    },
    "trinity.common.experience": {"Experience": SimpleNamespace},
    "trinity.common.rewards.reward_fn": {"RewardFn": object},
    "trinity.common.workflows.workflow": {"AsyncSimpleWorkflow": AsyncSimpleWorkflow, "Task": SimpleNamespace},
    "verifiers": {"Rubric": Env, "InfraError": NoError},
    "verifiers.v1": {"JudgeConfig": JudgeConfig, "Judge": Judge, "ID": str, "TaskData": Any, "Trace": Any},
    "verl.experimental.reward_loop.reward_manager.base": {"RewardManagerBase": RewardManagerBase},
}  # fmt: skip

_OF_THEM = (
    *("art", "ms_swift", "nemo_rl", "open_instruct", "ragen", "rllm", "roll", "skyrl", "tinker", "trinity"),
    *("verifiers", "verifiers_rubric", "verl_manager"),
)
"""Adapters that hold what they imported of a trainer, and are imported anew after it."""


@contextmanager
def trainers() -> Iterator[None]:
    """Every adapter can be imported inside the block, and none stays imported with stand-ins."""
    with importable(STAND_INS):
        try:
            yield
        finally:
            for name in _OF_THEM:
                sys.modules.pop(f"judge_client.adapters.{name}", None)
                vars(adapters).pop(name, None)
