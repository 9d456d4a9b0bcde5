"""The control strings of a served model, as its tokenizer lists them: read from its files, or from a server's report.

A tokenizer recognises its added tokens wherever their text occurs. If all of them are known, they are what has to be
broken in outside texts, and code in angle brackets can stay as it is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from judge_server.core.errors import BadConfiguration
from judge_server.util.parsing import quick_json

_FILES = ("tokenizer.json", "tokenizer_config.json", "added_tokens.json", "special_tokens_map.json")
_LARGEST_BYTES = 200_000_000
_STRINGS_CHECKED = 16
_REMEDY = "Name the tokenizer.json of the served model, or the folder that holds it."


def strings_of_files(path: Path) -> frozenset[str]:
    """The added tokens of a tokenizer's file, or of the files in its folder. Raises BadConfiguration."""
    files = [path / name for name in _FILES] if path.is_dir() else [path]
    found: set[str] = set()
    for file in files:
        if file.exists():
            found |= strings_in(_content(file))
    if not found:
        raise BadConfiguration(f"tokenizer: {str(path)!r} lists no added tokens.", remedy=_REMEDY)
    return frozenset(found)


def strings_in(content: Any) -> set[str]:
    """The added tokens in the content of a tokenizer's file or in a report of its settings; empty if it lists none."""
    return {text for text in _listed(content) if text.strip()}


def _listed(content: Any) -> Iterator[str]:
    if not isinstance(content, dict):
        return
    for name, value in content.items():
        if name in ("added_tokens", "added_tokens_decoder", "additional_special_tokens", "extra_special_tokens"):
            yield from _texts(value)
        elif name.endswith("_token"):
            yield from _texts([value])
    if content and all(type(number) is int for number in content.values()):
        yield from content  # added_tokens.json: an id for each text


def _texts(value: Any) -> Iterator[str]:
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        text = one.get("content") if isinstance(one, dict) else one
        if isinstance(text, str):
            yield text


def _content(file: Path) -> Any:
    try:
        if file.stat().st_size > _LARGEST_BYTES:
            raise BadConfiguration(f"tokenizer: {str(file)!r} is larger than {_LARGEST_BYTES:,} bytes.", remedy=_REMEDY)
        return quick_json(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadConfiguration(
            f"tokenizer: {str(file)!r} cannot be read ({type(error).__name__}).", remedy=_REMEDY
        ) from None


async def require_single_tokens(known: frozenset[str], tokenized: Callable[[str], Awaitable[list[int]]]) -> None:
    """``tokenized``: by the server. Raises BadConfiguration if it reads these strings otherwise than the tokenizer."""
    some = sorted(known, key=len)[-_STRINGS_CHECKED:]
    counts = await asyncio.gather(*(tokenized(text) for text in some))
    if others := [text for text, ids in zip(some, counts, strict=True) if len(ids) > 1]:
        raise BadConfiguration(
            f"tokenizer: the served model does not read {others[0]!r} as one token, as the configured one does.",
            remedy="Name the tokenizer of the served model, or leave the option out.",
        )
