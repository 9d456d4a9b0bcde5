"""What a check reads: the part of the response it is about, and what it is compared with."""

from collections.abc import Callable
from dataclasses import dataclass

from judge_server.core.check import CheckBase, Part
from judge_server.core.criterion import CheckCriterion, Scope
from judge_server.core.message import ToolCall
from judge_server.core.response import Response
from judge_server.core.step import Step
from judge_server.core.submission import Submission
from judge_server.judging.checks.finding import CheckFailed, MissingReference

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
        """The text to compare with: ``against`` where the rubric gives it, else the submission's reference."""
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
