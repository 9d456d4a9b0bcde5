"""Decoded text → messages and response.

Only the framing of the chat template is removed: the marks around the prompt's turns, the header in front of the
response, and the marks at its very end. Marks in the middle of a response stay, and all of the response is judged.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

from judge_server.core.errors import BadSubmission
from judge_server.server.dialects.chat_family import HARMONY, ChatTurn, Family, content_start, family_of, without_ending

WhichTurn = Literal["first", "last"]
Text = str | list[dict[str, Any]]
_THOUGHT = re.compile(r"<(think|thinking|reasoning)>\s*(?P<closing></\1>)?")


class UnsplitText(BadSubmission):
    type, title = "unsplit_text", "Prompt and response cannot be told apart"


@dataclass(frozen=True, slots=True)
class PromptAndResponse:
    """``prompt`` and ``response`` as a submission has them; ``raw_prompt`` is the prompt's text as it was sent."""

    prompt: Text
    response: Text
    raw_prompt: str | None = None


def split_pair(prompt: str, response: str) -> PromptAndResponse:
    """From a prompt and a response that were sent separately. A prompt without known markup stays a text."""
    family = family_of(prompt)
    turns = family.turns(prompt) if family else None
    if family is None or not turns:
        return PromptAndResponse(prompt[content_start(prompt) :].strip(), without_ending(response), prompt)
    opened = ""
    if turns[-1].role == "assistant" and not turns[-1].closed:
        opened, turns = turns[-1].content, turns[:-1]
    elif turns[-1].role != "assistant":  # rendered without a generation prompt: the policy wrote the header itself
        header = next(family.headers(response[:200]), None)
        starts = header is not None and header.role == "assistant" and not response[: header.start].strip()
        response = response[header.end :] if header and starts else response
    thought = _THOUGHT.fullmatch(opened.strip())
    messages = _messages(turns, family)
    if thought and not thought["closing"]:
        response = opened + response
    elif opened.strip() and not thought:
        messages.append({"role": "assistant", "content": opened})
    return PromptAndResponse(messages or prompt, _response(response, family), prompt)


def split_text(text: str, turn: WhichTurn = "first", marker: str | None = None) -> PromptAndResponse:
    """From one text that holds prompt and response.

    The response is everything after the first assistant header, including what a policy writes to look like a new turn.
    ``last`` uses the last assistant header instead: for prompts with earlier answers, and only for policies that do not
    write headers themselves. ``marker`` splits texts without known markup at its first occurrence. Raises UnsplitText.
    """
    if marker is not None:
        return _behind(text, marker)
    family = family_of(text)
    header = family.answer_header(text, last=turn == "last") if family else None
    if family is None or header is None:
        raise UnsplitText(
            "The text has no known chat template, so prompt and response cannot be separated.",
            remedy="Give the text in front of the response in the URL, such as ?answer_after=%0AAssistant:",
        )
    raw = text[: header.start]
    turns = family.turns(raw)
    if not turns:
        raise UnsplitText(
            f"The text begins like the {family.name} template, but its prompt is not made of that template's turns.",
            remedy="Give the text in front of the response in the URL with ?answer_after=TEXT.",
        )
    return PromptAndResponse(_messages(turns, family), _response(text[header.end :], family), raw)


def _behind(text: str, marker: str) -> PromptAndResponse:
    prompt, found, response = text.partition(marker)
    if not found:
        raise UnsplitText(
            f"The text does not contain {marker[:80]!r}, which answer_after gives.",
            remedy="Write in answer_after what the trainer's template puts in front of the response.",
        )
    return PromptAndResponse(prompt[content_start(prompt) :].strip(), without_ending(response), prompt + found)


def _messages(turns: list[ChatTurn], family: Family) -> list[dict[str, Any]]:
    messages = []
    for turn in turns:
        content = turn.content.strip()
        said = read_channels(content) if family is HARMONY and turn.role == "assistant" else None
        messages += said or [{"role": turn.role, "content": content}]
    return messages


def _response(text: str, family: Family) -> Text:
    text = without_ending(text)
    return (read_channels(text) if family is HARMONY else None) or text


_PART = re.compile(
    r"(?:<\|start\|>assistant)?<\|channel\|>(?P<channel>analysis|commentary|final)(?P<header>[^<\n]{0,200})<\|message\|>"
)
_END = "<|end|>"


def read_channels(text: str) -> list[dict[str, Any]] | None:
    """The assistant's messages of a text in OpenAI's harmony format (gpt-oss); None if it does not begin with a
    channel.

    The model's text begins after ``<|start|>assistant``:
    ``<|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>…<|return|>``. Everything from
    the first final channel on belongs to the answer, so that no part of it escapes the judge.
    """
    reasoning: list[str] = []
    said: list[str] = []
    place = 0
    while match := _PART.match(text, place):
        end = text.find(_END, match.end())
        if match["channel"] == "final" or end < 0:
            return _harmony_message(reasoning, said, match["channel"], text[match.end() :])
        (reasoning if match["channel"] == "analysis" else said).append(text[match.end() : end])
        place = end + len(_END)
    if not place:
        return None
    return _harmony_message(reasoning, said, "final", text[place:])


def _harmony_message(reasoning: list[str], said: list[str], channel: str, rest: str) -> list[dict[str, Any]]:
    """One message. Reasoning that is cut off stays reasoning."""
    if channel == "analysis":
        reasoning, rest = [*reasoning, rest], ""
    content = "\n\n".join(filter(str.strip, [*said, rest]))
    return [{"role": "assistant", "content": content, "reasoning": "\n\n".join(reasoning) or None}]
