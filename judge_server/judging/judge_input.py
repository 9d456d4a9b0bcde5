"""The judge's input besides the criterion: the conversation, the part of the response in scope, the reference.

All texts are sanitized here, before anything is hashed, so that the cache key covers exactly what is shown.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from judge_server.core.criterion import Leaf
from judge_server.core.step import Step
from judge_server.core.submission import Message, Submission
from judge_server.core.tool_call import ToolCall
from judge_server.guard.degenerate import says_nothing
from judge_server.guard.sanitize import sanitize

_AT_ONCE_CHARACTERS = 20_000
_MARK = "\ue00a", "\ue00b"
_NO_MARKS = dict.fromkeys(map(ord, _MARK), "\ufffd")
ROLE_MARK = re.compile("\ue00a([a-z ]{1,20})\ue00b\n")


@dataclass(frozen=True, slots=True)
class ShownExample:
    """A labelled response as a judge sees it: ``text`` with its question, and the ``verdict`` in the judge's labels."""

    text: str
    verdict: str


@dataclass(frozen=True)
class JudgeInput:
    """``response`` is the text in scope; ``step``: the judged step, for criteria of step scope; ``facts``: names and
    values that the rubric shows to the judge; ``examples``: what people said of other responses. ``about`` the
    conversation: no response is shown, and the question is about what the conversation says. ``long``: prompts about it
    are written in the process for long texts."""

    conversation: tuple[Message, ...]
    response: str
    reference: str | None = None
    step: Step | None = None
    facts: tuple[tuple[str, str], ...] = ()
    about: Literal["response", "conversation"] = "response"
    examples: tuple[ShownExample, ...] = ()
    long: bool = False

    @cached_property
    def turns(self) -> tuple[tuple[str, str], ...]:
        """The role and the text of each message of the conversation."""
        return tuple([(message.role, message_text(message)) for message in self.conversation])

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
        for role, text in self.turns:
            yield role
            yield text
        yield "response"
        yield self.response
        yield "reference" if self.reference is None else f"reference {self.reference}"
        yield "step" if self.step is None else f"step {self.step.index} {self.step.text}"
        for name, value in self.facts:
            yield f"fact {name}"
            yield value
        if self.about == "conversation":
            yield "about the conversation"
        for example in self.examples:
            yield f"example {example.verdict}"
            yield example.text


def shown_input(response: str, conversation: tuple[Message, ...] = (), reference: str | None = None) -> JudgeInput:
    """The judge input of texts that are no submission to a rubric."""
    return JudgeInput(conversation, _shown(response), None if reference is None else _shown(reference))


@dataclass(eq=False)
class JudgeInputs:
    """The judge inputs of one submission, each built once. ``steps``: the steps to judge, None for all; ``facts``: what
    the rubric shows to the judge."""

    submission: Submission
    steps: Sequence[Step] | None = None
    facts: tuple[tuple[str, str], ...] = ()
    _made: dict[tuple[str, bool, int | None], JudgeInput | None] = field(default_factory=dict)

    def of(self, leaf: Leaf) -> list[JudgeInput | None]:
        """One judge input, or one for each step if the criterion has step scope. None for a part without text."""
        with_reference = leaf.reference != "none" and bool((self.submission.reference or "").strip())
        if leaf.scope == "step":
            steps = self.submission.read.steps if self.steps is None else self.steps
            return [self._input("step", with_reference, step) for step in steps]
        return [self._input(leaf.scope, with_reference, None)]

    def _input(self, scope: str, with_reference: bool, step: Step | None) -> JudgeInput | None:
        key = (scope, with_reference, step.index if step else None)
        if key not in self._made:
            self._made[key] = self._new(scope, with_reference, step)
        return self._made[key]

    def _new(self, scope: str, with_reference: bool, step: Step | None) -> JudgeInput | None:
        response = text_in_scope(self.submission, scope)
        shown = None if step is None else replace(step, text=step_text(self.submission, step))
        if not (response if shown is None else shown.text).strip():
            return None
        reference = shown_reference(self.submission) if with_reference else None
        long = self.submission.characters > _AT_ONCE_CHARACTERS
        return JudgeInput(self.submission.conversation, response, reference, shown, self._shown_facts, long=long)

    @cached_property
    def _shown_facts(self) -> tuple[tuple[str, str], ...]:
        return tuple([(_shown(name), _shown(value)) for name, value in self.facts])


def text_in_scope(submission: Submission, scope: str) -> str:
    """The part of the response that a criterion of this scope reads. Degenerate text is left out of the reasoning, and
    out of an answer beside tool calls: the guard checks answers only, and lets an agent's calls pass."""
    read = submission.read
    if scope == "reasoning":
        return "" if says_nothing(read.reasoning) else _shown(read.reasoning)
    if scope != "answer":
        return _messages_text(submission.response) if _has_turns(submission.response) else _shown(read.text)
    if read.tool_calls and says_nothing(read.answer, submission.reference):
        return "\n".join(_call_text(call) for call in read.tool_calls)
    return _shown(read.answer)


def step_text(submission: Submission, step: Step) -> str:
    """A step as a judge sees it: for a response with turns, the turn and the tool results after it. A step without text
    is blank: it meets no criterion, and no judge is asked."""
    if says_nothing(step.text):
        return ""
    messages = submission.response
    if isinstance(messages, str) or step.message is None or not _has_turns(messages):
        return _shown(step.text)
    first = step.message
    later = (place for place in range(first + 1, len(messages)) if messages[place].role == "assistant")
    return _messages_text(messages[first : next(later, len(messages))])


def example_text(prompt: str, response: str, most: int) -> str:
    """Another question with its response as a judge sees them, each cut to ``most`` characters with a mark."""
    cut = [text if len(text) <= most else f"{text[:most]} [...]" for text in (_shown(prompt), _shown(response))]
    return f"{role_mark('user')}{cut[0]}\n\n{role_mark('assistant')}{cut[1]}"


def shown_reference(submission: Submission) -> str | None:
    """The reference answer as a judge sees it."""
    return None if submission.reference is None else _shown(submission.reference)


def message_text(message: Message) -> str:
    """A turn as the judge sees it, tool calls included."""
    calls = [_call_text(call) for call in message.tool_calls]
    return "\n".join(filter(None, (_shown(message.content), *calls)))


def role_mark(role: str) -> str:
    """Marks the start of a role's text. The prompt shows the mark with the code of the text's fence; outside text
    cannot contain it, so a role that a text only claims never has the code."""
    return f"{_MARK[0]}{role}{_MARK[1]}\n"


def _has_turns(response: str | tuple[Message, ...]) -> bool:
    """Whether a response has roles of its own. One message without calls is shown as its text."""
    if isinstance(response, str):
        return False
    return len(response) > 1 or bool(response[0].tool_calls) or response[0].role == "tool"


def _messages_text(messages: str | tuple[Message, ...]) -> str:
    if isinstance(messages, str):
        return _shown(messages)
    turns = []
    for message in messages:
        said = _shown("\n".join(filter(None, (message.reasoning, message.content))))
        role = "tool result" if message.role == "tool" else message.role
        calls = [_call_text(call) for call in message.tool_calls]
        turns.append("\n".join([f"{role_mark(role)}{said}", *calls] if said or not calls else calls))
    return "\n\n".join(turns)


def _call_text(call: ToolCall) -> str:
    return f"{role_mark('tool call')}{_shown(f'{call.function.name}({call.function.arguments})')}"


def _shown(text: str) -> str:
    """``text`` without invisible characters and without the characters of role marks."""
    shown = sanitize(text)
    return shown if shown.isascii() else shown.translate(_NO_MARKS)
