"""The Tinker cookbook: ``RubricGroupBuilder(question, renderer, rubric="medical/consultation")`` in an RLDataset.

A group's responses are judged together, after all its rollouts, by ``compute_group_rewards``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import tinker
from tinker_cookbook.renderers import Renderer
from tinker_cookbook.rl.types import Action, ActionExtra, Env, EnvGroupBuilder, Metrics, StepResult, Trajectory

from judge_client.adapters.columns import Columns
from judge_client.adapters.conversation import plain
from judge_client.adapters.kept import Profile, number_of
from judge_client.rewarder import Rewarder
from judge_client.sample import Sample, Text
from judge_client.scored import Scored

PROFILE = Profile("Tinker", Rewarder, bears=("raise", "neutral", "number"))
_USUAL = Columns()


class Judged(Protocol):
    """What ``compute_group_rewards`` reads of an environment: its conversation, taken apart."""

    @property
    def prompt(self) -> Text: ...

    @property
    def response(self) -> Text: ...


class RubricEnv(Env):
    """A prompt, and one turn of the policy. Its own reward is 0: the group's reward follows."""

    def __init__(self, prompt: Sequence[Mapping[str, Any]], renderer: Renderer) -> None:
        self.prompt = prompt
        self.renderer = renderer
        self.response: Text = ""

    async def initial_observation(self) -> tuple[tinker.ModelInput, Any]:
        return self.renderer.build_generation_prompt(list(self.prompt)), self.renderer.get_stop_sequences()

    async def step(self, action: Action, *, extra: ActionExtra | None = None) -> StepResult:
        """The end of the episode. A response that was cut off is judged as far as it goes."""
        message, termination = self.renderer.parse_response(action)
        self.response = [_readable(message)]
        return StepResult(
            reward=0.0,
            episode_done=True,
            next_observation=tinker.ModelInput.empty(),
            next_stop_condition=self.renderer.get_stop_sequences(),
            metrics={"finished": float(termination.is_clean)},
        )


@dataclass(frozen=True)
class RubricGroupBuilder(EnvGroupBuilder):
    """``prompt``: a question, or messages. ``row``: ``reference``, ``facts``, ``rubric`` and ``judge``, each optional.
    ``relative``: True, or the options of the server's docs/groups.md. ``settings``: arguments of Rewarder. Picklable.

    For environments of several turns derive from it, and make some that have ``prompt`` and ``response``.
    """

    prompt: str | Sequence[Mapping[str, Any]]
    renderer: Renderer
    rubric: str | Mapping[str, Any] | None = None
    group_size: int = 8
    row: Mapping[str, Any] = field(default_factory=dict)
    relative: bool | Mapping[str, Any] = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    name: str = "judge"

    async def make_envs(self) -> Sequence[Env]:
        asked = [{"role": "user", "content": self.prompt}] if isinstance(self.prompt, str) else self.prompt
        return [RubricEnv(asked, self.renderer) for _ in range(self.group_size)]

    async def compute_group_rewards(
        self, trajectory_group: list[Trajectory], env_group: Sequence[Any]
    ) -> list[tuple[float, Metrics]]:
        """Raises JudgeFailed if the policy says so: Tinker's rollout strategy then decides about the group."""
        given: Mapping[str, Any] = {**self.settings, "rubric": self.rubric}
        scored = await self._scored(PROFILE.rewarder(given), env_group)
        return [(number_of(one), one.metrics_under(self.name)) for one in scored]

    def logging_tags(self) -> list[str]:
        return [self.name]

    async def _scored(self, rewarder: Rewarder, envs: Sequence[Judged]) -> Sequence[Scored]:
        row = {name: [value] * len(envs) for name, value in self.row.items()}
        samples = _USUAL.samples([env.prompt for env in envs], [env.response for env in envs], row)
        if not self.relative or not samples:
            return await rewarder.ascore(samples)
        first: Sample = samples[0]
        shared: dict[str, Any] = {name: getattr(first, name) for name in ("rubric", "judge", "reference", "facts")}
        responses = [sample.response for sample in samples]
        return await rewarder.ascore_group(first.prompt, responses, relative=self.relative, **shared)


def _readable(message: Mapping[str, Any]) -> dict[str, Any]:
    """Tinker's parts of thinking become the message's reasoning."""
    content = message["content"]
    if isinstance(content, str):
        return plain(message)
    thoughts = "".join(part["thinking"] for part in content if part["type"] == "thinking")
    kept = [part for part in content if part["type"] != "thinking"]
    return plain({**message, "content": kept, "reasoning": thoughts or None})
