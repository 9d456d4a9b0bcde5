"""Prompts as token ids for servers that take them: by the configured tokenizer, or by a server's ``/tokenize``.

With a tokenizer of our own no outside text can yield a control token (``tokenizing``). ``/tokenize`` reads control
strings as control tokens, so outside text reaches it with its control strings broken, as it reaches chat completions.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from judge_server.core.errors import BadConfiguration, UnusableVerdict
from judge_server.models.chat_template import ChatTemplate
from judge_server.models.openai_wire import broken, plain_text
from judge_server.models.protocol import Prompt, Segment, Turn
from judge_server.models.reserved import ControlStrings
from judge_server.models.tokenizing import PartTokenizer
from judge_server.util.lru import BoundedCache

Tokenize = Callable[[Mapping[str, Any]], Awaitable[list[int]]]
_LOG = logging.getLogger(__name__)
_CACHED_TOKENS: Final = 2_000_000
_MARKS: Final = ("Quartz is a mineral", "Basalt is a rock")
_MATERIAL: Final = frozenset(("conversation", "response", "reference"))
_LONG_CHARACTERS: Final = 20_000


class TokenIds(Protocol):
    async def of(self, prompt: Prompt) -> list[int]:
        """The ids of ``prompt`` up to where the model answers. Raises UnusableVerdict if it cannot be written so."""


class OwnTokens:
    """Ids by the tokenizer and chat template of the served model."""

    def __init__(self, template: ChatTemplate, strings: ControlStrings) -> None:
        self._template = template
        self._strings = strings

    async def of(self, prompt: Prompt) -> list[int]:
        # broken as for chat completions, so that the judge reads the same text on both ways
        turns = [Turn(turn.role, tuple(_broken(turn.segments, self._strings))) for turn in prompt.turns]
        same = Prompt(tuple(turns), prompt.prefix)
        try:
            if sum(len(turn.text) for turn in turns) > _LONG_CHARACTERS:
                return await asyncio.to_thread(self._template.encode, same)
            return self._template.encode(same)
        except BadConfiguration as fault:
            raise UnusableVerdict(fault.detail) from None


class ServerTokens:
    """Ids by ``/tokenize``: the material of a submission costs one request, its questions one each in a lifetime.
    ``around``: what the chat template puts before, between and behind a system and a user turn."""

    def __init__(self, tokenize: Tokenize, strings: ControlStrings, around: tuple[tuple[int, ...], ...]) -> None:
        self._tokenize = tokenize
        self._strings = strings
        self._around = around
        self._known = BoundedCache[str, tuple[int, ...]](_CACHED_TOKENS, len)

    @classmethod
    async def learned(cls, tokenize: Tokenize, strings: ControlStrings) -> "ServerTokens | None":
        """None if no server tokenizes messages, or the template cannot be taken apart."""
        messages = [{"role": role, "content": text} for role, text in zip(("system", "user"), _MARKS, strict=True)]
        kwargs = {"enable_thinking": False, "thinking": False}
        asked = {"messages": messages, "add_generation_prompt": True, "chat_template_kwargs": kwargs}
        whole = await tokenize(asked)
        if not whole:
            return None
        parts: list[tuple[int, ...]] = []
        for text in _MARKS:
            mark = await tokenize({"prompt": text, "add_special_tokens": False})
            place = _place_of(mark, whole)
            if place is None:
                return None
            parts.append(tuple(whole[:place]))
            whole = whole[place + len(mark) :]
        return cls(tokenize, strings, (*parts, tuple(whole)))

    async def of(self, prompt: Prompt) -> list[int]:
        if [turn.role for turn in prompt.turns] != ["system", "user"]:
            raise UnusableVerdict("The prompt does not have one system and one user turn.")
        system, user = prompt.turns
        material = [one for one in user.segments if one.part in _MATERIAL]
        question = user.segments[len(material) :]
        before, between, behind = self._around
        texts = (plain_text(some, self._strings) for some in (system.segments, material, question))
        instructions, read, asked = [await self._ids(text) for text in texts]
        return [*before, *instructions, *between, *read, *asked, *behind]

    async def _ids(self, text: str) -> tuple[int, ...]:
        if not text:
            return ()
        ids = self._known.get(text)
        if ids is None:
            ids = tuple(await self._tokenize({"prompt": text, "add_special_tokens": False}))
            if not ids:
                raise UnusableVerdict("The model server did not tokenize a part of the prompt.")
            self._known.put(text, ids)
        return ids


async def token_ids(path: Path | None, tokenize: Tokenize, strings: ControlStrings) -> TokenIds | None:
    """By the tokenizer at ``path`` if it can be used, else by the server; None if neither can."""
    template = None if path is None else await asyncio.to_thread(template_of, path)
    return OwnTokens(template, strings) if template else await ServerTokens.learned(tokenize, strings)


def template_of(path: Path) -> ChatTemplate | None:
    """The chat template with the tokenizer at ``path`` (a tokenizer.json or its folder); None if it has none, or if
    transformers is not installed. Slow: it imports a large library."""
    try:
        from transformers import PreTrainedTokenizerFast
    except ImportError:
        return None
    folder = path if path.is_dir() else path.parent
    try:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(str(folder), local_files_only=True)
        return ChatTemplate(tokenizer, PartTokenizer(tokenizer))
    except Exception as fault:  # noqa: BLE001 - what a tokenizer's files can raise has no end
        _LOG.warning("the tokenizer at %s writes no prompts (%s): %s", folder, type(fault).__name__, fault)
        return None


def _broken(segments: Iterable[Segment], strings: ControlStrings) -> Iterable[Segment]:
    for one in segments:
        yield one if one.trusted else Segment(broken(one.text, strings), one.part, trusted=False)


def _place_of(part: list[int], whole: list[int]) -> int | None:
    places = range(len(whole) - len(part) + 1) if part else ()
    return next((place for place in places if whole[place : place + len(part)] == part), None)
