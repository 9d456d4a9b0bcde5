"""A grader's result for a sample: a score, or a typed fault with the error flags of OpenAI's graders."""

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
from judge_server.core.expression import UndefinedResult
from judge_server.core.grader import Multi
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
    "labels_not_listed": ("model_grader_parse_error",),
    "low_label_mass": ("model_grader_parse_error",),
    DeadlineExceeded.type: ("model_grader_server_error", "unresponsive_reward_error"),
    GraderUnavailable.type: ("python_grader_server_error",),
}


@dataclass(frozen=True, slots=True)
class GraderFault:
    """``flags``: which of OpenAI's errors this is; ``kind``: how a program ended, if there was one."""

    failure: Failure
    flags: frozenset[str]
    kind: str | None = None
    remedy: str | None = None

    @staticmethod
    def of(fault: JudgeFailure) -> "GraderFault":
        """A failure that was raised."""
        failure = Failure.of(fault)
        if isinstance(fault, GraderFailed):
            return GraderFault(failure, frozenset({fault.flag}), fault.kind, fault.remedy)
        return GraderFault.by_type(failure)

    @staticmethod
    def by_type(failure: Failure) -> "GraderFault":
        """A judge's failure."""
        kind = "unavailable" if failure.type == GraderUnavailable.type else None
        return GraderFault(failure, frozenset(_BY_TYPE.get(failure.type, ("model_grader_server_error",))), kind)


@dataclass(frozen=True, slots=True)
class Grade:
    """Exactly one of ``score`` and ``fault``. ``scores``: of a multi grader's parts by key (None if a part failed),
    or the share of each label; ``usage`` by judge."""

    score: float | None = None
    fault: GraderFault | None = None
    scores: Mapping[str, float | None] = field(default_factory=dict)
    faults: tuple[GraderFault, ...] = ()
    usage: Mapping[str, Usage] = field(default_factory=dict)
    models: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if (self.score is None) == (self.fault is None):
            raise ValueError("a grade is a score or a fault")

    @property
    def every_fault(self) -> tuple[GraderFault, ...]:
        """Its own and its parts'."""
        own = () if self.fault is None else (self.fault,)
        return tuple(dict.fromkeys((*own, *self.faults)))


def combined(grader: Multi, parts: Mapping[str, Grade]) -> Grade:
    """``multi``: a formula over the scores of several graders. A fault if a part has one, or if the formula has no
    finite value for these scores."""
    scores = {key: grade.score for key, grade in parts.items()}
    faults = tuple(fault for grade in parts.values() for fault in grade.every_fault)
    fault = _worst(faults)
    score: float | None = None
    if fault is None:
        known = {key: value for key, value in scores.items() if value is not None}
        try:
            score = grader.formula.evaluate(known)
        except UndefinedResult as undefined:
            fault = GraderFault.of(GraderFailed(f"calculate_output: {undefined}.", flag="formula_parse_error"))
    models = tuple(dict.fromkeys(model for grade in parts.values() for model in grade.models))
    return Grade(score, fault, scores, faults, _summed(parts), models)


def _worst(faults: tuple[GraderFault, ...]) -> GraderFault | None:
    """A fault that would recur if the request were repeated, else the first."""
    lasting = [fault for fault in faults if fault.failure.type == GraderFailed.type]
    return next(iter(lasting or faults), None)


def _summed(parts: Mapping[str, Grade]) -> dict[str, Usage]:
    judges = dict.fromkeys(judge for grade in parts.values() for judge in grade.usage)
    return {
        judge: Usage.total(grade.usage[judge] for grade in parts.values() if judge in grade.usage) for judge in judges
    }
