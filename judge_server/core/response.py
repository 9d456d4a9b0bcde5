"""A response taken apart: the answer, the reasoning before it, tool calls, and steps with their places."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from judge_server.core.message import Message, ToolCall
from judge_server.core.step import Field, Step, steps_of

_THINKING = re.compile(r"\A\s*<(think|thinking|reasoning)>(.*?)(?:</\1>|\Z)", re.DOTALL)
# chat templates of reasoning models often open the thought in the prompt, so that a response only closes it
_THOUGHT_OPENED_BEFORE = re.compile(r"\A()((?:(?!<think>).)*?)</think>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Response:
    """``text`` is everything as one text; ``answer`` is what the reader of the answer sees. ``steps``: those of the
    reasoning, or of the whole where there is none; for several messages its turns, tool results included."""

    text: str
    answer: str
    reasoning: str
    tool_calls: tuple[ToolCall, ...]
    steps: tuple[Step, ...]

    @staticmethod
    def of(response: str | tuple[Message, ...]) -> "Response":
        return _of_text(response) if isinstance(response, str) else _of_messages(response)


def _of_text(text: str) -> Response:
    match = _THINKING.match(text) or (_THOUGHT_OPENED_BEFORE.match(text) if "</think>" in text else None)
    if match is None:
        return Response(text, text.strip(), "", (), steps_of(text, 0, len(text)))
    reasoning, answer = match.group(2), text[match.end() :]
    start, end = match.span(2)
    within = (start, end) if reasoning.strip() else (match.end(), len(text))
    return Response(text, answer.strip(), reasoning.strip(), (), steps_of(text, *within))


def _of_messages(messages: tuple[Message, ...]) -> Response:
    """The answer is what the assistant said outside its reasoning."""
    inner = [_of_text(message.content) if message.role == "assistant" else None for message in messages]
    thoughts = [
        "\n".join(filter(None, (message.reasoning, read.reasoning if read else "")))
        for message, read in zip(messages, inner, strict=True)
    ]
    turns = [_turn_text(message) for message in messages]
    (only, *more) = messages
    return Response(
        text="\n\n".join(filter(None, turns)),
        answer="\n\n".join(read.answer for read in inner if read and read.answer),
        reasoning="\n\n".join(filter(None, thoughts)),
        tool_calls=tuple(call for message in messages for call in message.tool_calls),
        steps=_turns(messages, turns) if more or only.tool_calls or only.role == "tool" else _steps_of_one(only),
    )


def _steps_of_one(message: Message) -> tuple[Step, ...]:
    """A response of a single message has the steps that it would have as a text."""
    if message.reasoning and message.reasoning.strip():
        steps, field = steps_of(message.reasoning, 0, len(message.reasoning)), _REASONING
    else:
        steps, field = _of_text(message.content).steps, _CONTENT
    return tuple(replace(step, message=0, field=field) for step in steps)


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
