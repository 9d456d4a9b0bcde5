"""AReaL: ``reward_fn="judge_client.adapters.areal.reward_fn"``, or ``RubricReward(…)``; for judges that need more than
seconds, the agent workflow ``JudgedAgent``.

AReaL runs a reward function in a process pool, waits 15 seconds, its place in the queue included, four times, and then
takes 0. So the judge has to have failed before that: then this raises, and AReaL rejects the trajectory.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import httpx

from judge_client.adapters.decoded import DecodedRewarder
from judge_client.adapters.kept import Profile, number_of
from judge_client.adapters.label import sample_of
from judge_client.configuration import Terms
from judge_client.errors import BadConfiguration
from judge_client.rewarder import Rewarder

PATIENCE_SECONDS = 14.0
PROFILE = Profile("AReaL", DecodedRewarder, bears=("raise", "number"))
AGENT = Profile("AReaL's agent workflow", Rewarder, bears=("raise", "number"))


class RubricReward:
    """``settings``: arguments of Rewarder; ``deadline_seconds`` is 12 where nobody says, and at most 14. Picklable:
    the workers of the pool make their own connections and keep them.

    Columns of the data set may be ``messages`` (else the decoded prompt is taken apart), ``reference`` or ``answer``,
    ``facts``, ``rubric`` and ``judge``.
    """

    def __init__(self, rubric: str | Mapping[str, Any] | None = None, **settings: Any) -> None:
        seconds = Terms(deadline_seconds=settings.get("deadline_seconds")).with_environment().deadline_seconds or 12.0
        if seconds > PATIENCE_SECONDS:
            raise BadConfiguration(
                f"deadline_seconds: AReaL waits 15 seconds and then takes 0, so {seconds:g} are too many.",
                remedy="Allow at most 14, or use JudgedAgent (docs/trainers/areal.md).",
            )
        self.settings = {**settings, "rubric": rubric, "deadline_seconds": seconds}
        PROFILE.rewarder(self.settings)

    def __call__(self, prompt: str, completions: str, prompt_ids: Any, completion_ids: Any, **row: Any) -> float:
        """The reward. Raises JudgeFailed unless ``on_failure`` is a number."""
        sample = sample_of(completions, prompt=row.get("messages") or prompt, label=row.get("answer"), columns=row)
        return number_of(PROFILE.rewarder(self.settings).score_one(sample))


def reward_fn(prompt: str, completions: str, prompt_ids: Any, completion_ids: Any, **row: Any) -> float:
    """``RubricReward()``, configured by the environment."""
    return RubricReward()(prompt, completions, prompt_ids, completion_ids, **row)


class JudgedAgent:
    """An agent workflow of one turn, whose judge may take its time:
    ``workflow="judge_client.adapters.areal.JudgedAgent"``.

    ``settings``: arguments of Rewarder. ``sampling``: what the completion is asked with (``temperature``, …). A row
    needs ``messages``; its other columns are those of RubricReward.
    """

    def __init__(
        self,
        rubric: str | Mapping[str, Any] | None = None,
        sampling: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        self.settings = {**settings, "rubric": rubric}
        self.sampling = dict(sampling or {})
        AGENT.rewarder(self.settings)

    async def run(self, data: Mapping[str, Any], **extra_kwargs: Any) -> float:
        """One completion of AReaL's own endpoint, judged. Raises JudgeFailed, at which AReaL rejects the trajectory."""
        answer = await self._completion(data["messages"], extra_kwargs)
        sample = sample_of(answer, prompt=data["messages"], label=data.get("answer"), columns=data)
        return number_of(await AGENT.rewarder(self.settings).ascore_one(sample))

    async def _completion(self, messages: Any, extra_kwargs: Mapping[str, Any]) -> str:
        base_url = extra_kwargs.get("base_url") or os.environ["OPENAI_BASE_URL"]
        key = extra_kwargs.get("api_key") or os.environ.get("OPENAI_API_KEY")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        body = {"model": "default", "messages": list(messages), **self.sampling}
        async with httpx.AsyncClient(timeout=None) as client:  # noqa: S113 - AReaL bounds the episode
            response = await client.post(f"{base_url.rstrip('/')}/chat/completions", json=body, headers=headers)
        response.raise_for_status()
        content: str = response.json()["choices"][0]["message"]["content"]
        return content
