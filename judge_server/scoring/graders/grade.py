"""What a grader says about a sample: a score, or a typed fault with the error flags of OpenAI's graders."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from judge_server.core.errors import (
    DeadlineExceeded,
    GraderFailed,
    GraderUnavailable,
    JudgeFailure,
    UnusableVerdict,
)
from judge_server.core.judgment import Usage
from judge_server.core.verdict import Failure

Flag = Literal[
    "formula_parse_error",
    "sample_parse_error",
    "truncated_observation_error",
    "unresponsive_reward_error",
    "invalid_variable_error",
    "other_error",
    "python_grader_server_error",
    "python_grader_runtime_error",
    "model_grader_server_error",
    "model_grader_refusal_error",
    "model_grader_parse_error",
]
_BY_TYPE: dict[str, tuple[Flag, ...]] = {
    UnusableVerdict.type: ("model_grader_parse_error",),
    "low_label_mass": ("model_grader_parse_error",),
    DeadlineExceeded.type: ("model_grader_server_error", "unresponsive_reward_error"),
    GraderUnavailable.type: ("python_grader_server_error",),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """``flags``: which of OpenAI's errors this is; ``kind``: how a program ended, where one did."""

    failure: Failure
    flags: frozenset[str]
    kind: str | None = None
    remedy: str | None = None

    @staticmethod
    def of(fault: JudgeFailure) -> "Fault":
        """A failure that was raised."""
        failure = Failure.of(fault)
        if isinstance(fault, GraderFailed):
            return Fault(failure, frozenset({fault.flag}), fault.kind, fault.remedy)
        return Fault.by_type(failure)

    @staticmethod
    def by_type(failure: Failure) -> "Fault":
        """A judge's failure."""
        kind = "unavailable" if failure.type == GraderUnavailable.type else None
        return Fault(failure, frozenset(_BY_TYPE.get(failure.type, ("model_grader_server_error",))), kind)


@dataclass(frozen=True, slots=True)
class Grade:
    """Exactly one of ``score`` and ``fault``. ``scores``: of a multi grader's parts by key (None where a part failed),
    or the share of each label; ``usage`` by judge."""

    score: float | None = None
    fault: Fault | None = None
    scores: Mapping[str, float | None] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    usage: Mapping[str, Usage] = field(default_factory=dict)
    models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.score is None) == (self.fault is None):
            raise ValueError("a grade is a score or a fault")

    @property
    def every_fault(self) -> tuple[Fault, ...]:
        """Its own and its parts'."""
        own = () if self.fault is None else (self.fault,)
        return tuple(dict.fromkeys((*own, *self.faults)))
