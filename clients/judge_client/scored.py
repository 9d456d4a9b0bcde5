"""What a trainer gets for a sample, after the policy for judges that fail."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from math import fsum
from statistics import fmean

from judge_client.errors import BadConfiguration, JudgeFailed
from judge_client.judgment import UNEXPLAINED, Failure, Judgment
from judge_client.on_failure import OnFailure

_FLOAT32 = 1e-6
_REMEDY = "Look at the judge, or choose another on_failure (JUDGE_ON_FAILURE)."
_ALONE = "No other sample of its prompt has a reward to take the mean of: send a prompt's samples in one call."


@dataclass(frozen=True)
class Scored:
    """``reward`` is None if the judge failed and the policy drops. ``failure``: the failure's type, also if the
    policy put a number in (``substituted``); ``detail`` says more of it."""

    reward: float | None
    judgment: Judgment
    failure: str | None = None
    substituted: bool = False
    detail: str | None = None

    @classmethod
    def of(cls, judgment: Judgment) -> Scored:
        """Before any policy."""
        return cls.with_reward(judgment.reward, judgment, judgment.failure)

    @classmethod
    def with_reward(cls, reward: float | None, judgment: Judgment, failure: Failure | None) -> Scored:
        """A reward that is not the judgment's own, such as one relative to a group."""
        if reward is not None:
            return cls(reward, judgment)
        reason = failure or UNEXPLAINED
        return cls(None, judgment, reason.type, detail=reason.detail)

    @property
    def metrics(self) -> dict[str, float]:
        """Flat numbers for a trainer's log. ``criterion/ID`` (the mean over steps) and ``component/TAG``; ``coverage``
        and ``judged_coverage``; ``cached`` and ``abstained``, shares of the verdicts; ``partial``, ``flagged``,
        ``judge_failed`` and ``judge_substituted``, 0 or 1; ``latency_seconds``. What is not known is absent: a judgment
        that failed has no coverage of 0."""
        values: dict[str, list[float]] = {}
        for verdict in self.judgment.verdicts:
            if verdict.value is not None:
                values.setdefault(verdict.criterion, []).append(verdict.value)
        found = {f"criterion/{name}": fmean(several) for name, several in values.items()}
        found |= {f"component/{name}": value for name, value in self.judgment.components.items() if value is not None}
        marks = {"judge_failed": float(self.failure is not None), "judge_substituted": float(self.substituted)}
        return {**found, **self._of_the_judgment(), **marks}

    def _of_the_judgment(self) -> dict[str, float]:
        judgment = self.judgment
        if not judgment.id and judgment.reward is None:
            return {}  # the server could not be asked
        found = {"partial": float(judgment.status == "partial"), "flagged": float(bool(judgment.flags))}
        if judgment.reward is not None:
            found["coverage"] = judgment.coverage
            if judgment.judged_coverage is not None:
                found["judged_coverage"] = judgment.judged_coverage
        if judgment.timing.total_seconds:
            found["latency_seconds"] = judgment.timing.total_seconds
        if judgment.verdicts:
            count = len(judgment.verdicts)
            found["cached"] = sum(verdict.cached for verdict in judgment.verdicts) / count
            found["abstained"] = sum(verdict.status == "abstained" for verdict in judgment.verdicts) / count
        return found

    def component(self, name: str) -> float | None:
        """What a tag's criteria earned, or a criterion's value, as a reward of its own; the policy's number if the
        judge failed. None if it is not known. Raises BadConfiguration if the rubric has neither."""
        known = self.metrics
        found = known.get(f"component/{name}", known.get(f"criterion/{name}"))
        if found is not None or self.failure is not None:
            return self.reward if found is None else found
        names = {*self.judgment.components, *(verdict.criterion for verdict in self.judgment.verdicts)}
        if name not in names:
            raise BadConfiguration(
                f"The rubric has no tag and no criterion {name!r}.", remedy=f"Choose of {', '.join(sorted(names))}."
            )
        return None

    def metrics_under(self, name: str) -> dict[str, float]:
        """``NAME/criterion/ID`` and so on."""
        return {f"{name}/{metric}": value for metric, value in self.metrics.items()}


def with_policy(scored: Sequence[Scored], prompts: Sequence[Hashable], policy: OnFailure) -> list[Scored]:
    """The same after the policy. ``prompts``: what samples of one prompt have in common. Raises JudgeFailed if the
    policy says so."""
    if policy.kind == "raise":
        return _all_known(scored, _REMEDY)
    if policy.kind == "neutral":
        means = _means(scored, prompts)
        known = [_instead(one, means.get(prompt)) for one, prompt in zip(scored, prompts, strict=True)]
        return _all_known(known, _ALONE)
    return [_instead(one, policy.value) for one in scored]


def _all_known(scored: Sequence[Scored], remedy: str) -> list[Scored]:
    failed = [one for one in scored if one.reward is None]
    if failed:
        raise judge_failed(failed, remedy)
    return list(scored)


def judge_failed(failed: Sequence[Scored], remedy: str) -> JudgeFailed:
    """The error for samples without a reward; its text is about the first of them."""
    failures = [Failure(one.failure or UNEXPLAINED.type, one.detail or UNEXPLAINED.detail) for one in failed]
    return JudgeFailed.of(failures, [one.judgment for one in failed], remedy)


def _instead(one: Scored, number: float | None) -> Scored:
    return one if one.reward is not None or number is None else replace(one, reward=number, substituted=True)


def _means(scored: Sequence[Scored], prompts: Sequence[Hashable]) -> dict[Hashable, float]:
    known: dict[Hashable, list[float]] = {}
    for one, prompt in zip(scored, prompts, strict=True):
        if one.reward is not None:
            known.setdefault(prompt, []).append(one.reward)
    return {prompt: mean(rewards) for prompt, rewards in known.items()}


def zero_variance_share(scored: Sequence[Scored], groups: Sequence[Hashable]) -> float | None:
    """The share of groups of two or more known rewards in which all are equal to float32's precision, so that they
    teach nothing; None if there is no such group. ``groups``: what samples of one prompt have in common."""
    known: dict[Hashable, list[float]] = {}
    for one, group in zip(scored, groups, strict=True):
        if one.reward is not None:
            known.setdefault(group, []).append(one.reward)
    several = [rewards for rewards in known.values() if len(rewards) > 1]
    if not several:
        return None
    return sum(max(one) - min(one) <= _FLOAT32 * max(1.0, *map(abs, one)) for one in several) / len(several)


def mean(rewards: Sequence[float]) -> float:
    """Without rounding where all are equal, and without overflow."""
    return rewards[0] if min(rewards) == max(rewards) else fsum(reward / len(rewards) for reward in rewards)
