"""The result of aggregation: a reward, or the typed reason why there is none."""

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

from pydantic import Field

from judge_server.core.model import Frozen
from judge_server.core.verdict import Failure, Verdict


class JudgmentStatus(StrEnum):
    """``ok``: every applicable criterion is decided and there is a reward; ``partial``: some are decided, some not
    (there may be a reward); ``failed``: none is decided, none applies, or the aggregation has no value although all are
    decided."""

    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"


class GateFired(Frozen):
    """``assumed``: the gate has no verdict, and the rubric's missing policy ``worst`` counts it as fired."""

    criterion: str
    when: Literal["met", "unmet"]
    reward: float
    assumed: bool = False


class StepReward(Frozen):
    """``span``: character offsets into a text response, or else into ``field`` of the response's message number
    ``message`` (from 0). ``value`` is at most 1, negative if negative points outweigh, and None if a verdict on the
    step is missing: ``error`` then says why."""

    index: int
    span: tuple[int, int] | None = None
    message: int | None = None
    field: Literal["content", "reasoning"] | None = None
    value: float | None
    error: Failure | None = None


class Outcome(Frozen):
    """``coverage`` is the decided share of the applicable criterion weight, ``judged_coverage`` the same among the
    criteria for a judge (None without any); both in [0, 1]."""

    reward: float | None
    status: JudgmentStatus
    coverage: float = Field(ge=0, le=1)
    judged_coverage: float | None = Field(default=None, ge=0, le=1)
    components: dict[str, float | None]
    step_rewards: tuple[StepReward, ...] = ()
    gates: tuple[GateFired, ...] = ()
    error: Failure | None = None


GATE_UNDECIDED = Failure(type="gate_undecided", detail="A gate could not be read, and it might have fired.")
NOTHING_APPLIES = Failure(type="nothing_applicable", detail="No criterion of the rubric applies to this submission.")
UNDEFINED = Failure(
    type="undefined_reward",
    detail="The aggregation has no value for these verdicts: no positive points, or an undecided component.",
)


def cause(missing: Sequence[Verdict], unheard: Sequence[str], otherwise: Failure | None) -> Failure:
    """The most common reason of the missing verdicts, with the number of affected criteria."""
    kinds = Counter(verdict.error.type for verdict in missing if verdict.error)
    if not kinds:
        detail = f"No verdict for {', '.join(unheard[:5])}."
        return otherwise if otherwise and not unheard else Failure(type="no_verdict", detail=detail)
    kind = min(kinds, key=lambda kind: (-kinds[kind], kind))
    example = next(verdict.error for verdict in missing if verdict.error and verdict.error.type == kind)
    names = sorted({verdict.criterion for verdict in missing})
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    count = "1 criterion has" if len(names) == 1 else f"{len(names)} criteria have"
    detail = f"{count} no verdict ({shown}): {example.detail}"
    return Failure(type=kind, detail=detail, retry_after_seconds=example.retry_after_seconds)
