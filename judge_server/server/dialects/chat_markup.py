"""Decoded text → messages and response.

Only the trainer's own framing is taken away: what the chat template wrote around the prompt's turns, the header in
front of the response, and the marks at its very end. A response that spells such marks in its middle keeps them, and
what stands before them is judged like the rest.
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

from judge_server.server.dialects.chat_family import HARMONY, Family, Turn, family_of
from judge_server.server.dialects.fault import UnsplitText
from judge_server.server.dialects.framing import content_start, without_ending
from judge_server.server.dialects.harmony import read_channels

WhichTurn = Literal["first", "last"]
Text = str | list[dict[str, Any]]
_THOUGHT = re.compile(r"<(think|thinking|reasoning)>\s*(?P<closing></\1>)?")


@dataclass(frozen=True, slots=True)
class Exchange:
    """``prompt`` and ``response`` as a submission has them; ``raw_prompt`` is the prompt's text as it was sent."""

    prompt: Text
    response: Text
    raw_prompt: str | None = None


def exchange_of(prompt: str, response: str) -> Exchange:
    """From a prompt and a response that were sent apart. A prompt without known markup stays the text it is."""
    family = family_of(prompt)
    turns = family.turns(prompt) if family else None
    if family is None or not turns:
        return Exchange(prompt[content_start(prompt) :].strip(), without_ending(response), prompt)
    opened = ""
    if turns[-1].role == "assistant" and not turns[-1].closed:
        opened, turns = turns[-1].content, turns[:-1]
    elif turns[-1].role != "assistant":  # the template was rendered without it, so the policy wrote the header itself
        header = next(family.headers(response[:200]), None)
        starts = header is not None and header.role == "assistant" and not response[: header.start].strip()
        response = response[header.end :] if header and starts else response
    thought = _THOUGHT.fullmatch(opened.strip())
    messages = _messages(turns, family)
    if thought and not thought["closing"]:
        response = opened + response
    elif opened.strip() and not thought:
        messages.append({"role": "assistant", "content": opened})
    return Exchange(messages or prompt, _response(response, family), prompt)


def exchange_in(text: str, turn: WhichTurn = "first", marker: str | None = None) -> Exchange:
    """From one text that holds prompt and response.

    The response is everything behind the first header of an assistant's turn, also what a policy writes there to look
    like a new turn. ``last`` is for prompts with earlier answers in them, and believes the policy. ``marker`` splits
    texts without known markup where it first stands. Raises UnsplitText.
    """
    if marker is not None:
        return _behind(text, marker)
    family = family_of(text)
    header = family.answer_header(text, last=turn == "last") if family else None
    if family is None or header is None:
        raise UnsplitText(
            "The text shows no chat template that is known here, so prompt and response cannot be told apart.",
            remedy="Name the text in front of the response in the URL, such as ?answer_after=%0AAssistant:",
        )
    raw = text[: header.start]
    turns = family.turns(raw)
    if not turns:
        raise UnsplitText(
            f"The text begins like the {family.name} template, but its prompt is not made of that template's turns.",
            remedy="Name the text in front of the response in the URL with ?answer_after=TEXT.",
        )
    return Exchange(_messages(turns, family), _response(text[header.end :], family), raw)


def _behind(text: str, marker: str) -> Exchange:
    prompt, found, response = text.partition(marker)
    if not found:
        raise UnsplitText(
            f"The text does not hold {marker[:80]!r}, which answer_after names.",
            remedy="Write in answer_after what the trainer's template puts in front of the response.",
        )
    return Exchange(prompt[content_start(prompt) :].strip(), without_ending(response), prompt + found)


def _messages(turns: list[Turn], family: Family) -> list[dict[str, Any]]:
    messages = []
    for turn in turns:
        content = turn.content.strip()
        said = read_channels(content) if family is HARMONY and turn.role == "assistant" else None
        messages += said or [{"role": turn.role, "content": content}]
    return messages


def _response(text: str, family: Family) -> Text:
    text = without_ending(text)
    return (read_channels(text) if family is HARMONY else None) or text
