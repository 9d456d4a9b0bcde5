"""Input and result of every check: a CheckInput, and a CheckFinding or a typed failure."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import ClassVar

from judge_server.core.check import CheckBase, Part
from judge_server.core.criterion import CheckCriterion, Scope
from judge_server.core.errors import JudgeFailure
from judge_server.core.step import Step
from judge_server.core.submission import Response, Submission
from judge_server.core.tool_call import ToolCall
from judge_server.core.verdict import VerdictStatus


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """``value`` in [0, 1] and one short sentence about what was found."""

    value: float
    reason: str


class CheckFailed(JudgeFailure):
    """The check could not be carried out on this text: a typed verdict without a value, never 0."""

    type, title = "check_failed", "The check could not be carried out"
    verdict_status: ClassVar[VerdictStatus] = VerdictStatus.UNUSABLE


class CheckTimeout(CheckFailed):
    status, type, title = 504, "check_timeout", "The check took too long"
    verdict_status = VerdictStatus.UNAVAILABLE


class MissingReference(CheckFailed):
    status, type, title = 422, "missing_reference", "The submission has no reference to check against"
    verdict_status = VerdictStatus.UNAVAILABLE


def passed(met: bool, reason: str) -> CheckFinding:
    return CheckFinding(1.0 if met else 0.0, reason)


def counted(number: int, nouns: str, least: int, most: int | None) -> CheckFinding:
    """Whether ``number`` lies in the range, as in "3 of at most 2 citations"."""
    met = number >= least and (most is None or number <= most)
    if most is None:
        wanted = f"of at least {least} {nouns}"
    elif least == 0:
        wanted = f"of at most {most} {nouns}"
    else:
        wanted = f"{nouns}, wanted {least} to {most}"
    return passed(met, f"{number} {wanted}")


def quoted(text: str, longest: int = 60) -> str:
    """``text`` in quotation marks, on one line and cut to ``longest`` characters."""
    line = " ".join(text[: longest * 2].split())
    return f"“{line}”" if len(line) <= longest and len(text) <= longest * 2 else f"“{line[: longest - 1]}…”"


LONGEST_TEXT = 200_000
_PART_OF_SCOPE: dict[Scope, Part] = {
    "answer": "answer",
    "reasoning": "reasoning",
    "conversation": "response",
    "step": "response",
}
_READ: dict[Part, Callable[[Response], str]] = {
    "answer": lambda response: response.answer,
    "reasoning": lambda response: response.reasoning,
    "response": lambda response: response.text,
}


@dataclass(frozen=True, slots=True)
class CheckInput:
    text: str
    reference: str | None
    tool_calls: tuple[ToolCall, ...] = ()

    @staticmethod
    def of(criterion: CheckCriterion, submission: Submission, step: Step | None = None) -> "CheckInput":
        """Raises CheckFailed for a text longer than ``LONGEST_TEXT`` characters."""
        part = criterion.check.on or _PART_OF_SCOPE[criterion.scope]
        text = step.text if step else _READ[part](submission.read)
        if len(text) > LONGEST_TEXT:
            raise CheckFailed(f"The text has {len(text)} characters; a check reads at most {LONGEST_TEXT}.")
        if criterion.reference == "required" and submission.reference is None:
            raise missing_reference(criterion.check)
        return CheckInput(text, submission.reference, submission.read.tool_calls)

    def compared_with(self, spec: CheckBase, against: str | None) -> str:
        """The text to compare with: ``against`` if the rubric gives it, else the submission's reference."""
        text = self.reference if against is None else against
        if text is None or not text.strip():
            raise missing_reference(spec)
        return text


def missing_reference(spec: CheckBase) -> MissingReference:
    kind = getattr(spec, "kind", "check")
    return MissingReference(
        f"The {kind} check needs a reference and the submission has none.",
        remedy="Send `reference` with the submission or give the check `against`.",
    )


_STEPS_AT_ONCE = 2_000
_left_at_once: ContextVar[list[int] | None] = ContextVar("_left_at_once", default=None)


class NotAtOnceError(Exception):
    """The work would hold the event loop for too long."""


@contextmanager
def at_once() -> Iterator[None]:
    """What is done within raises NotAtOnceError if it is more than takes about 20 ms."""
    token = _left_at_once.set([_STEPS_AT_ONCE])
    try:
        yield
    finally:
        _left_at_once.reset(token)


def spend_at_once(steps: int) -> None:
    """Count work of about 10 µs a step."""
    left = _left_at_once.get()
    if left is not None:
        left[0] -= steps
        if left[0] < 0:
            raise NotAtOnceError
