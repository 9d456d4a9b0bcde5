"""A text as the judge is shown it: without characters that nobody sees and that could carry words past a reader.

Tag characters, runs of variation selectors, overrides of the writing direction and zero-width characters inside words
say something to a model that no person reads. They are taken out. Where a script or an emoji needs an invisible
character (joiners in Arabic and Indic words, the flag of Scotland, marks of direction in Hebrew), it stays. Visible
characters always stay as they were, and what is stored is the text as it came.
"""

import re
from collections.abc import Callable
from itertools import islice
from typing import Any

import re2

_SELECTORS = "\ufe00-\ufe0f"
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    f"\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff{_SELECTORS}"
)
"""The characters as a class of patterns holds them, without its brackets."""
_BEYOND = (*range(0x1BC00, 0x1BD00), *range(0x1D100, 0x1D200), *range(0xE0000, 0xE1000))
_INVISIBLE = re.compile(f"[{INVISIBLE}]+")
_CHARACTERS = frozenset(_INVISIBLE.findall("".join(f"{chr(code)} " for code in (*range(0x10000), *_BEYOND))))
_ANY_INVISIBLE = re2.compile(f"[{INVISIBLE}]")
_FLAG = "\U0001f3f4"  # the black flag begins those of regions, spelt in tag characters
_REGION = re.compile("[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f")
_LONGEST_RUN = 4
_MOST_RUNS = 10_000  # beyond, nothing invisible is kept: no time is spent on telling it apart
_LONG = 20_000
_FEW_KINDS = 16

# Scripts whose letters join, stack or have marks, and the emoji: what may have a joiner beside it.
_JOINING = re.compile(
    "[\u0300-\u036f\u0590-\u08ff\u0900-\u109f\u1100-\u11ff\u135d-\u137f\u1700-\u18af\u1900-\u1cff\u200c\u200d\u20d0-\u20ff"
    "\u2190-\u2bff\u3030\u303d\u3297\u3299\ua800-\uabff\ufb1d-\ufdff\ufe0f\ufe70-\ufefc\U00010a00-\U00010eff"
    "\U00011000-\U00011fff\U0001e900-\U0001e95f\U0001f000-\U0001faff\U000e007f\u00a9\u00ae\u203c\u2049\u2122\u2139]"
)
# Scripts that put no space between words, where one of no width says where a line may break.
_UNSPACED = re.compile("[\u0e00-\u109f\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\ua980-\ua9df\uaa60-\uaadf]")
_FIRST_UNSPACED = "\u2e80"  # from here on, signs of Chinese, Japanese and Korean
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_MONGOLIAN = re.compile("[\u1800-\u18af]")
_KHMER = re.compile("[\u1780-\u17ff]")
_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")
_RIGHT_TO_LEFT = re2.compile(
    "[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)

_OVERRIDES = frozenset("\u202d\u202e")
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069")
# left over by word processors, keyboards and web pages; taken out as well, but no sign of anything
_USUAL = frozenset("\u00ad\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff\ufe0e\ufe0f")
_USUAL_OUTSIDE_WORDS = _USUAL | {"\u200b"}
_JOINERS = frozenset("\u200c\u200d")


def sanitize(text: str) -> str:
    """``text`` without the invisible characters that its script does not need. Doing it twice changes nothing more."""
    return _read(text)[0] if _has_invisible(text) else text


def hides(text: str) -> bool:
    """Whether ``sanitize`` takes something out that does not get into a text by ordinary writing."""
    return _has_invisible(text) and _read(text)[1]


def visible(text: str) -> str:
    """``text`` without any invisible character, needed or not: for finding words, not for reading."""
    return _without_invisible(text) if _has_invisible(text) else text


def _without_invisible(text: str) -> str:
    used = _CHARACTERS.intersection(text[:_LONG]) if len(text) > _LONG else ()
    if 0 < len(used) <= _FEW_KINDS:
        for character in used:  # several times as fast as a substitution with many places
            text = text.replace(character, "")
        if not _has_invisible(text):
            return text
    return _INVISIBLE.sub("", text)


def _has_invisible(text: str) -> bool:
    return not text.isascii() and _holds(_ANY_INVISIBLE, text)


def _holds(pattern: Any, text: str) -> bool:
    try:
        return pattern.search(text) is not None
    except UnicodeEncodeError:  # half a surrogate pair, which RE2 does not read
        return pattern.search(text.encode("utf-8", "replace").decode()) is not None


def _read(text: str) -> tuple[str, bool]:
    """The legible text, and whether something was hidden in it."""
    runs = _INVISIBLE.finditer(text)
    right_to_left = _holds(_RIGHT_TO_LEFT, text)
    kept: list[str] = []
    hidden = False
    place = 0
    known: dict[tuple[str, str, str], tuple[str, bool]] = {}  # in a script that needs them, the same places recur
    for run in islice(runs, _MOST_RUNS):
        start, end = run.span()
        kept.append(text[place:start])
        place = end
        here = run.group(), text[start - 1 : start], text[end : end + 1]
        weighed = known.get(here)
        if weighed is None:
            weighed = known[here] = _weighed(*here, right_to_left=right_to_left)
        kept.append(weighed[0])
        hidden = hidden or weighed[1]
    kept.append(_without_invisible(text[place:]))
    return "".join(kept), hidden


def _weighed(run: str, before: str, after: str, *, right_to_left: bool) -> tuple[str, bool]:
    """What of a run of invisible characters stays, and whether the rest is a sign of something."""
    needed = _needed(run, before, after, right_to_left=right_to_left)
    return needed, len(needed) < len(run) and _suspicious(run, needed, before, after)


def _needed(run: str, before: str, after: str, *, right_to_left: bool) -> str:
    if before == _FLAG and (region := _REGION.match(run)):
        return region.group() + _needed(run[region.end() :], "\U000e007f", after, right_to_left=right_to_left)
    if len(run) > _LONGEST_RUN:
        return ""
    needed = ""
    for place, character in enumerate(run):
        previous = needed[-1:] or before
        if character in _DIRECTIONS:
            keep = right_to_left
        elif character in _OVERRIDES:
            keep = False
        else:
            keep = previous != character and _belongs(character, previous, after)
        if keep and not (place and _is_selector(character)):
            needed += character
    return needed


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or character >= "\U000e0100"


def _belongs(character: str, previous: str, after: str) -> bool:
    """Whether the writing system at this place uses ``character``."""
    if character in "\u200c\u200d\u034f":
        return _JOINING.match(previous) is not None
    if "\ufe00" <= character <= "\ufe0f":  # after keycaps, symbols and letters of other scripts than the Latin one
        return previous in tuple("#*0123456789©®") or (previous > "\u024f" and not previous.isspace())
    by_script: dict[str, Callable[[], bool]] = {
        "\u200b": lambda: _UNSPACED.match(previous) is not None or _UNSPACED.match(after) is not None,
        "\u17b4": lambda: _KHMER.match(previous) is not None,
        "\u17b5": lambda: _KHMER.match(previous) is not None,
        "\u115f": lambda: _JAMO.match(previous) is not None or _JAMO.match(after) is not None,
        "\u1160": lambda: _JAMO.match(previous) is not None or _JAMO.match(after) is not None,
    }
    if character in by_script:
        return by_script[character]()
    if "\u180b" <= character <= "\u180f":
        return _MONGOLIAN.match(previous) is not None
    return "\U000e0100" <= character <= "\U000e01ef" and _IDEOGRAPH.match(previous) is not None


def _suspicious(run: str, needed: str, before: str, after: str) -> bool:
    in_a_word = before.isalnum() and after.isalnum() and max(before, after) < _FIRST_UNSPACED
    usual = _USUAL if in_a_word else _USUAL_OUTSIDE_WORDS
    if _JOINING.match(before) or _JOINING.match(after):
        usual = usual | _JOINERS  # typed twice, or on the wrong side of a space
    if needed and set(run) == set(needed):
        return len(run) > _LONGEST_RUN  # what the script needs, typed more than once
    return len(run) - len(needed) > 2 or any(character not in usual for character in run if character not in needed)
