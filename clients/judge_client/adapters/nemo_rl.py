"""NeMo-RL: an environment. In the script that starts the run, before the environments are made:

from judge_client.adapters.nemo_rl import register
register()

and in its configuration ``env: {judge: {rubric: medical/consultation}}`` with ``env_name: judge`` for the data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ray
import torch
from nemo_rl.distributed.ray_actor_environment_registry import (
    ACTOR_ENVIRONMENT_REGISTRY,
)
from nemo_rl.distributed.virtual_cluster import PY_EXECUTABLES
from nemo_rl.environments.interfaces import (
    EnvironmentInterface,
    EnvironmentReturn,
)
from nemo_rl.environments.utils import register_env

from judge_client.adapters.decoded import DecodedRewarder
from judge_client.adapters.kept import Profile, number_of
from judge_client.adapters.label import sample_of
from judge_client.sample import Sample

PROFILE = Profile("NeMo-RL", DecodedRewarder, bears=("raise", "neutral", "number"))
NAME = "judge_client.adapters.nemo_rl.JudgeEnvironment"


class Judging(EnvironmentInterface):
    """An episode of one turn. ``config``: arguments of Rewarder. ``metadata`` of a sample may hold ``messages`` (else
    the rendered turns are taken apart), ``ground_truth`` (a reference or an envelope), ``reference``, ``facts``,
    ``rubric`` and ``judge``."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.rewarder = PROFILE.rewarder(dict(config))

    def step(self, message_log_batch: Sequence[Any], metadata: Sequence[Any]) -> Any:
        """Rewards as a tensor of 32 bits, one for each log; every episode ends. The observation tells the reward.
        Raises JudgeFailed, at which NeMo-RL stops, unless ``on_failure`` says otherwise."""
        samples = [_sample(log, told or {}) for log, told in zip(message_log_batch, metadata, strict=True)]
        scored = self.rewarder.score(samples)
        rewards = [number_of(one) for one in scored]
        return EnvironmentReturn(
            observations=[{"role": "environment", "content": f"Environment: {value}"} for value in rewards],
            metadata=list(metadata),
            next_stop_strings=[None] * len(rewards),
            rewards=torch.tensor(rewards, dtype=torch.float32),
            terminateds=torch.ones(len(rewards), dtype=torch.bool),
            answers=[sample.response for sample in samples],
        )

    def global_post_process_and_metrics(self, batch: Any) -> tuple[Any, dict[str, float]]:
        """The batch as it is, and how often judges failed since the run began."""
        counts = self.rewarder.counts
        return batch, {f"judge/{name}": float(counts[name]) for name in ("judged", "failed", "substituted")}

    def shutdown(self) -> None:
        """At the end of the run."""
        self.rewarder.close()


JudgeEnvironment = ray.remote(Judging)


def register(name: str = "judge") -> None:
    """Makes the environment known to NeMo-RL under a name; it runs with the interpreter of the run."""
    ACTOR_ENVIRONMENT_REGISTRY[NAME] = PY_EXECUTABLES.SYSTEM
    register_env(name, NAME)


def _sample(log: Sequence[Mapping[str, Any]], told: Mapping[str, Any]) -> Sample:
    """NeMo-RL writes the rendered template into the content of every message but the last, which is the policy's."""
    prompt = told.get("messages") or "".join(str(message["content"]) for message in log[:-1])
    return sample_of(str(log[-1]["content"]), prompt=prompt, label=told.get("ground_truth"), columns=told)
