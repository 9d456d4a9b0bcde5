"""What aggregation gives: a reward or the typed reason why there is none."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from judge_server.core.model import Frozen
from judge_server.core.verdict import Failure


class JudgmentStatus(StrEnum):
    """``ok``: every applicable criterion is decided and there is a reward; ``partial``: some are decided, some not
    (there may be a reward); ``failed``: none is decided, none applies, or all are and the aggregation has no value."""

    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"


class GateFired(Frozen):
    """``assumed``: nobody read the gate, and the rubric's missing policy ``worst`` takes it to have fired."""

    criterion: str
    when: Literal["met", "unmet"]
    reward: float
    assumed: bool = False


class StepReward(Frozen):
    """``span``: character offsets into the response where it was given as text, else into ``field`` of the response's
    message number ``message`` (from 0). ``value`` is at most 1, negative where bad things outweigh, and None where
    a verdict on the step is missing: ``error`` then says why."""

    index: int
    span: tuple[int, int] | None = None
    message: int | None = None
    field: Literal["content", "reasoning"] | None = None
    value: float | None
    error: Failure | None = None


class Outcome(Frozen):
    """``coverage`` is the decided share of the applicable criterion weight, in [0, 1]."""

    reward: float | None
    status: JudgmentStatus
    coverage: float = Field(ge=0, le=1)
    components: dict[str, float | None]
    step_rewards: tuple[StepReward, ...] = ()
    gates: tuple[GateFired, ...] = ()
    error: Failure | None = None
