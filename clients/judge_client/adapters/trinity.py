"""Trinity-RFT: ``default_workflow_type: judge_client.adapters.trinity.RubricWorkflow``, or as a reward function
``default_reward_fn_type: judge_client.adapters.trinity.RubricReward``, with ``reward_fn_args: {rubric: …}``.

Trinity adds up all the values that a reward function returns, so it returns one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trinity.common.experience import Experience
from trinity.common.rewards.reward_fn import RewardFn
from trinity.common.workflows.workflow import AsyncSimpleWorkflow, Task

from judge_client.adapters.kept import Profile, number_of
from judge_client.adapters.label import sample_of
from judge_client.rewarder import Rewarder
from judge_client.sample import Sample
from judge_client.scored import Scored

PROFILE = Profile("Trinity-RFT", Rewarder, bears=("raise", "neutral", "number"))


class RubricReward(RewardFn):
    """``name``: of the metric. ``settings``: arguments of Rewarder.

    Trinity's own workflows hand over neither prompt nor row: ``truth`` is then an envelope with the prompt in it.
    """

    def __init__(self, name: str = "rubric", **settings: Any) -> None:
        self.name = name
        self.rewarder = PROFILE.rewarder(settings)

    def __call__(self, response: str, truth: Any = None, prompt: Any = None, **columns: Any) -> dict[str, float]:
        """Blocks. Raises JudgeFailed if the policy says so, BadSample if there is no prompt."""
        sample = sample_of(response, prompt=prompt, label=truth, columns=columns)
        return {self.name: number_of(self.rewarder.score_one(sample))}


class RubricWorkflow(AsyncSimpleWorkflow):
    """One turn. All responses to a task are judged in one call, with the task's prompt, truth and columns."""

    def reset(self, task: Task) -> None:
        task.reward_fn = task.reward_fn or RubricReward
        super().reset(task)

    async def run_async(self) -> list[Experience]:
        """Experiences with their rewards, and the values of all criteria as metrics. Raises JudgeFailed if the
        policy says so: the task then has failed, and Trinity runs it again."""
        messages = self.format_messages()
        responses: list[Experience] = await self.model.chat_async(messages, **self.rollout_args)
        prompt = messages[:-1] if self.reply_prefix else messages
        samples = [self._sample(prompt, response.response_text or "") for response in responses]
        scored = await self.reward_fn.rewarder.ascore(samples)
        for place, (response, one) in enumerate(zip(responses, scored, strict=True)):
            response.reward = number_of(one)
            response.metrics = {**(response.metrics or {}), **self._metrics(one)}
            response.eid.run = place + self.run_id_base
        return responses

    def _sample(self, prompt: Sequence[Mapping[str, Any]], text: str) -> Sample:
        response = f"{self.reply_prefix or ''}{text}"
        return sample_of(response, prompt=prompt, label=self.truth, columns=self.raw_task)

    def _metrics(self, scored: Scored) -> dict[str, float]:
        name = self.reward_fn.name
        return {name: number_of(scored), **scored.metrics_under(name)}
