"""A parsed response: the answer, the reasoning before it, tool calls, and steps with their positions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

from judge_server.core.message import Message, ToolCall
from judge_server.core.step import Field, Step, steps_of

_THINKING = re.compile(r"\A\s*<(think|thinking|reasoning)>(.*?)(?:</\1>|\Z)", re.DOTALL)
_OPENING, _CLOSING = "<think>", "</think>"


@dataclass(frozen=True)
class Response:
    """``text`` is everything as one text; ``answer`` is the text without the reasoning; ``source`` is the response as
    given."""

    text: str
    answer: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    source: str | tuple[Message, ...] = field(repr=False)

    @staticmethod
    def of(response: str | tuple[Message, ...]) -> "Response":
        return _of_text(response) if isinstance(response, str) else _of_messages(response)

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the reasoning, or of the whole text without any; for several messages the turns, including tool
        results. A response of 1 MB can have 300,000 of them, which takes a second to find."""
        if isinstance(self.source, str):
            return _steps_of_text(self.source)
        (only, *more) = self.source
        if more or only.tool_calls or only.role == "tool":
            return _turns(self.source, [_turn_text(message) for message in self.source])
        return _steps_of_one(only)


class _Thought(NamedTuple):
    """Character offsets of the reasoning at the beginning of a text, and of the rest."""

    start: int
    end: int
    after: int


def _thought(text: str) -> _Thought | None:
    if match := _THINKING.match(text):
        return _Thought(*match.span(2), match.end())
    # chat templates of reasoning models often open the thought in the prompt, so the response only closes it
    end = text.find(_CLOSING)
    return None if end < 0 or _OPENING in text[:end] else _Thought(0, end, end + len(_CLOSING))


def _of_text(text: str) -> Response:
    thought = _thought(text)
    if thought is None:
        return Response(text, text.strip(), "", (), text)
    return Response(text, text[thought.after :].strip(), text[thought.start : thought.end].strip(), (), text)


def _steps_of_text(text: str) -> tuple[Step, ...]:
    thought = _thought(text)
    if thought is None:
        return steps_of(text, 0, len(text))
    if text[thought.start : thought.end].strip():
        return steps_of(text, thought.start, thought.end)
    return steps_of(text, thought.after, len(text))


def _of_messages(messages: tuple[Message, ...]) -> Response:
    """The answer is the assistant's text without the reasoning."""
    inner = [_of_text(message.content) if message.role == "assistant" else None for message in messages]
    thoughts = [
        "\n".join(filter(None, (message.reasoning, read.reasoning if read else "")))
        for message, read in zip(messages, inner, strict=True)
    ]
    turns = [_turn_text(message) for message in messages]
    return Response(
        text="\n\n".join(filter(None, turns)),
        answer="\n\n".join(read.answer for read in inner if read and read.answer),
        reasoning="\n\n".join(filter(None, thoughts)),
        tool_calls=tuple(call for message in messages for call in message.tool_calls),
        source=messages,
    )


def _steps_of_one(message: Message) -> tuple[Step, ...]:
    """The steps of a single message are those of its text."""
    if message.reasoning and message.reasoning.strip():
        steps, where = steps_of(message.reasoning, 0, len(message.reasoning)), _REASONING
    else:
        steps, where = _steps_of_text(message.content), _CONTENT
    return tuple(replace(step, message=0, field=where) for step in steps)


_CONTENT: Field = "content"
_REASONING: Field = "reasoning"


def _turns(messages: tuple[Message, ...], texts: list[str]) -> tuple[Step, ...]:
    """One step for each assistant message with the tool results that follow it."""
    steps: list[Step] = []
    for first, last in _turn_bounds(messages):
        text = "\n\n".join(filter(None, texts[first:last]))
        if not text.strip():
            continue
        message = messages[first]
        field = _REASONING if message.reasoning and not message.content else _CONTENT
        end = len(message.reasoning or "") if field == _REASONING else len(message.content)
        steps.append(Step(len(steps), 0, end, text, first, field))
    return tuple(steps)


def _turn_bounds(messages: tuple[Message, ...]) -> Iterator[tuple[int, int]]:
    starts = [0, *(place for place, message in enumerate(messages) if place and message.role == "assistant")]
    yield from zip(starts, [*starts[1:], len(messages)], strict=True)


def _turn_text(message: Message) -> str:
    calls = [f"[tool call] {call.function.name}({call.function.arguments})" for call in message.tool_calls]
    content = f"[tool result] {message.content}" if message.role == "tool" else message.content
    return "\n".join(filter(None, (message.reasoning, content, *calls)))
