"""A grader's result for a sample: a score, or a typed fault with the error flags of OpenAI's graders."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
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
_MOST_AT_BOTH_ENDS = 8
_BY_TYPE: dict[str, tuple[Flag, ...]] = {
    UnusableVerdict.type: ("model_grader_parse_error",),
    "cannot_tell_empty": ("model_grader_parse_error",),
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
    or the share of each label; ``usage`` by judge. ``flags``: what the guard saw in the sample. ``highest``: set if no
    judge was asked because the sample was refused; the score is then the lowest that a judge could give, and this the
    highest."""

    score: float | None = None
    fault: GraderFault | None = None
    scores: Mapping[str, float | None] = field(default_factory=dict)
    faults: tuple[GraderFault, ...] = ()
    usage: Mapping[str, Usage] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    highest: float | None = None

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
    finite value for these scores. If samples were refused, the lowest value that their judges' scores could give."""
    scores = {key: grade.score for key, grade in parts.items()}
    faults = tuple(fault for grade in parts.values() for fault in grade.every_fault)
    flags = tuple(dict.fromkeys(flag for grade in parts.values() for flag in grade.flags))
    fault = _worst(faults)
    score: float | None = None
    if fault is None:
        values, undefined = _values(grader, parts)
        score = min(values, default=None)
        if score is None:
            fault = GraderFault.of(GraderFailed(f"calculate_output: {undefined}.", flag="formula_parse_error"))
    models = tuple(dict.fromkeys(model for grade in parts.values() for model in grade.models))
    return Grade(score, fault, scores, faults, _summed(parts), models, flags)


def _possible(parts: Mapping[str, Grade]) -> Iterator[dict[str, float]]:
    """The scores of the parts; those of refused samples at both ends, in every combination if they are few."""
    known = {key: grade.score for key, grade in parts.items() if grade.score is not None}
    ends = {key: (grade.score, grade.highest) for key, grade in parts.items() if grade.highest is not None}
    few = len(ends) <= _MOST_AT_BOTH_ENDS
    for chosen in product(*ends.values()) if few else zip(*ends.values(), strict=True):
        yield known | {key: value for key, value in zip(ends, chosen, strict=True) if value is not None}


def _values(grader: Multi, parts: Mapping[str, Grade]) -> tuple[list[float], UndefinedResult | None]:
    """What the formula gives for the possible scores, and why it gives nothing for some."""
    values, undefined = list[float](), None
    for scores in _possible(parts):
        try:
            values.append(grader.formula.evaluate(scores))
        except UndefinedResult as error:
            undefined = error
    return values, undefined


def _worst(faults: tuple[GraderFault, ...]) -> GraderFault | None:
    """A fault that would recur if the request were repeated, else the first."""
    lasting = [fault for fault in faults if fault.failure.type == GraderFailed.type]
    return next(iter(lasting or faults), None)


def _summed(parts: Mapping[str, Grade]) -> dict[str, Usage]:
    judges = dict.fromkeys(judge for grade in parts.values() for judge in grade.usage)
    return {
        judge: Usage.total(grade.usage[judge] for grade in parts.values() if judge in grade.usage) for judge in judges
    }
