"""A response taken apart: the answer, the reasoning before it, tool calls, and steps with their places in the text."""

import re
from dataclasses import dataclass

from judge_server.core.message import Message, ToolCall

_THINKING = re.compile(r"\A\s*<(think|thinking|reasoning)>(.*?)(?:</\1>|\Z)", re.DOTALL)
# chat templates of reasoning models often open the thought in the prompt, so that a response only closes it
_THOUGHT_OPENED_BEFORE = re.compile(r"\A()((?:(?!<think>).)*?)</think>", re.DOTALL)
_BLANK_LINE = re.compile(r"\n[ \t]*\n\s*")


@dataclass(frozen=True, slots=True)
class Step:
    """One reasoning step or turn; ``start`` and ``end`` are character offsets into ``Response.text``."""

    index: int
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Response:
    """``text`` is everything as one text (what offsets count in); ``answer`` is what the reader of the answer sees."""

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
        return Response(text, text.strip(), "", (), _paragraphs(text, 0, len(text)))
    reasoning, answer = match.group(2), text[match.end() :]
    start, end = match.span(2)
    within = (start, end) if reasoning.strip() else (match.end(), len(text))
    return Response(text, answer.strip(), reasoning.strip(), (), _paragraphs(text, *within))


def _paragraphs(text: str, start: int, end: int) -> tuple[Step, ...]:
    """Blank lines separate the steps of a text."""
    bounds = [start]
    for match in _BLANK_LINE.finditer(text, start, end):
        bounds += [match.start(), match.end()]
    bounds.append(end)
    spans = [(first, last) for first, last in zip(bounds[::2], bounds[1::2], strict=True) if text[first:last].strip()]
    return tuple(Step(index, first, last, text[first:last]) for index, (first, last) in enumerate(spans))


def _of_messages(messages: tuple[Message, ...]) -> Response:
    """Every turn is a step; the answer is what the assistant said outside its reasoning."""
    parts: list[str] = []
    steps: list[Step] = []
    answers: list[str] = []
    reasonings: list[str] = []
    calls: list[ToolCall] = []
    position = 0
    for message in messages:
        inner = _of_text(message.content) if message.role == "assistant" else None
        thought = "\n".join(filter(None, (message.reasoning, inner.reasoning if inner else "")))
        if thought:
            reasonings.append(thought)
        if inner and inner.answer:
            answers.append(inner.answer)
        calls.extend(message.tool_calls)
        text = _turn_text(message)
        if text:
            if parts:
                parts.append("\n\n")
                position += 2
            parts.append(text)
            if text.strip():
                steps.append(Step(len(steps), position, position + len(text), text))
            position += len(text)
    return Response("".join(parts), "\n\n".join(answers), "\n\n".join(reasonings), tuple(calls), tuple(steps))


def _turn_text(message: Message) -> str:
    calls = [f"[tool call] {call.function.name}({call.function.arguments})" for call in message.tool_calls]
    content = f"[tool result] {message.content}" if message.role == "tool" else message.content
    return "\n".join(filter(None, (message.reasoning, content, *calls)))
