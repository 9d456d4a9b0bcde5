"""slime: ``--custom-rm-path judge_client.adapters.slime.reward``, for single samples and, with ``--group-rm``, groups.

Settings come from the environment, or from the file of ``--custom-config-path`` (``judge_rubric``, ``judge_url``, …).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from judge_client.adapters.asynchronous import async_reward
from judge_client.adapters.decoded import DecodedRewarder
from judge_client.adapters.kept import Profile, number_of
from judge_client.adapters.label import sample_of
from judge_client.sample import Sample
from judge_client.scored import Scored

ONE = Profile("slime", DecodedRewarder, bears=("raise", "number"))
GROUP = Profile("slime with --group-rm", DecodedRewarder, bears=("raise", "neutral", "number"))
SETTINGS = {
    "judge_rubric": "rubric",
    "judge_url": "url",
    "judge_api_key": "api_key",
    "judge_name": "judge",
    "judge_on_failure": "on_failure",
    "judge_deadline_seconds": "deadline_seconds",
    "judge_priority": "priority",
}

Reward = float | dict[str, float]


@async_reward("Give it to slime as --custom-rm-path, which awaits it.")
async def reward(args: Any, samples: Any, **_of_slime: Any) -> Reward | list[Reward]:
    """``samples``: slime's Sample, or a list of them, which gets a list back. With ``--reward-key KEY`` a reward is an
    object of KEY, ``judge_failed`` and ``judge_coverage``; these two, and the type of the failure, also stand in each
    sample's ``metadata["judge_result"]``, which slime dumps.

    ``label`` is the reference, or an envelope; ``metadata`` may hold ``reference``, ``facts``, ``rubric``, ``judge``.
    Raises JudgeFailed, at which slime stops, unless ``on_failure`` says otherwise.
    """
    return await rewards_for(args, samples, ONE, GROUP)


async def rewards_for(
    args: Any, samples: Any, one: Profile[DecodedRewarder], group: Profile[DecodedRewarder]
) -> Reward | list[Reward]:
    """What ``reward`` does, for trainers that took slime's interface over."""
    profile = group if getattr(args, "group_rm", False) else one
    rewarder = profile.rewarder(settings_of(args))
    several = samples if isinstance(samples, list) else [samples]
    scored = await rewarder.ascore([_sample(sample) for sample in several])
    rewards = [_told(args, sample, found) for sample, found in zip(several, scored, strict=True)]
    return rewards if isinstance(samples, list) else rewards[0]


def settings_of(args: Any) -> dict[str, Any]:
    """Arguments of Rewarder; what ``args`` does not say is left to the environment."""
    found = {ours: getattr(args, theirs, None) for theirs, ours in SETTINGS.items()}
    return {name: value for name, value in found.items() if value is not None}


def _sample(sample: Any) -> Sample:
    columns = sample.metadata if isinstance(sample.metadata, Mapping) else {}
    return sample_of(sample.response, prompt=sample.prompt, label=sample.label, columns=columns)


def _told(args: Any, sample: Any, found: Scored) -> Reward:
    """The reward. What the judge said of it is written where slime keeps what it dumps."""
    metrics = {"judge_failed": found.metrics["judge_failed"], "judge_coverage": found.judgment.coverage}
    if isinstance(sample.metadata, dict):
        known = {**metrics, "judge_coverage": found.metrics.get("coverage")}
        sample.metadata["judge_result"] = {**known, "failure": found.failure, "judgment": found.judgment.id or None}
    value = number_of(found)
    key = getattr(args, "reward_key", None)
    return {**metrics, key: value} if key else value
