"""TRL, and the trainers built on it (Axolotl, Unsloth): ``reward_funcs=[RubricReward("medical/consultation")]``.

If a trainer wants a dotted path, ``judge_client.adapters.trl.rubric_reward`` (async), ``….sync_rubric_reward`` and
``….unmasked_rubric_reward`` serve, configured by the environment.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cache
from importlib import metadata
from math import fsum
from typing import Any, ClassVar

from judge_client.adapters.asynchronous import SettledRewards, async_reward
from judge_client.adapters.columns import USUAL, Columns, logged_step, require_columns
from judge_client.diversity import diversity
from judge_client.errors import BadConfiguration
from judge_client.on_failure import KINDS, Kind, OnFailure
from judge_client.rewarder import Rewarder
from judge_client.sample import Sample, Text
from judge_client.scored import Scored, zero_variance_share

Rewards = list[float | None]
_UNMASKED: tuple[Kind, ...] = ("raise", "neutral", "number")


class _Reward:
    """``name``: in TRL's metrics; the rubric's if there is one. ``columns``: what the data set calls its columns.
    ``options``: those of Rewarder (url, api_key, judge, deadline_seconds, priority, …). Picklable."""

    bears: ClassVar[Sequence[Kind]] = KINDS
    default: ClassVar[OnFailure] = OnFailure.DROP
    trainer: ClassVar[str] = "TRL"

    def __init__(
        self,
        rubric: str | Mapping[str, Any] | None = None,
        *,
        on_failure: OnFailure | str | float | None = None,
        name: str | None = None,
        columns: Columns = USUAL,
        **options: Any,
    ) -> None:
        _require_no_call(type(self).__name__, options)
        bears, default, trainer = self.bears, self.default, self.trainer
        if "drop" in bears and not masks_missing_rewards():
            bears, default, trainer = _UNMASKED, OnFailure.RAISE, "TRL before 1.6, which counts a missing reward as 0,"
        policy = OnFailure.choose(on_failure, default=default, bears=bears, trainer=trainer)
        self.rewarder = Rewarder(rubric, on_failure=policy, **options)
        self.columns = require_columns(columns)
        known = self.rewarder.terms.rubric
        self.__name__ = name or _name_of(known, self.rewarder.terms.judge)

    def _samples(self, prompts: Sequence[Text], completions: Sequence[Text], given: Mapping[str, Any]) -> list[Sample]:
        return self.columns.samples(prompts, completions, given, step=logged_step(given))

    def _rewards(self, scored: Sequence[Scored], samples: Sequence[Sample], given: Mapping[str, Any]) -> Rewards:
        log_metric = given.get("log_metric")
        groups = [sample.prompt_key for sample in samples]
        tell(scored, self.__name__, given.get("log_extra"), log_metric, groups)
        if log_metric:
            for name, value in diversity([sample.response for sample in samples], groups).items():
                log_metric(f"{self.__name__}/{name}", value)
        return [one.reward for one in scored]


class RubricReward(_Reward):
    """An async reward function: other rewards are computed while the judge thinks.

    Takes prompts and completions as text or as messages. Returns a number for each, or None if the judge failed and
    the policy drops: TRL leaves such a completion out of its group's baseline. Raises JudgeFailed if the policy says
    so.
    """

    @async_reward("Give this trainer SyncRubricReward.")
    async def __call__(self, prompts: Sequence[Text], completions: Sequence[Text], **given: Any) -> Rewards:
        samples = self._samples(prompts, completions, given)
        return self._rewards(await self.rewarder.ascore(samples), samples, given)


class SyncRubricReward(_Reward):
    """RubricReward for trainers that know no async reward functions."""

    def __call__(self, prompts: Sequence[Text], completions: Sequence[Text], **given: Any) -> Rewards:
        samples = self._samples(prompts, completions, given)
        return SettledRewards(self._rewards(self.rewarder.score(samples), samples, given))


class UnmaskedRubricReward(SyncRubricReward):
    """For trainers that add a missing reward up as 0 (TRL's OnlineDPO and SDPO, Axolotl's asynchronous GRPO): nothing
    is dropped here."""

    bears = _UNMASKED
    default = OnFailure.RAISE
    trainer = "a trainer that counts a missing reward as 0"


def _require_no_call(name: str, options: Mapping[str, Any]) -> None:
    """Raises BadConfiguration if a trainer was given the class, and calls it as a reward function."""
    if "completions" in options:
        raise BadConfiguration(
            f"{name} was given as a class, and a reward is an instance of it.",
            remedy=f'Write reward_funcs=[{name}("medical/consultation")].',
        )


def _name_of(rubric: str | Mapping[str, Any] | None, judge: str | None) -> str:
    """One rubric under two judges has two names in the log; a rubric given whole has that of its id."""
    named = rubric.get("id") if isinstance(rubric, Mapping) else rubric
    found = named if isinstance(named, str) else "rubric_reward"
    return f"{found}@{judge}" if judge else found


def masks_missing_rewards() -> bool:
    """Whether GRPO and RLOO of the TRL that is installed leave a reward of None out of the baseline, as releases since
    1.6 do (https://github.com/huggingface/trl/pull/5902). Also if no TRL is installed."""
    try:
        major, minor = metadata.version("trl").split(".")[:2]
    except metadata.PackageNotFoundError:
        return True
    return (int(major), int(minor)) >= (1, 6)


def tell(
    scored: Sequence[Scored],
    name: str,
    log_extra: Callable[[str, list[Any]], None] | None,
    log_metric: Callable[[str, float], None] | None,
    groups: Sequence[Hashable] | None = None,
) -> None:
    """Log every number of ``Scored.metrics``: for each completion, and its mean over those that have it.

    ``judge_failed`` is the share that failed, ``judge_substituted`` the share whose reward the policy put in,
    ``zero_variance`` the share of ``groups`` that teach nothing. The completions' log has the judgments' ids, for
    ``GET /v1/judgments/{id}``."""
    tables = [one.metrics for one in scored]
    for key in sorted({key for table in tables for key in table}):
        values = [table[key] for table in tables if key in table]
        if log_metric:
            log_metric(f"{name}/{key}", fsum(values) / len(values))
        if log_extra:
            log_extra(f"{name}/{key}", [table.get(key) for table in tables])
    equal = None if groups is None else zero_variance_share(scored, groups)
    if log_metric and equal is not None:
        log_metric(f"{name}/zero_variance", equal)
    if log_extra:
        log_extra(f"{name}/failure", [one.failure for one in scored])
        log_extra(f"{name}/judgment", [one.judgment.id or None for one in scored])


@async_reward("Give this trainer judge_client.adapters.trl.sync_rubric_reward.")
async def rubric_reward(prompts: Sequence[Text], completions: Sequence[Text], **given: Any) -> Rewards:
    """RubricReward, configured by JUDGE_RUBRIC, JUDGE_URL and the other variables of Rewarder."""
    return await _asynchronous()(prompts, completions, **given)


def sync_rubric_reward(prompts: Sequence[Text], completions: Sequence[Text], **given: Any) -> Rewards:
    """SyncRubricReward, configured by the environment."""
    return _synchronous()(prompts, completions, **given)


def unmasked_rubric_reward(prompts: Sequence[Text], completions: Sequence[Text], **given: Any) -> Rewards:
    """UnmaskedRubricReward, configured by the environment."""
    return _unmasked()(prompts, completions, **given)


@cache
def _asynchronous() -> RubricReward:
    return RubricReward()


@cache
def _synchronous() -> SyncRubricReward:
    return SyncRubricReward()


@cache
def _unmasked() -> UnmaskedRubricReward:
    return UnmaskedRubricReward()
