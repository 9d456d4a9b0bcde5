"""What gpt-oss writes: channels of analysis, commentary and the final answer, one after the other.

Format: OpenAI's harmony. The model's text begins behind ``<|start|>assistant``:
``<|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>…<|return|>``
"""

import re
from typing import Any

_PART = re.compile(
    r"(?:<\|start\|>assistant)?<\|channel\|>(?P<channel>analysis|commentary|final)(?P<header>[^<\n]{0,200})<\|message\|>"
)
_END = "<|end|>"


def read_channels(text: str) -> list[dict[str, Any]] | None:
    """The assistant's messages, or None where the text does not begin with a channel. From the first final answer on
    everything belongs to the answer, whatever marks it writes: nothing is left out."""
    reasoning: list[str] = []
    said: list[str] = []
    place = 0
    while match := _PART.match(text, place):
        end = text.find(_END, match.end())
        if match["channel"] == "final" or end < 0:
            return _messages(reasoning, said, match["channel"], text[match.end() :])
        (reasoning if match["channel"] == "analysis" else said).append(text[match.end() : end])
        place = end + len(_END)
    if not place:
        return None
    return _messages(reasoning, said, "final", text[place:])


def _messages(reasoning: list[str], said: list[str], channel: str, rest: str) -> list[dict[str, Any]]:
    """One message: a thought that is cut off stays a thought."""
    if channel == "analysis":
        reasoning, rest = [*reasoning, rest], ""
    content = "\n\n".join(filter(str.strip, [*said, rest]))
    return [{"role": "assistant", "content": content, "reasoning": "\n\n".join(reasoning) or None}]
