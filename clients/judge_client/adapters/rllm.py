"""rLLM: ``RubricEvaluator("medical/consultation")`` where an evaluator is wanted, or its path
``judge_client.adapters.rllm:RubricEvaluator``, configured by the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rllm.eval.types import EvalOutput, Signal
from rllm.types import Episode, Task

from judge_client.adapters.conversation import parted
from judge_client.adapters.kept import Profile, number_of
from judge_client.adapters.label import sample_of
from judge_client.rewarder import Rewarder
from judge_client.sample import Text

PROFILE = Profile("rLLM", Rewarder, bears=("raise", "number"))


class RubricEvaluator:
    """``correct_from``: the reward from which an episode counts as correct. ``settings``: arguments of Rewarder.

    The task's metadata may hold ``reference``, ``facts``, ``rubric`` and ``judge``, and ``ground_truth``: the
    reference, or an envelope of them.
    """

    def __init__(
        self, rubric: str | Mapping[str, Any] | None = None, *, correct_from: float = 0.5, **settings: Any
    ) -> None:
        self.correct_from = correct_from
        self.rewarder = PROFILE.rewarder({**settings, "rubric": rubric})

    def evaluate(self, task: Task | Mapping[str, Any], episode: Episode) -> EvalOutput:
        """The reward of the episode's last trajectory; every criterion is a signal. Raises JudgeFailed if the policy
        says so: rLLM tries the episode again, and leaves it out in the end."""
        row = task if isinstance(task, Mapping) else task.metadata
        asked, answered = _last_conversation(episode)
        prompt = asked or _instruction(task, row)
        sample = sample_of(answered, prompt=prompt, label=row.get("ground_truth"), columns=row)
        scored = self.rewarder.score_one(sample)
        reward = number_of(scored)
        return EvalOutput(
            reward=reward,
            is_correct=reward >= self.correct_from,
            signals=[Signal(name=name, value=value) for name, value in scored.metrics_under("judge").items()],
        )


def _last_conversation(episode: Episode) -> tuple[Text | None, Text]:
    """Messages where the gateway recorded them, else the text that the agent gave out."""
    if not episode.trajectories:
        return None, _text(episode.artifacts.get("answer"))
    trajectory = episode.trajectories[-1]
    step = trajectory.steps[-1] if trajectory.steps else None
    if step is not None and step.chat_completions:
        before, answer = parted(step.chat_completions)
        return before, answer or ""
    said = [trajectory.output, *((step.output, step.model_response) if step else ()), episode.artifacts.get("answer")]
    return None, next((_text(one) for one in said if one), "")


def _instruction(task: Task | Mapping[str, Any], row: Mapping[str, Any]) -> Any:
    if isinstance(task, Mapping):
        return row.get("question") or row.get("prompt")
    told = task.instruction
    return told if isinstance(told, str) else [{"role": "user", "content": told}]


def _text(given: Any) -> str:
    return "" if given is None else str(given)
