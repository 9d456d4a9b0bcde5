"""Score the samples of a trainer's request, and apply its failure policy to samples without a reward."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec

from fastapi import Request

from judge_server.core.errors import JudgeServerError, UnusableVerdict
from judge_server.core.judgment import Judgment
from judge_server.core.verdict import Failure
from judge_server.scoring.batch import parse_submission
from judge_server.server.dialects.first_reward import FirstRewards
from judge_server.server.dialects.trainer_request import Sample, TrainerRequest, room_for
from judge_server.server.middleware.request_stream import while_connected
from judge_server.server.problems import failure_of
from judge_server.server.service import require_allowed, require_items
from judge_server.util.concurrency import together

_log = logging.getLogger(__name__)
P = ParamSpec("P")
HEADER = "X-Judge-Substituted"


@dataclass(frozen=True, slots=True)
class Reward:
    """``value`` is the judge's reward if ``fault`` is None, else the number of the policy, or None for ``drop``."""

    value: float | None
    judgment: Judgment | None = None
    fault: JudgeServerError | None = None

    @property
    def error(self) -> str | None:
        """The type of the failure."""
        return None if self.fault is None else str(self.fault.extensions.get("error_type", self.fault.type))

    @property
    def failure(self) -> Failure | None:
        """Why no judge gave this value, with what to do about it."""
        return Failure(type=self.error, detail=str(self.fault)) if self.error else None

    @property
    def number(self) -> float:
        """The value, for trainers whose policies always give one."""
        if self.value is None:
            raise JudgeServerError(f"A sample has no number ({self.error}).", remedy="Please report it.")
        return self.value

    @property
    def failed(self) -> float:
        """1.0 if no judge gave this value, else 0.0; for a trainer's logs."""
        return 0.0 if self.fault is None else 1.0

    @property
    def coverage(self) -> float:
        return self.judgment.coverage if self.judgment is not None else 0.0


def sampled(build: Callable[P, dict[str, Any]], *args: P.args, **kwargs: P.kwargs) -> Sample:
    """A submission's data, or the sample's error, so that one bad sample does not fail the others."""
    try:
        return build(*args, **kwargs)
    except JudgeServerError as fault:
        return fault


async def rewards_for(request: Request, trainer: TrainerRequest, samples: Sequence[Sample]) -> list[Reward]:
    """A reward for each sample, in order; cancelled if the trainer disconnects.

    Raises the error of the first failed sample if the policy is ``raise``, and what ``FirstRewards`` raises.
    """
    require_items(len(samples), trainer.service.settings.max_batch_items, "the samples")
    require_allowed(len(samples), "the samples")
    return await while_connected(request, rewarded(trainer, samples, request.app.state.first_rewards))


async def rewarded(trainer: TrainerRequest, samples: Sequence[Sample], first_rewards: FirstRewards) -> list[Reward]:
    """As ``rewards_for``, but not cancelled if the client disconnects."""
    found: list[Judgment | JudgeServerError]
    full = await room_for(trainer, len(samples))
    if full is not None:
        found = [full] * len(samples)
    else:
        with trainer.service.scorer.admission.admit(len(samples), trainer.terms.priority):
            found = await together([_judged(trainer, sample) for sample in samples])
    try:
        await first_rewards.check(trainer, found)
    except JudgeServerError as fault:
        trainer.substitutions.refused(trainer.profile.dialect, fault)
        raise
    return [_under_policy(trainer, one) for one in found]


async def _judged(trainer: TrainerRequest, sample: Sample) -> Judgment | JudgeServerError:
    if isinstance(sample, JudgeServerError):
        return sample
    try:
        return await trainer.service.scorer.score(parse_submission(sample), trainer.terms)
    except JudgeServerError as fault:
        return fault
    except Exception:  # noqa: BLE001 - an unexpected error on one sample must not lose the others
        _log.exception("a trainer's sample could not be judged")
        return JudgeServerError("The server failed on this sample; the log has the details.")


def _under_policy(trainer: TrainerRequest, found: Judgment | JudgeServerError) -> Reward:
    if isinstance(found, Judgment) and found.reward is not None:
        return Reward(found.reward, found)
    judgment = found if isinstance(found, Judgment) else None
    raised = trainer.policy.kind == "raise"
    fault = _fault_of(found, whole=raised) if isinstance(found, Judgment) else found
    if raised:
        raise fault
    reward = Reward(trainer.policy.number, judgment, fault)
    trainer.substitutions.tell(trainer.profile.dialect, reward.error or fault.type, fault, trainer.policy)
    return reward


def _fault_of(judgment: Judgment, *, whole: bool) -> JudgeServerError:
    cause = judgment.error or Failure(type=UnusableVerdict.type, detail="No criterion has a verdict.")
    return failure_of(cause, judgment=judgment.model_dump(mode="json")) if whole else failure_of(cause)


def substituted_headers(rewards: Sequence[Reward]) -> dict[str, str]:
    """``X-Judge-Substituted: timeout=2`` if the response contains substituted rewards."""
    errors = Counter(reward.error for reward in rewards if reward.error)
    return {HEADER: ", ".join(f"{error}={count}" for error, count in sorted(errors.items()))} if errors else {}
