"""verifiers 0.4 (and prime-rl): a reward by its dotted path, or a ``vf.Judge`` that a task config plugs in.

``rewards.rubric.fn = "judge_client.adapters.verifiers.rubric_reward"`` is configured by the environment; the judge has
a config of its own, and the plugin id ``judge-client-verifiers``. A judge that failed is a TaskError on the trace: the
rollout counts as failed, and never as a reward.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import verifiers.v1 as vf
from pydantic import Field

from judge_client.adapters.asynchronous import async_reward
from judge_client.adapters.columns import Columns
from judge_client.adapters.conversation import parted
from judge_client.adapters.kept import Profile, number_of
from judge_client.errors import JudgeClientError
from judge_client.rewarder import Rewarder
from judge_client.sample import Sample, Text
from judge_client.scored import Scored

PROFILE = Profile("verifiers", Rewarder, bears=("raise", "number"))


class RubricJudgeConfig(vf.JudgeConfig):
    """What is None comes from the environment (JUDGE_RUBRIC, JUDGE_URL, …), the API key always: configs are recorded
    with the traces. ``name``: of the reward. ``columns``: what the task's data calls rubric, reference, facts and
    judge. Of the endpoint that verifiers' own judges have (``base_url``, ``model``, …) nothing is used."""

    id: vf.ID = "judge-client-verifiers"
    name: str = "rubric"
    rubric: str | None = None
    url: str | None = None
    judge: str | None = None
    on_failure: str | float | None = None
    deadline_seconds: float | None = None
    priority: str | None = None
    columns: dict[str, str] = Field(default_factory=dict)


class RubricJudge(vf.Judge[float, RubricJudgeConfig]):
    """Scores a finished trace. Raises JudgeClientError if there is no reward."""

    def __init__(self, config: RubricJudgeConfig | None = None) -> None:
        super().__init__(config)
        names = ("rubric", "url", "judge", "on_failure", "deadline_seconds", "priority")
        self.rewarder = PROFILE.rewarder({name: getattr(self.config, name) for name in names})
        self.columns = Columns(**self.config.columns)

    async def score(self, task: vf.TaskData, trace: vf.Trace) -> float:
        """The reward. Criteria, coverage and failures stand in the trace's metrics, under this judge's name."""
        try:
            scored = await self.rewarder.ascore_one(self._sample(task, trace))
        except JudgeClientError as error:
            self._record(trace, {"judge_failed": 1.0}, {"failure": error.slug, "detail": error.detail})
            raise
        self._record(trace, scored.metrics, told(scored))
        return number_of(scored)

    def _sample(self, task: vf.TaskData, trace: vf.Trace) -> Sample:
        prompt, response = asked_and_answered(task, trace)
        given = {name: value for name, value in task.model_dump(mode="json").items() if name not in ("prompt", "idx")}
        return self.columns.samples([prompt], [response], {name: [value] for name, value in given.items()})[0]

    def _record(self, trace: vf.Trace, metrics: Mapping[str, float], information: Mapping[str, Any]) -> None:
        trace.record_metrics({f"{self.reward_name}/{name}": value for name, value in metrics.items()})
        trace.info.setdefault("judgments", []).append({"name": self.reward_name, **information})


def asked_and_answered(task: vf.TaskData, trace: vf.Trace) -> tuple[Text, Text]:
    """The conversation before the model's last turns, and these with their tool results."""
    if trace.root_reply is not None:
        return task.prompt_text, trace.last_reply
    branches = trace.branches
    nodes = branches[-1].nodes if branches else []
    first = next((place for place, node in enumerate(nodes) if node.sampled), len(nodes))
    prompt, response = parted([node.message for node in nodes], first)
    return prompt or task.prompt_text, response or ""


def told(scored: Scored) -> dict[str, Any]:
    """What a reader of the traces wants to know of a judgment."""
    notice = scored.judgment.judge.notice if scored.judgment.judge else None
    found = {"judgment": scored.judgment.id, "failure": scored.failure, "detail": scored.detail, "notice": notice}
    return {name: value for name, value in found.items() if value}


@async_reward("verifiers 0.4 awaits it; for 0.3 use judge_client.adapters.verifiers_rubric.")
async def rubric_reward(task: vf.TaskData, trace: vf.Trace) -> float:
    """RubricJudge, configured by JUDGE_RUBRIC, JUDGE_URL and the other variables of Rewarder."""
    return await RubricJudge().score(task, trace)
