"""A text as the judge is shown it: without anything that a reader cannot see but a model can read.

Invisible characters stay only where Unicode registers them for that place and the text uses them as its script does
(``variation.py``): flags of regions, selectors of emoji and of standardised variants, joiners. All others are taken
out, and so are control characters, marks that show nothing where they stand (``twins.py``) and blanks at the ends of
lines; every kind of blank and of line break becomes one, and so do characters that look the same.
Text in mixed normal forms is shown in NFC. What is stored is the text as received.
"""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import re2

from judge_server.guard.twins import ODD, in_usual_forms, without_stray_marks
from judge_server.guard.variation import ARABIC, SUBDIVISION_FLAGS, VIRAMAS, Kind, registered

_SELECTORS = "\ufe00-\ufe0f"
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0"
    f"\ufff0-\ufffc\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U0001d159\U000e0000-\U000e0fff{_SELECTORS}"
)
"""The default-ignorable characters, the place of an object and a note without a head, as a class of patterns holds
them, without its brackets."""
_NO_CHARACTERS = "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
_CONTROLS = f"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ufdd0-\ufdef{_NO_CHARACTERS}"
_BREAKS = "\x0b\x0c\r\x85\u2028\u2029"
_BLANKS = "\xa0\u1680\u2000-\u200a\u202f\u205f\u2800\u3000"
_BEYOND = (*range(0x1BC00, 0x1BD00), *range(0x1D100, 0x1D200), *range(0xE0000, 0xE1000))
_INVISIBLE = re.compile(f"[{INVISIBLE}]+")
_CHARACTERS = frozenset(_INVISIBLE.findall("".join(f"{chr(code)} " for code in (*range(0x10000), *_BEYOND))))
_ANY_INVISIBLE = re2.compile(f"[{INVISIBLE}]")
_ANY_UNSEEN = re2.compile(f"[{INVISIBLE}{_CONTROLS}{_BREAKS}{_BLANKS}]|[ \t]\n|[ \t]$")
_SEEN_ASCII = bytes((*b"\t\n", *range(0x20, 0x7F)))
_CONTROL = re.compile(f"[{_CONTROLS}]+")
_BREAK = re.compile(f"\r\n|[{_BREAKS}]")
_BLANK = re.compile(f"[{_BLANKS}]")
_FLAG = "\U0001f3f4"  # the black flag begins those of regions, spelt in tag characters
_REGION = re.compile("([\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6})\U000e007f")
_MOST_RUNS = 10_000  # beyond, nothing invisible is kept: no time is spent on telling it apart
_MANY_MARKS = re2.compile(r"\p{M}{31}")
_LONG = 20_000
_LONG_FOR_MARKS = 2_000  # the normal form of a shorter text is quick, whatever marks it holds
_FEW_KINDS = 16

# Scripts whose letters join, stack or have marks, and the emoji: a joiner beside them is a slip of the keyboard.
_JOINING = re.compile(
    "[\u0300-\u036f\u0590-\u08ff\u0900-\u109f\u1100-\u11ff\u135d-\u137f\u1700-\u18af\u1900-\u1cff\u20d0-\u20ff"
    "\u2190-\u2bff\u3030\u303d\u3297\u3299\ua800-\uabff\ufb1d-\ufdff\ufe70-\ufefc\U00010a00-\U00010eff"
    "\U00011000-\U00011fff\U0001e900-\U0001e95f\U0001f000-\U0001faff\u00a9\u00ae\u203c\u2049\u2122\u2139]"
)
_LETTERS_OF_UNSPACED_SCRIPTS = re.compile(
    "[\u0e00-\u109f\u1780-\u17ff\u1950-\u19ff\u1a20-\u1aaf\u1b00-\u1b7f\ua980-\ua9df\uaa60-\uaadf]"
)
_FIRST_UNSPACED = "\u2e80"  # from here on, signs of Chinese, Japanese and Korean
_IDEOGRAPH = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_MONGOLIAN = re.compile("[\u1800-\u18af]")
_JAMO = re.compile("[\u1100-\u11ff\ua960-\ua97f\ud7b0-\ud7ff]")
_RIGHT_TO_LEFT = re2.compile(
    "[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u2066\u2067\u2068\u2069")
# left over by word processors, keyboards and web pages; taken out as well, but no sign of anything
_USUAL = frozenset("\u00ad\u200e\u200f\u2060\u2061\u2062\u2063\u2064\ufeff\ufe0e\ufe0f")
_USUAL_OUTSIDE_WORDS = _USUAL | {"\u200b", "\ufffc"}
_FEW = 3
_MOST_FORMS = 64
_KEYCAP = "\u20e3"
_ARABIC_LETTER = re.compile(f"[{''.join(sorted(ARABIC))}]")
_VIRAMA = re.compile(f"[{''.join(sorted(VIRAMAS))}]")
_MANY_TAKEN_OUT = 24


@dataclass(frozen=True, slots=True)
class _Run:
    """A run of invisible characters between two visible characters before it and one after it. ``kept``: those that
    Unicode registers for the place."""

    before: str
    text: str
    after: str
    kept: tuple[tuple[Kind, str], ...]
    suspicious: bool


def sanitize(text: str) -> str:
    """``text`` without what a reader cannot see. Applying it twice changes nothing more."""
    return _read(text)[0]


def hides(text: str) -> bool:
    """Whether ``sanitize`` takes out or rewrites something that ordinary writing does not produce."""
    return _read(text)[1]


def visible(text: str) -> str:
    """``text`` without any invisible character, needed or not: for finding words, not for reading."""
    return _without_invisible(text) if _has_invisible(text) else text


def _read(text: str) -> tuple[str, bool]:
    """The text as shown, and whether something was hidden in it."""
    if text.isascii():
        return _read_ascii(text)
    hidden = False
    if odd := _holds(ODD, text):
        text, hidden = without_stray_marks(text)
    if not _holds(_ANY_UNSEEN, text):
        text, found = _in_one_form(text, odd=odd)
        return text, hidden or found
    if _CONTROL.search(text):
        text, hidden = _CONTROL.sub("", text), True
    if _has_invisible(text):
        text, found = _without_unregistered(text)
        hidden = hidden or found
    if _holds(_ANY_UNSEEN, text):
        text = _BLANK.sub(" ", _BREAK.sub("\n", text))
        text = _without_blank_ends(text)
    if not text.isascii():
        text, found = _in_one_form(text, odd=odd)
        hidden = hidden or found
    return text, hidden


def _read_ascii(text: str) -> tuple[str, bool]:
    """As ``_read``, many times as fast."""
    hidden = False
    if text.encode().translate(None, _SEEN_ASCII):
        printed = _CONTROL.sub("", text)
        text, hidden = _BREAK.sub("\n", printed), printed != text
    if " \n" in text or "\t\n" in text or text.endswith((" ", "\t")):
        text = _without_blank_ends(text)
    return text, hidden


def _without_blank_ends(text: str) -> str:
    return "\n".join(line.rstrip(" \t") for line in text.split("\n"))


def _in_one_form(text: str, *, odd: bool) -> tuple[str, bool]:
    """The text with one character for each that looks the same, and in NFC unless all of it is in NFC or NFD already:
    letters written in both ways could carry a message. A long text with more than 30 marks on one letter stays in its
    form and is reported."""
    if odd:
        text = in_usual_forms(text)
    if len(text) > _LONG_FOR_MARKS and _holds(_MANY_MARKS, text):
        return text, True
    if unicodedata.is_normalized("NFC", text) or unicodedata.normalize("NFD", text) == text:
        return text, False
    return unicodedata.normalize("NFC", text), False


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
    except UnicodeEncodeError:  # half of a surrogate pair, which RE2 does not read
        return pattern.search(text.encode("utf-8", "replace").decode()) is not None


def _without_unregistered(text: str) -> tuple[str, bool]:
    right_to_left = _holds(_RIGHT_TO_LEFT, text)
    known: dict[tuple[str, str, str], _Run] = {}  # in a script that needs them, the same places recur
    runs: list[_Run] = []
    between: list[str] = []
    place = 0
    for match in islice(_INVISIBLE.finditer(text), _MOST_RUNS):
        start, end = match.span()
        between.append(text[place:start])
        place = end
        here = text[max(start - 2, 0) : start], match.group(), text[end : end + 1]
        if here not in known:
            known[here] = _weighed(*here, right_to_left=right_to_left)
        runs.append(known[here])
    rest = _without_invisible(text[place:])
    overused = set(_overused(text, runs))
    shown = [
        piece + "".join(character for kind, character in run.kept if kind not in overused)
        for piece, run in zip(between, runs, strict=True)
    ]
    hidden = bool(overused - {"presentation"}) or any(run.suspicious for run in known.values())
    return "".join((*shown, rest)), hidden or len(runs) == _MOST_RUNS or _too_much_taken_out(text, runs)


def _too_much_taken_out(text: str, runs: Sequence[_Run]) -> bool:
    """Whether more was taken out than keyboards, word processors and web pages leave behind."""
    taken_out = Counter(character for run in runs for character in run.text)
    taken_out.subtract(character for run in runs for _, character in run.kept)
    selectors = sum(number for character, number in taken_out.items() if _is_selector(character))
    joiners = taken_out["\u200c"] + taken_out["\u200d"]
    return (
        selectors > _FEW
        or joiners > max(3 * _FEW, len(text) // 10)
        or taken_out.total() > max(_MANY_TAKEN_OUT, len(text) // 3)
    )


def _is_selector(character: str) -> bool:
    """Whether it is a variation selector other than those of emoji."""
    return "\ufe00" <= character <= "\ufe0d" or character >= "\U000e0100" or "\u180b" <= character <= "\u180f"


def _weighed(two_before: str, run: str, after: str, *, right_to_left: bool) -> _Run:
    before = two_before[-1:]
    kept = tuple(_registered(run, before, after))
    suspicious = _suspicious(run, kept, before, after, right_to_left=right_to_left)
    return _Run(two_before, run, after, kept, suspicious)


def _registered(run: str, before: str, after: str) -> Iterator[tuple[Kind, str]]:
    """At most one flag, one selector and then one joiner."""
    if before == _FLAG and (region := _REGION.match(run)):
        name = "".join(chr(ord(tag) - 0xE0000) for tag in region[1])
        if name in SUBDIVISION_FLAGS:
            yield from (("flag", tag) for tag in region.group())
        return
    if len(run) > 2 * _FEW:
        return
    joined = selected = False
    for character in run:
        kind = registered(character, before, after)
        if kind is None or joined:
            continue
        if kind in ("joiner", "emoji"):
            joined = True
        elif selected:
            continue
        selected = True
        yield kind, character


def _overused(text: str, runs: Sequence[_Run]) -> Iterator[Kind]:
    """Kinds of characters that stand where no writer puts them that often, or now and then in the same place."""
    kept = Counter(kind for run in runs for kind, _ in run.kept)
    if kept["presentation"] and _mixed(text, runs, "presentation"):
        yield "presentation"
    if kept["variant"] > max(_FEW, len(text) // 20) or (kept["variant"] and _mixed(text, runs, "variant") >= _FEW):
        yield "variant"
    if kept["mongolian"] > _FEW and kept["mongolian"] > len(_MONGOLIAN.findall(text)) // 12:
        yield "mongolian"
    if kept["joiner"] > _FEW and _too_many_joiners(text, runs):
        yield "joiner"


def _too_many_joiners(text: str, runs: Sequence[_Run]) -> bool:
    arabic = indic = 0
    states: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for run in runs:
        if any(kind == "joiner" for kind, _ in run.kept):
            if run.before[-1:] in ARABIC or run.after in ARABIC:
                arabic += 1
            else:
                indic += 1
                states[run.before, run.after].update(mark for _, mark in run.kept)
    alternating = 0
    for (before, after), marks in islice(states.items(), _MOST_FORMS):
        marks[""] = text.count(before + after)
        alternating += marks.total() - max(marks.values())
    return (
        (arabic > _FEW and arabic > 0.2 * len(_ARABIC_LETTER.findall(text)))
        or (len(states) > 2 * _FEW and indic > 0.5 * len(_VIRAMA.findall(text)))
        or alternating >= _FEW
    )


def _mixed(text: str, runs: Sequence[_Run], kind: Kind) -> int:
    """How often a character stands in the rarer of the forms that the text gives it."""
    forms: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for run in runs:
        base = run.before[-1:] + (_KEYCAP if run.after == _KEYCAP else "")
        forms[base].update(mark for of, mark in run.kept if of == kind)
    if len(forms) > _MOST_FORMS:
        return _FEW
    count = 0
    for base, marks in forms.items():
        plain = text.count(base) - (0 if _KEYCAP in base else marks.total())
        shares = sorted([*marks.values(), *([plain] if plain > 0 else [])])
        count += sum(shares[:-1])
    return count


def _suspicious(run: str, kept: Sequence[tuple[Kind, str]], before: str, after: str, *, right_to_left: bool) -> bool:
    """Whether what is taken out of a run is nothing that keyboards, word processors and web pages leave behind."""
    needed = {character for _, character in kept}
    extra = [character for character in run if character not in needed]
    if len(run) - len(kept) > (_FEW if extra else 2 * _FEW):
        return True
    in_a_word = before.isalnum() and after.isalnum() and max(before, after) < _FIRST_UNSPACED
    usual = set(_USUAL if in_a_word else _USUAL_OUTSIDE_WORDS)
    if right_to_left:
        usual |= _DIRECTIONS
    for script, marks in _LEFT_OVERS:
        if script.match(before) or script.match(after):
            usual.update(marks)
    return any(character not in usual for character in extra)


# what is left over beside the letters of a script: joiners typed twice, selectors of unregistered variants
_LEFT_OVERS = (
    (_JOINING, "\u200c\u200d\u034f"),
    (_LETTERS_OF_UNSPACED_SCRIPTS, "\u200b"),
    (_MONGOLIAN, "\u180b\u180c\u180d\u180e"),
    (_JAMO, "\u115f\u1160"),
    (_IDEOGRAPH, "\ufe00\ufe01\ufe02" + "".join(map(chr, range(0xE0100, 0xE01F0)))),
)
