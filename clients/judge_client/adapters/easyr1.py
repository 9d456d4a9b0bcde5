"""EasyR1: ``worker.reward.reward_function=PATH/OF/judge_client/adapters/easyr1.py:main``.

EasyR1 hands over the response and the ground truth, but no prompt: ``ground_truth`` is an envelope that holds it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from judge_client.adapters.asynchronous import SettledRewards
from judge_client.adapters.kept import Profile
from judge_client.adapters.label import sample_of
from judge_client.rewarder import Rewarder
from judge_client.scored import Scored

REWARD_NAME = "judge"
REWARD_TYPE = "batch"
PROFILE = Profile("EasyR1", Rewarder, bears=("raise", "neutral", "number"))


def main(reward_inputs: Sequence[Mapping[str, Any]], **settings: Any) -> list[dict[str, float | None]]:
    """``overall``, ``judge_failed``, ``judge_coverage`` and a value for each decided criterion.

    ``reward_inputs``: each with ``response`` and ``ground_truth``. ``settings``: arguments of Rewarder, from
    ``reward_function_kwargs``. Raises JudgeFailed, at which EasyR1 stops, unless ``on_failure`` says otherwise.
    """
    samples = [sample_of(given["response"], label=given["ground_truth"]) for given in reward_inputs]
    return SettledRewards(_shown(scored) for scored in PROFILE.rewarder(settings).score(samples))


def _shown(scored: Scored) -> dict[str, float | None]:
    metrics = scored.metrics
    values = {name: value for name, value in metrics.items() if name.startswith("criterion/")}
    covered = {"judge_coverage": metrics["coverage"]} if "coverage" in metrics else {}
    return {"overall": scored.reward, "judge_failed": metrics["judge_failed"], **covered, **values}
