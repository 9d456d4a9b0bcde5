"""verifiers 0.3: ``SingleTurnEnv(rubric=RubricReward("medical/consultation"))``.

It is a Rubric and not a function in one: verifiers 0.3 turns whatever a function raises into a reward of 0.0.
"""

from __future__ import annotations

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


class RubricReward(vf.Rubric):
    """``name``: of the metrics. ``columns``: what the data set, or its ``info``, calls its columns; the reference is
    ``answer``. ``options``: those of Rewarder. Rollouts that failed before are not judged and get no reward.

    A failed judge ends the generation with JudgeFailed by default. ``drop``: the reward is None, and ``error`` an
    InfraError, as of a rollout that broke: verifiers retries it (``max_retries``), and trainers leave it out.
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
        """Rewards, advantages and metrics into the states. Raises JudgeFailed where the policy says so."""
        judged = [state for state in states if state.get("error") is None]
        scored = await self.rewarder.ascore([self._sample(state) for state in judged])
        for state in states:
            state["reward"], state["metrics"] = None, {}
        for state, one in zip(judged, scored, strict=True):
            self._record(state, one)
        known = [state["reward"] for state in states if state["reward"] is not None]
        for state in states:
            _credit(state, mean(known) if known else None)

    def _get_reward_func_names(self) -> list[str]:
        return [self.name]

    def _sample(self, state: State) -> Sample:
        row = {**dict(state.get("input") or {}), **dict(state.get("info") or {}), "answer": state.get("answer")}
        given = {name: [value] for name, value in row.items() if name != "prompt"}
        return self.columns.samples(*_asked_and_answered(state["prompt"], state["completion"]), given)[0]

    def _record(self, state: State, scored: Scored) -> None:
        metrics = {**scored.metrics, "judge_substituted": float(scored.substituted)}
        state["reward"] = scored.reward
        state["metrics"] = {f"{self.name}/{name}": value for name, value in metrics.items()}
        if scored.reward is None:
            state["error"] = vf.InfraError(f"No reward ({scored.failure}): {scored.detail}")
        else:
            state["metrics"] = {self.name: scored.reward, **state["metrics"]}


def _credit(state: State, baseline: float | None) -> None:
    """As verifiers' own rubrics do, for those that have a reward."""
    reward = state["reward"]
    if reward is None or baseline is None:
        return
    state["advantage"] = reward - baseline
    for turn in state.get("trajectory") or ():
        for key in ("reward", "advantage"):
            if turn[key] is None:
                turn[key] = state[key]


def _asked_and_answered(prompt: Any, completion: Any) -> tuple[list[Text], list[Text]]:
    """Text, or the conversation up to the model's last turns, and these."""
    if isinstance(prompt, str):
        return [prompt], [completion or ""]
    before, answer = parted([*prompt, *(completion or ())], len(prompt))
    return [before], [answer or ""]
