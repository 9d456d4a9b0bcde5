"""Split texts into words, tokens, sentences, paragraphs and lines, each in time linear in the text.

A word is a run of letters and digits, with apostrophes, hyphens and dots inside it (``don't``, ``3.5``, ``e.g``); a
Chinese or Japanese character is a word by itself. A token is a word or one other visible character.
"""

import re

_EAST = (
    r"\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_LETTER = rf"[^\W_{_EAST}]"
_WORD = rf"[{_EAST}]|{_LETTER}+(?:['’.\-]{_LETTER}+)*"
_WORDS = re.compile(_WORD)
_PLAIN_WORDS = re.compile(rf"[{_EAST}]|{_LETTER}+")
_TOKENS = re.compile(rf"{_WORD}|\S")
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")
_SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|\Z)|[。！？]+|\n[^\S\n]*(?=\n)")
_ABBREVIATIONS = frozenset(
    ["dr", "mr", "mrs", "ms", "prof", "st", "vs", "etc", "al", "e.g", "i.e", "eg", "ie", "fig", "no", "approx", "cf"]
)
_BEFORE = re.compile(r"\S{0,12}\Z")


def words(text: str) -> list[str]:
    return _WORDS.findall(text)


def tokens(text: str) -> list[str]:
    return _TOKENS.findall(text)


def sentences(text: str) -> list[str]:
    """Split after ``. ! ? …`` before white space, after ``。！？`` anywhere, and at blank lines; not after a common
    abbreviation or an initial. Pieces without a letter or digit do not count."""
    pieces, start = [], 0
    for match in _SENTENCE_END.finditer(text):
        if match.group().startswith(".") and _abbreviated(text, match.start()):
            continue
        pieces.append(text[start : match.end()].strip())
        start = match.end()
    pieces.append(text[start:].strip())
    return [piece for piece in pieces if _WORDS.search(piece)]


def paragraphs(text: str) -> list[str]:
    return [piece for piece in _BLANK_LINE.split(text) if piece.strip()]


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _abbreviated(text: str, end: int) -> bool:
    match = _BEFORE.search(text[max(0, end - 12) : end])
    word = match.group().lstrip("([\"'“‘").lower() if match else ""
    return word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha() and word != "i")


def plain_words(text: str) -> list[str]:
    """Lower-case runs of letters and digits; a Chinese or Japanese character is a word by itself."""
    return _PLAIN_WORDS.findall(text.lower())
