"""What a trainer gets for a sample."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import fsum
from statistics import fmean

from judge_client.errors import JudgeFailed
from judge_client.judgment import Judgment
from judge_client.on_failure import OnFailure
from judge_client.sample import Sample

_REMEDY = "Look at the judge, or choose another on_failure (JUDGE_ON_FAILURE)."


@dataclass(frozen=True)
class Scored:
    """``reward`` is None where the judge failed and the policy drops. ``failure``: the failure's type, also where the
    policy put a number in (``substituted``)."""

    reward: float | None
    judgment: Judgment
    failure: str | None = None
    substituted: bool = False

    @property
    def metrics(self) -> dict[str, float]:
        """Flat numbers for a trainer's log: ``criterion/ID`` (the mean over steps), ``component/TAG``, ``coverage`` and
        ``judge_failed`` (0 or 1). What is not known is absent."""
        values: dict[str, list[float]] = {}
        for verdict in self.judgment.verdicts:
            if verdict.value is not None:
                values.setdefault(verdict.criterion, []).append(verdict.value)
        found = {f"criterion/{name}": fmean(several) for name, several in values.items()}
        found |= {f"component/{name}": value for name, value in self.judgment.components.items() if value is not None}
        return {**found, "coverage": self.judgment.coverage, "judge_failed": 1.0 if self.failure else 0.0}


def with_policy(samples: Sequence[Sample], judgments: Sequence[Judgment], policy: OnFailure) -> list[Scored]:
    """Rewards after the policy. Raises JudgeFailed where it says so."""
    failed = [judgment for judgment in judgments if judgment.reward is None]
    if failed and policy.kind == "raise":
        raise JudgeFailed.of(failed, _REMEDY)
    if policy.kind == "neutral" and failed:
        return _neutral(samples, judgments)
    return [_scored(judgment, policy.value) for judgment in judgments]


def _scored(judgment: Judgment, instead: float | None) -> Scored:
    if judgment.reward is not None:
        return Scored(judgment.reward, judgment)
    return Scored(instead, judgment, judgment.failure, substituted=instead is not None)


def _neutral(samples: Sequence[Sample], judgments: Sequence[Judgment]) -> list[Scored]:
    keys = [sample.prompt_key for sample in samples]
    known: dict[object, list[float]] = {}
    for key, judgment in zip(keys, judgments):
        if judgment.reward is not None:
            known.setdefault(key, []).append(judgment.reward)
    alone = [one for key, one in zip(keys, judgments) if one.reward is None and key not in known]
    if alone:
        remedy = "No other sample of the prompt has a reward to take the mean of: send a prompt's samples in one call."
        raise JudgeFailed.of(alone, remedy)
    means = {key: _mean(rewards) for key, rewards in known.items()}
    return [_scored(judgment, means.get(key)) for key, judgment in zip(keys, judgments)]


def _mean(rewards: Iterable[float]) -> float:
    several = list(rewards)
    return several[0] if min(several) == max(several) else fsum(reward / len(several) for reward in several)
