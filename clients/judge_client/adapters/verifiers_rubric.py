"""verifiers 0.3: ``SingleTurnEnv(rubric=RubricReward("medical/consultation"))``.

It is a Rubric and not a function in one: verifiers 0.3 turns whatever a function raises into a reward of 0.0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import verifiers as vf

from judge_client.adapters.columns import Columns
from judge_client.adapters.conversation import parted
from judge_client.on_failure import OnFailure
from judge_client.rewarder import Rewarder
from judge_client.sample import Sample, Text
from judge_client.scored import Scored, mean

State = dict[str, Any]
_ANSWER = Columns(reference="answer")
_OWN = "judge_client/metrics"


class RubricReward(vf.Rubric):
    """``name``: of the metrics. ``columns``: what the data set, or its ``info``, calls its columns; the reference is
    ``answer``. ``options``: those of Rewarder.

    A failed judge ends the generation with JudgeFailed by default. ``drop``: the reward is NaN, because verifiers adds
    rewards up and takes a missing one for 0.0, and ``error`` an InfraError, as of a rollout that broke: verifiers plays
    it again (``max_retries``), and trainers leave it out. Rollouts that broke before are not judged.
    """

    def __init__(
        self,
        rubric: str | Mapping[str, Any] | None = None,
        *,
        on_failure: OnFailure | str | float | None = None,
        name: str = "rubric",
        columns: Columns = _ANSWER,
        **options: Any,
    ) -> None:
        super().__init__()
        policy = OnFailure.choose(on_failure, default=OnFailure.RAISE, trainer="verifiers 0.3")
        self.rewarder = Rewarder(rubric, on_failure=policy, **options)
        self.name = name
        self.columns = columns

    async def score_rollout(self, state: State) -> None:
        await self.score_group([state])

    async def score_group(self, states: Sequence[State]) -> None:
        """Rewards, advantages and metrics into the states. Raises JudgeFailed if the policy says so."""
        judged = [state for state in states if state.get("error") is None]
        scored = await self.rewarder.ascore([self._sample(state) for state in judged])
        known = [one.reward for one in scored if one.reward is not None]
        baseline = mean(known) if known else math.nan
        for state in states:
            state["reward"], state["metrics"] = 0.0, {}  # of a rollout that broke, beside its error
        for state, one in zip(judged, scored, strict=True):
            self._record(state, one, baseline)

    async def cleanup(self, state: State) -> None:
        """verifiers writes 0.0 for a metric that other rollouts of the group have: what is not known is absent."""
        await super().cleanup(state)
        own = state.get(_OWN, {}).pop(self.name, None)
        if own is not None:
            found = state["metrics"].items()
            state["metrics"] = {name: value for name, value in found if name in own or not self._is_ours(name)}

    def _get_reward_func_names(self) -> list[str]:
        return [self.name]

    def _is_ours(self, metric: str) -> bool:
        return metric == self.name or metric.startswith(f"{self.name}/")

    def _sample(self, state: State) -> Sample:
        row = {**dict(state.get("input") or {}), **dict(state.get("info") or {}), "answer": state.get("answer")}
        given = {name: [value] for name, value in row.items() if name != "prompt"}
        return self.columns.samples(*_asked_and_answered(state["prompt"], state["completion"]), given)[0]

    def _record(self, state: State, scored: Scored, baseline: float) -> None:
        reward = math.nan if scored.reward is None else scored.reward
        if scored.reward is None:
            state["error"] = vf.InfraError(f"No reward ({scored.failure}): {scored.detail}")
        named = scored.metrics_under(self.name)
        state["metrics"] = named if scored.reward is None else {self.name: reward, **named}
        state.setdefault(_OWN, {})[self.name] = list(state["metrics"])
        state["reward"], state["advantage"] = reward, reward - baseline
        for turn in state.get("trajectory") or ():
            turn["reward"] = reward if turn["reward"] is None else turn["reward"]
            turn["advantage"] = reward - baseline if turn["advantage"] is None else turn["advantage"]


def _asked_and_answered(prompt: Any, completion: Any) -> tuple[list[Text], list[Text]]:
    """Text, or the conversation up to the model's last turns, and these."""
    if isinstance(prompt, str):
        return [prompt], [completion or ""]
    before, answer = parted([*prompt, *(completion or ())], len(prompt))
    return [before], [answer or ""]
