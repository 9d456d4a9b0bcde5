"""What a judge sees besides the criterion: the conversation, the part of the response in scope, the reference.

All texts are sanitized here, before anything is hashed, so that the cache key covers exactly what is shown.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from judge_server.core.criterion import Leaf
from judge_server.core.message import Message, ToolCall
from judge_server.core.step import Step
from judge_server.core.submission import Submission
from judge_server.guard.degenerate import says_nothing
from judge_server.guard.sanitize import sanitize


@dataclass(frozen=True)
class JudgeInput:
    """``response`` is the text in scope; ``step`` the one step that is judged, for criteria of that scope."""

    conversation: tuple[Message, ...]
    response: str
    reference: str | None = None
    step: Step | None = None

    @property
    def blank(self) -> bool:
        """Whether nothing is in scope."""
        return not (self.response if self.step is None else self.step.text).strip()

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all texts, each prefixed with its length so that different contents cannot collide."""
        hashed = hashlib.sha256()
        for text in self._texts():
            data = text.encode("utf-8", "surrogatepass")
            hashed.update(len(data).to_bytes(8, "big"))
            hashed.update(data)
        return hashed.hexdigest()

    def _texts(self) -> Iterator[str]:
        for message in self.conversation:
            yield message.role
            yield message_text(message)
        yield "response"
        yield self.response
        yield "reference" if self.reference is None else f"reference {self.reference}"
        yield "step" if self.step is None else f"step {self.step.index} {self.step.text}"


class JudgeInputs:
    """The judge inputs of one submission, each built once. ``steps``: the steps to judge, None for all."""

    def __init__(self, submission: Submission, steps: Sequence[Step] | None = None) -> None:
        self.submission = submission
        self.steps = submission.read.steps if steps is None else steps
        self._made: dict[tuple[str, bool, int | None], JudgeInput] = {}

    def of(self, leaf: Leaf) -> list[JudgeInput]:
        """One judge input, or one for each step if the criterion has step scope."""
        with_reference = leaf.reference != "none" and bool((self.submission.reference or "").strip())
        if leaf.scope == "step":
            return [self._input("step", with_reference, step) for step in self.steps]
        return [self._input(leaf.scope, with_reference, None)]

    def _input(self, scope: str, with_reference: bool, step: Step | None) -> JudgeInput:
        key = (scope, with_reference, step.index if step else None)
        if key not in self._made:
            self._made[key] = JudgeInput(
                conversation=self.submission.conversation,
                response=text_in_scope(self.submission, scope),
                reference=shown_reference(self.submission) if with_reference else None,
                step=None if step is None else replace(step, text=_step_text(step)),
            )
        return self._made[key]


def text_in_scope(submission: Submission, scope: str) -> str:
    """The part of the response that a criterion of this scope reads. Degenerate text is left out of the reasoning, and
    out of an answer beside tool calls: the guard checks answers only, and lets an agent's calls pass."""
    read = submission.read
    if scope == "reasoning":
        return "" if says_nothing(read.reasoning) else sanitize(read.reasoning)
    if scope != "answer":
        return sanitize(read.text)
    if read.tool_calls and says_nothing(read.answer, submission.reference):
        return sanitize("\n".join(_call_text(call) for call in read.tool_calls))
    return sanitize(read.answer)


def _step_text(step: Step) -> str:
    """A step that says nothing is blank: it meets nothing, and no judge is asked."""
    return "" if says_nothing(step.text) else sanitize(step.text)


def shown_reference(submission: Submission) -> str | None:
    """The reference answer as a judge sees it."""
    return None if submission.reference is None else sanitize(submission.reference)


def message_text(message: Message) -> str:
    """A turn as the judge sees it, tool calls included."""
    return sanitize("\n".join(filter(None, (message.content, *(_call_text(call) for call in message.tool_calls)))))


def _call_text(call: ToolCall) -> str:
    return f"(calls {call.function.name} with {call.function.arguments})"
