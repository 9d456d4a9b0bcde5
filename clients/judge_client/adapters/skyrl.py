"""SkyRL: ``register("rubric", entry_point="judge_client.adapters.skyrl:RubricEnv", kwargs={"rubric": …})``.

SkyRL asserts that a reward is a number, and steps every environment on its own: there is nothing to drop, and no mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from skyrl_gym.envs.base_text_env import BaseTextEnv, BaseTextEnvStepOutput

from judge_client.adapters.conversation import parted
from judge_client.adapters.kept import Profile
from judge_client.adapters.label import sample_of
from judge_client.rewarder import Rewarder
from judge_client.scored import Scored

PROFILE = Profile("SkyRL", Rewarder, bears=("raise", "number"))


class RubricEnv(BaseTextEnv):
    """One turn, judged. An environment of several turns derives from it and calls ``judge`` in its last step.

    ``extras``: the row of the data set beside its prompt: ``reference``, ``facts``, ``rubric`` and ``judge``, also
    within ``extra_info``; the reference may stand in ``reward_spec.ground_truth`` too, or an envelope of all.
    ``env_config`` (of SkyRL's configuration) and ``settings`` (of ``register`` and ``make``): arguments of Rewarder.
    """

    def __init__(self, env_config: Any = None, extras: Mapping[str, Any] | None = None, **settings: Any) -> None:
        super().__init__()
        self.row = dict(extras or {})
        self.rewarder = PROFILE.rewarder({**settings, **dict(env_config or {})})
        self.prompt: Sequence[Mapping[str, Any]] = ()
        self.metrics: dict[str, float] = {}

    def init(self, prompt: Sequence[Mapping[str, Any]]) -> tuple[Sequence[Mapping[str, Any]], dict[str, Any]]:
        self.prompt = prompt
        return prompt, {}

    def step(self, action: str) -> BaseTextEnvStepOutput:
        """Raises JudgeFailed if the policy says so."""
        self.turns += 1
        scored = self.judge([{"role": "assistant", "content": action}])
        metadata = {"judgment": scored.judgment.id, "failure": scored.failure}
        return BaseTextEnvStepOutput(observations=[], reward=scored.reward, done=True, metadata=metadata)

    def judge(self, turns: Sequence[Mapping[str, Any]]) -> Scored:
        """What a judge says of the conversation since the prompt; the metrics of the episode are kept."""
        before, response = parted([*self.prompt, *turns], len(self.prompt))
        spec = self.row.get("reward_spec") or {}
        columns = {**self.row, **dict(self.row.get("extra_info") or {}), "prompt": None}
        sample = sample_of(response or "", prompt=before, label=spec.get("ground_truth"), columns=columns)
        scored = self.rewarder.score_one(sample)
        self.metrics = scored.metrics_under("judge")
        return scored

    def get_metrics(self) -> dict[str, Any]:
        """Of the episode; SkyRL means them over episodes."""
        return dict(self.metrics)
