"""What a normalising tokenizer makes of a text: compatibility forms resolved; accents, invisible and control characters
dropped. Such a tokenizer can turn letters that spell no control string into one.
"""

import unicodedata
from functools import cache
from itertools import chain
from typing import Any

import re2

_FILLERS = "\u115f\u1160\u3164\uffa0\ufffd"
_CONTROLS = (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F)
_BLOCKS = chain(_CONTROLS, range(0x80, 0xD800), range(0xE000, 0x20000), range(0xE0000, 0xE1000))
_ASCII_CONTROL = re2.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@cache
def _forms() -> dict[str, str]:
    """What each character becomes, if that is ASCII or nothing and not the character itself."""
    found = {}
    for character in map(chr, _BLOCKS):
        kept = "".join(part for part in unicodedata.normalize("NFKD", character) if not _dropped(part))
        if kept.isascii():
            found[character] = kept
    return found


def _dropped(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Cf", "Cc") or character in _FILLERS


@cache
def _changing() -> Any:
    """RE2, because Python's engine tries a class of so many ranges one by one: 0.2 s for a megabyte."""
    return re2.compile("[" + "".join(_ranges(sorted(map(ord, _forms())))) + "]")


def _ranges(codes: list[int]) -> list[str]:
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return [f"{chr(first)}-{chr(last)}" for first, last in ranges]


def changes(text: str) -> bool:
    """Whether a normalising tokenizer may produce ASCII from ``text`` that is not in it."""
    if text.isascii() and not _ASCII_CONTROL.search(text):
        return False
    try:
        return _changing().search(text) is not None
    except UnicodeEncodeError:  # a lone surrogate, which RE2 does not read
        return changes(text.encode("utf-8", "replace").decode())


def plain_form(text: str) -> tuple[str, list[int]]:
    """The form, and for each of its characters the index in ``text`` that it comes from."""
    forms = _forms()
    pieces, places = [], []
    for place, character in enumerate(text):
        form = forms.get(character, character)
        pieces.append(form)
        places += [place] * len(form)
    return "".join(pieces), places


def plain_text(text: str) -> str:
    """The form alone, several times as fast."""
    return text.translate(_table())


@cache
def _table() -> dict[int, str]:
    return {ord(character): form for character, form in _forms().items()}
