"""torchforge: ``reward_functions=[RubricReward("medical/consultation")]`` of its RewardActor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from judge_client.adapters.decoded import DecodedRewarder
from judge_client.adapters.kept import Profile, number_of
from judge_client.adapters.label import sample_of

PROFILE = Profile("torchforge", DecodedRewarder, bears=("raise", "number"))


class RubricReward:
    """``name``: in the metrics. ``settings``: arguments of Rewarder. Picklable."""

    def __init__(self, rubric: str | Mapping[str, Any] | None = None, *, name: str = "rubric", **settings: Any) -> None:
        self.__name__ = name
        self.rewarder = PROFILE.rewarder({**settings, "rubric": rubric})

    def __call__(self, prompt: str, response: str, target: Any) -> float:
        """``prompt``: as the chat template rendered it. ``target``: the reference, or an envelope. Raises JudgeFailed
        where the policy says so."""
        return number_of(self.rewarder.score_one(sample_of(response, prompt=prompt, label=target)))
