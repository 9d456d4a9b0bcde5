"""Break every control string in outside text, so that it cannot spell a control token of a judge's chat template.

A remote server renders the template itself, so a text that spells a control token would end its own message and begin
another. One space after the first character breaks the spelling for every tokenizer and leaves the text readable;
nothing else changes. A normalising tokenizer resolves compatibility forms and drops accents, invisible and control
characters, which can produce a control string; so the normalised form of a text is searched as well.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
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
    """Characters that normalisation changes to ASCII or removes, with their replacements."""
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
    """RE2, because Python's engine tests a large character class range by range: 0.2 s for a megabyte."""
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


# Names between square brackets that are no names in capitals.
_SQUARE_NAMES = "gMASK|sMASK|multimodal|@BOS@|control_[0-9]+|unused_?[0-9]+"
_TURN_NAMES = "INST|SYS|THINK|IMG|CLS|SEP|PAD|UNK|BOS|EOS|EOT|MASK|USER|BOT|ARGS|PREFIX|MIDDLE|SUFFIX|AUDIO|TRANSCRIBE"

# Compatibility forms of <, > and | count too: DeepSeek's tokens use one, and a normaliser may fold the others.
LESS, MORE, BAR = r"<\uff1c\ufe64", r">\uff1e\ufe65", r"\|\uff5c"

_BLANK = r"[^\S\n\r]{1,4}"
# <s>, </think>, <start_of_turn>, and every element of HTML without attributes; words alone with blanks: <end of turn>
_ANY_TAG = rf"""| [^\s{LESS}{MORE}]{{1,64}} [{MORE}]
                      | /? [\w:.-]{{1,32}} (?: {_BLANK} [\w:.-]{{1,32}} ){{1,7}} [{MORE}]"""
# Names between square brackets: all capitals, also with blanks ([BEGIN FINAL RESPONSE]), or words with underscores.
_ANY_NAME = rf"""| /? [A-Z][A-Z0-9]{{1,31}} (?: {_BLANK} [A-Z0-9]{{1,31}} ){{0,7}} \]
                | /? [a-z][a-z0-9]{{0,31}} (?: _[a-z0-9]{{1,31}} ){{1,4}} \]"""
_ANY_BARRED = rf"| [A-Z][A-Z0-9_]{{2,31}} [{BAR}]"  # |NEWLINE|, |||IP_ADDRESS|||


def _brackets(category: str, *, wide: bool) -> str:
    """The brackets of Unicode beyond ASCII that open (``Ps``) or close (``Pe``), as a class of characters. ``wide``:
    those of Chinese and Japanese. Corner brackets are their quotation marks."""
    beyond = (chr(code) for code in range(0x80, 0x10000) if unicodedata.category(chr(code)) == category)
    return "".join(
        one
        for one in beyond
        if (unicodedata.east_asian_width(one) in "WF") == wide
        and "BRACKET" in unicodedata.name(one)
        and "CORNER" not in unicodedata.name(one)
    )


_OPEN, _CLOSE = (_brackets(category, wide=False) for category in ("Ps", "Pe"))
_WIDE_OPEN, _WIDE_CLOSE = (_brackets(category, wide=True) for category in ("Ps", "Pe"))
_UNENDED = rf"{LESS}{MORE}\[\]{_OPEN}{_CLOSE}{_WIDE_OPEN}{_WIDE_CLOSE}"
# A name of two characters or more: ⟦user⟧, ⟦end of turn⟧, ⟪/用户⟫. In wide brackets stand titles and headings of whole
# languages: there only a name in ASCII (【user】).
_ANY_BRACKETED = rf"""
    | (?<=[{_OPEN}]) (?= [/|]? [^\W\d_] [\w:.-]{{1,31}} (?: {_BLANK} [\w:.-]{{1,32}} ){{0,7}} [/|]? [{_CLOSE}] )
    | (?<=[{_WIDE_OPEN}]) (?= [/|]? [A-Za-z] [A-Za-z0-9_:.-]{{1,31}} (?: {_BLANK} [A-Za-z0-9_:.-]{{1,32}} ){{0,7}}
                              [/|]? [{_WIDE_CLOSE}] )
    | (?<=[{LESS}\[\u25c1{_OPEN}{_WIDE_OPEN}]) (?= (?: [^\s{_UNENDED}] [^\n\r{_UNENDED}]{{0,63}} )? \Z )"""

# The possible first characters come first in the pattern, so that the scan skips everything else quickly.
_SHAPES = rf"""
    [{LESS}/\[\]{MORE}{BAR}\u25c1ANY_O] (?:
      (?<=[{LESS}]) (?= [{BAR}]                                               # <|im_start|>, <|turn>
                      | [^\s<>{BAR}]{{1,64}} [{BAR}] [{MORE}]                  # <turn|>
                      | <?/?SYS>>                                             # <<SYS>>, <</SYS>>
                      ANY_TAG )
    | (?<=\u25c1) (?= /? [^\s\u25c1\u25b7]{{1,64}} \u25b7 )                  # every ◁name▷
    | (?<=\[) (?= /? (?:{_SQUARE_NAMES}|{_TURN_NAMES}) \]           # [INST], [/INST], [gMASK]
                | /? [A-Z][A-Z0-9]{{0,31}} (?: [_-][A-Z0-9]{{1,31}} ){{1,4}} \]   # every [NAME_IN_CAPITALS]
                | / [A-Z][A-Z0-9]{{1,31}} \]                              # every [/NAME]
                | [{BAR}] [A-Za-z_\ ]{{1,32}} [{BAR}] \]                      # [|user|]
                ANY_NAME
                | e~\[ )                                                      # [e~[
    | (?<=\]) (?= ~!?b[\[\]] | ![a-z]~\[ | <\]                                 # ]~b], ]~!b[, ]!p~[, ]<]image[>[
                | [~!<] [!b]? [a-z]? ~? \Z )
    | (?<=[{MORE}]) (?= > [A-Z]+ << )                                      # >>ANSWER<<
    | (?<=[{BAR}]) (?= DSML [{BAR}] ANY_BARRED )                           # ｜DSML｜, also in </｜DSML｜invoke
    | (?<=/) (?= nothink )ANY_BRACKETED                                             # /nothink, a token of its own
    | (?<=/) (?<! [\w/.]/ ) (?= (?:no_?)?think\b (?! [{MORE}] ) )             # /no_think, a switch in a user's message
    | (?<! [/\]{MORE}{BAR}ANY_O] ) (?= [^\s{LESS}{MORE}\[\]]{{0,64}} \Z )    # an end that another text may complete
    )
    """
_ANY = {
    "ANY_TAG": _ANY_TAG,
    "ANY_NAME": _ANY_NAME,
    "ANY_BARRED": _ANY_BARRED,
    "ANY_BRACKETED": _ANY_BRACKETED,
    "ANY_O": _OPEN + _WIDE_OPEN,
}
_SHAPED = re.compile(re.sub("ANY_[A-Z]+", "", _SHAPES), re.VERBOSE)
_SHAPED_OR_TAG = re.compile(re.sub("ANY_[A-Z]+", lambda found: _ANY[found.group()], _SHAPES), re.VERBOSE)

_MOST_ROUNDS = 64


class ControlStrings:
    """What is broken in outside text for one model. ``of_the_model``: the strings of its tokenizer; if they are not
    known (None), every run that is shaped like a tag is broken instead. ``added``: further strings, which the
    operator names. Strings of whole families (``<|im_end|>``, ``[INST]``) are always broken: some are no tokens, but
    models were trained on them. ``digest``: SHA-256 of what is broken."""

    def __init__(self, of_the_model: Iterable[str] | None = None, added: Iterable[str] = ()) -> None:
        self.known = of_the_model is not None
        exact = {text.strip() for text in (*(of_the_model or ()), *added)}
        self._shaped = _SHAPED if self.known else _SHAPED_OR_TAG
        self._exact = _any_of(sorted(text for text in exact if len(text) > 1))
        pattern = "\0".join((self._shaped.pattern, *sorted(exact)))
        self.digest = hashlib.sha256(pattern.encode("utf-8", "replace")).hexdigest()

    def broken(self, text: str) -> str:
        """``text`` with every control string broken by one space after its first character. Includes control strings
        that only begin at the end of the text, and those that a normalising tokenizer would produce. Idempotent."""
        broken = self._break(text)
        return self._break_forms(broken) if changes(broken) else broken

    def _break(self, text: str) -> str:
        broken = self._shaped.sub(lambda opening: opening.group() + " ", text)
        for _ in range(_MOST_ROUNDS if self._exact is not None else 0):  # one string may begin inside another
            ends = self._exact_ends(broken)
            if not ends:
                break
            broken = _spaced(broken, ends)
        return broken

    def _exact_ends(self, text: str) -> list[int]:
        """The places behind the first characters of the exact strings."""
        if self._exact is None:
            return []
        searched = text if text.isascii() else text.encode("utf-8", "replace").decode()
        return [found.start() + 1 for found in self._exact.finditer(searched)]

    def _break_forms(self, text: str) -> str:
        form = plain_text(text)
        if not self._shaped.search(form) and not self._exact_ends(form):
            return text
        form, places = plain_form(text)
        found = [opening.end() for opening in self._shaped.finditer(form)]
        return _spaced(text, sorted({places[end - 1] + 1 for end in (*found, *self._exact_ends(form))}))


def _any_of(strings: Sequence[str]) -> Any:
    if not strings:
        return None
    options = re2.Options()
    options.case_sensitive = False  # some tokenizers fold capitals before they look for their tokens
    options.max_mem = 256 << 20
    return re2.compile("|".join(map(re2.escape, strings)), options)


def _spaced(text: str, ends: Sequence[int]) -> str:
    return " ".join(text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True))


def prepare() -> None:
    """Find out what normalisation changes, which takes a tenth of a second, before the first text is read."""
    _changing()
    _table()


UNKNOWN = ControlStrings()
"""For a model of which nothing is known."""
RESERVED_DIGEST = UNKNOWN.digest
"""Part of every cache key: verdicts from before a control string was added are not reused."""


def break_reserved(text: str) -> str:
    """``text`` without the control strings of any model, as ``ControlStrings.broken`` breaks them."""
    return UNKNOWN.broken(text)
