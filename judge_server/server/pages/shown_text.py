"""A text as it came beside the text that a judge reads, with what was taken out, in words."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from judge_server.core.submission import Message, Submission
from judge_server.judging.judge_input import message_text, shown_reference, text_in_scope

_MOST_CHARACTERS: Final = 20_000
_MOST_KINDS: Final = 20
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_UNSEEN_RUN: Final = re.compile(r"[^\n\t -~\u00a1-\u00ac\u00ae-\u02ff]")


@dataclass(frozen=True, slots=True)
class ShownText:
    """``raw``: as it came, with unseen characters written as ``[U+200B]``; ``shown``: what a judge reads, None if that
    is the same; ``removed``: the characters that were taken out, with their names; ``cut``: only the beginning stands
    here."""

    title: str
    raw: str
    shown: str | None
    removed: tuple[str, ...]
    cut: bool


def shown_texts(submission: Submission) -> Iterator[ShownText]:
    """The prompt's messages, the response and the reference."""
    for message in submission.conversation:
        title = "Prompt" if message.role == "user" else f"Prompt ({message.role})"
        yield _shown(title, _said(message), message_text(message))
    yield _shown("Response", submission.read.text, text_in_scope(submission, "response"))
    if submission.reference is not None:
        yield _shown("Reference", submission.reference, shown_reference(submission) or "")


def _said(message: Message) -> str:
    calls = (f"{call.function.name}({call.function.arguments})" for call in message.tool_calls)
    return "\n".join(filter(None, (message.content, *calls)))


def _shown(title: str, raw: str, read: str) -> ShownText:
    cut = len(raw) > _MOST_CHARACTERS
    same = raw == read
    return ShownText(
        title=title,
        raw=visible(raw[:_MOST_CHARACTERS]),
        shown=None if same else read[:_MOST_CHARACTERS],
        removed=() if same else _removed(raw, read),
        cut=cut,
    )


def visible(text: str) -> str:
    """With unseen characters written as ``[U+200B]``."""
    return _UNSEEN_RUN.sub(_seen, text)


def _seen(found: "re.Match[str]") -> str:
    character = found[0]
    return f"[U+{ord(character):04X}]" if unicodedata.category(character) in _UNSEEN else character


def _removed(raw: str, read: str) -> tuple[str, ...]:
    """The commonest first. What the judge reads in another form, such as an accent joined to its letter, counts."""
    gone = (Counter(raw) - Counter(read)).most_common(_MOST_KINDS + 1)
    told = [f"{count} × {_name(character)}" for character, count in gone[:_MOST_KINDS]]
    return (*told, "and others") if len(gone) > _MOST_KINDS else tuple(told)


def _name(character: str) -> str:
    known = {"\n": "line break", " ": "space", "\t": "tab"}.get(character)
    return known or f"U+{ord(character):04X} {unicodedata.name(character, 'without a name').lower()}"
