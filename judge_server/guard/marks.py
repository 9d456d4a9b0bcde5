"""The marks of an attack in a text: orders to a grader, hidden characters, disguised letters, repeated passages.

Words are looked for in a normalized text: small letters, one form for every way to write a letter, nothing invisible.
It is only for finding words, never shown: in Greek, Russian, Japanese or mathematics the same letters stand for
themselves.
Texts that address a grader instead of answering are found by patterns of known attacks, and as pleas built from a
language's words. A match is a suspicion, not a proof: a question about grading may well be answered with the words of a
grader. No list is complete, so no defence rests on it. All searches take time linear in the text's length.
"""

import re
import string
import tomllib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import islice
from typing import Any

import re2

from judge_server.guard.sanitize import INVISIBLE, hides, visible
from judge_server.util.compatibility_form import compatibility_form

_CYRILLIC = dict(zip("авеіјкмнорсѕтухԁԛԝһӏґьєѵ", "abeijkmhopcstyxdqwhlrbev", strict=True))
_GREEK = dict(zip("αβεικνορτυχγηωϲϳ", "abeikvoptuxynwcj", strict=True))
_ARMENIAN = dict(zip("օոսհցքզ", "onuhgqq", strict=True))
_LATIN = dict(zip("ıȷɑɡɩʟɪɴʀɢʙʜʏᴀᴄᴅᴇᴊᴋᴍᴏᴘᴛᴜᴠᴡᴢꜰꜱ", "ijagilinrgbhyacdejkmoptuvwzfs", strict=True))
_ENCLOSED = {chr(first + place): chr(ord("a") + place) for first in (0x1F150, 0x1F170, 0x1F1E6) for place in range(26)}
# letters that the mathematical alphabets leave out, because Unicode had them before: careless writers use the holes
_HOLES = dict(
    zip(
        "\U0001d455\U0001d49d\U0001d4a0\U0001d4a1\U0001d4a3\U0001d4a4\U0001d4a7\U0001d4a8\U0001d4ad\U0001d4ba\U0001d4bc\U0001d4c4"
        "\U0001d506\U0001d50b\U0001d50c\U0001d515\U0001d51d\U0001d53a\U0001d53f\U0001d545\U0001d547\U0001d548\U0001d549\U0001d551",
        "hbefhilmregochirzchnpqrz",
        strict=True,
    )
)
_READABLE = str.maketrans(_HOLES)
_LETTERS = str.maketrans(_CYRILLIC | _GREEK | _ARMENIAN | _LATIN | _ENCLOSED)
_OTHER = "".join({**_CYRILLIC, **_GREEK, **_ARMENIAN})
_ODD = "".join({**_LATIN, **_ENCLOSED}).replace("ı", "")
# a letter of another script beside a Latin one, or a letter that imitates one
_MIXED_LETTERS = f"[{_OTHER}][a-zA-Z]|[a-zA-Z][{_OTHER}]|[{_ODD}ı][{_ODD}a-zA-Z]"
_MIXED = re2.compile(_MIXED_LETTERS)
_ACCENTS = "\u0300-\u036f\u0489\u20d0-\u20f0"
_LOOSE_ACCENTS = re.compile(f"[{_ACCENTS}]+")
# Forms that stand for Latin letters, digits, or what templates are written with. Full-width stops and commas are not
# among them: every Chinese text has those.
_FORMS = (
    "\u00aa\u00b2\u00b3\u00b9\u00ba\u00bc-\u00be\u02b0-\u02e3\u1d2c-\u1d6a\u1d78-\u1dbf\u2070-\u209c\u2100-\u214f\u2150-\u218b"
    "\u2460-\u24ea\u3371-\u33df\ufb00-\ufb06\ufe47\ufe48\ufe5b-\ufe6b\uff02\uff03\uff07\uff0a\uff0f-\uff19\uff1c-\uff1e\uff20-\uff5e"
    "\U0001d400-\U0001d7ff\U0001f100-\U0001f1ff"
)
_FORM = re2.compile(f"[{_FORMS}]")
_UNUSUAL = re2.compile(f"[{INVISIBLE}{_ACCENTS}{_FORMS}]|{_MIXED_LETTERS}")
_LONG_LIGATURES = re.compile("[\ufdf0-\ufdff]")  # one becomes up to eighteen characters

# Letters that a reader takes for Latin ones; those that serve as symbols (α, µ, Δ, κ) are not among them.
_LOOK_ALIKES = "авеіјкорсѕухԁԛԝһӏАВЕЅІЈКМНОРСТХΑΒΕΖΗΙΚΜΝΟΡΤΧΥο"
_SMALL_CAPITALS = "ᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘʀᴛᴜᴠᴡʏᴢꜰꜱ"
_MADE_UP = re2.compile(
    "[\U0001d400-\U0001d6a3]{4}|[\uff41-\uff5a]{4}|[\u24b6-\u24e9]{4}|[\U0001f150-\U0001f169\U0001f170-\U0001f189]{4}|"
    f"[{_SMALL_CAPITALS}]{{4}}"
)
_MIXTURE = f"[{_LOOK_ALIKES}][A-Za-z]"
_IMITATING = re2.compile(_MIXTURE)
_ODD_WORDS = re2.compile(f"{_MADE_UP.pattern}|{_MIXTURE}")
_IMITATION = _LOOK_ALIKES + string.ascii_letters
_WORD = re.compile(r"[^\W\d_]+")
_MOST_WORDS = 20_000

# letters set apart by single spaces, words by several
_SPACED = re2.compile(r"(?:^|\s)(?:[^\s0-9] ){5}[^\s0-9](?:\s|$)")
_SET_APART = re.compile(r"(?<!\S)\S(?: \S)+(?!\S)")
_LONGEST_SPACED = 120
# "7h3 4n5w3r": digits for letters in at least half of the words
_MIXED_WITH_DIGITS = re.compile(r"[a-z]\d|\d[a-z]+\d|\d{2,}[a-z]")
_FEWEST_MIXED = 2
_DIGITS_AS_LETTERS = tuple(str.maketrans("013456789", f"o{one}easgtbg") for one in "il")

_SHORTEST = 400
_LONG = 30_000
_READ_CHARACTERS = 200_000
_MOST_COMPRESSED = 0.35  # English prose of 2 kB compresses to about half, a text said twice to less than a third
_REPEATED_SHARE = 0.4
_SURELY_REPEATED = 0.8  # of some thirty probes: no need to count all runs
_WORDS = 6
_CHARACTERS = 24
_PROBES = 32
_PROBE_CHARACTERS = 64


@dataclass(frozen=True, slots=True)
class Marks:
    """``plain``: the normalized text. ``families``: of attacks, whose patterns it matches."""

    plain: str
    families: tuple[str, ...]
    hidden: bool
    look_alikes: bool
    repetitive: bool


def marks_of(text: str, longest: int) -> Marks:
    """All marks of ``text``; ``longest``: the most characters of its normalized form that are searched."""
    plain = normalize(text)[:longest]
    return Marks(plain, injection_flags(unspaced(plain)), hides(text), looks_alike(text), repetitive(text))


def other_readings(text: str) -> list[str]:
    """What a text written in look-alike letters, or a short one with its letters set apart, is read as."""
    if looks_alike(text):
        return [normalize(text)]
    if len(text) > _LONGEST_SPACED and not _SPACED.search(text[:_LONGEST_SPACED]):
        return []
    plain = normalize(text)
    joined = unspaced(plain)
    found = [joined] if joined != text.lower() else []
    if len(_MIXED_WITH_DIGITS.findall(plain)) > max(plain.count(" ") / 2, _FEWEST_MIXED):
        found += [plain.translate(letters) for letters in _DIGITS_AS_LETTERS]
    return found


def unspaced(text: str) -> str:
    """A normalized text with letters that were set apart by blanks joined again."""
    if not _SPACED.search(text):
        return text
    return _SET_APART.sub(lambda word: word.group().replace(" ", ""), text)


def normalize(text: str) -> str:
    """Compatibility forms resolved, letters of other scripts in Latin words and made-up alphabets read as what they
    look like, invisible characters and loose accents taken out, small letters."""
    plain = text.lower()
    if text.isascii() or not _UNUSUAL.search(plain):
        return plain
    plain = _LOOSE_ACCENTS.sub("", visible(plain))
    if _FORM.search(plain):
        plain = compatibility_form(_LONG_LIGATURES.sub(" ", plain)).lower().translate(_READABLE)
    return plain.translate(_LETTERS) if _MIXED.search(plain) else plain


def looks_alike(text: str) -> bool:
    """Whether words are written with letters that only look like those of their script, or in a made-up alphabet."""
    if text.isascii() or not _ODD_WORDS.search(text):
        return False
    if _MADE_UP.search(text):
        return True
    words = (word.group() for word in islice(_WORD.finditer(text), _MOST_WORDS))
    return any(_IMITATING.search(word) and not word.strip(_IMITATION) for word in words if not word.isascii())


@lru_cache(maxsize=8)  # one response is searched for echoes of the prompt, recited criteria and repetition
def single_spaced(text: str) -> str:
    """The text with a single blank for every run of white space, and none at its ends."""
    return " ".join(text.split())


def repeated_share(text: str) -> float:
    """The share of its runs of six words, or of 24 characters, that repeat an earlier one."""
    words = text.split()
    if len(words) * 20 >= len(text):
        count = len(words) - _WORDS + 1
        # hashes instead of the runs themselves: comparing these word by word would take as long again
        different = set(map(hash, zip(*[words[start:] for start in range(_WORDS)], strict=False)))
        return 1 - len(different) / count if count > 0 else 0.0
    plain = "".join(words)
    starts = range(max(len(plain) - _CHARACTERS + 1, 0))
    return 1 - len({plain[start : start + _CHARACTERS] for start in starts}) / len(starts) if starts else 0.0


def compressed_share(text: str) -> float:
    """Compressed size by size, in bytes of UTF-8."""
    data = text.encode("utf-8", "surrogatepass")
    return len(zlib.compress(data, 1)) / len(data) if data else 1.0


def probed_share(text: str) -> float:
    """The share of probes, taken at even distances, that stand in the text before."""
    places = range(0, len(text) - _PROBE_CHARACTERS, max(len(text) // _PROBES, 1))
    again = sum(text.find(text[place : place + _PROBE_CHARACTERS], 0, place) >= 0 for place in places)
    return again / len(places) if places else 0.0


def repetitive(text: str) -> bool:
    """Whether two fifths of a text of some length or more were said before."""
    if len(text) < _SHORTEST:
        return False
    if len(text) > _LONG:
        return probed_share(text[:_READ_CHARACTERS].lower()) >= _REPEATED_SHARE
    if compressed_share(text) >= _MOST_COMPRESSED:
        return False
    folded = single_spaced(text.lower())
    return probed_share(folded) >= _SURELY_REPEATED or repeated_share(folded) >= _REPEATED_SHARE


_OPTIONS = re2.Options()
_OPTIONS.dot_nl = True
_OPTIONS.never_capture = True
_OPTIONS.log_errors = False
_OPTIONS.max_mem = 64 << 20


def _families() -> dict[str, list[str]]:
    content = tomllib.loads(files("judge_server.guard").joinpath("injection_patterns.toml").read_text("utf-8"))
    words: dict[str, str] = content["words"]
    return {family: [_written_out(one, words) for one in some] for family, some in content["families"].items()}


def _written_out(pattern: str, words: dict[str, str]) -> str:
    for name, meaning in reversed(words.items()):
        pattern = pattern.replace(f"<{name}>", meaning)
    return pattern


def _one_of(patterns: Iterable[str]) -> Any:
    return re2.compile("|".join(f"(?:{pattern})" for pattern in patterns), _OPTIONS)


_FAMILIES = _families()
_BY_FAMILY = {family: _one_of(patterns) for family, patterns in _FAMILIES.items()}
_ANY = _one_of(pattern for patterns in _FAMILIES.values() for pattern in patterns)


def injection_flags(text: str) -> tuple[str, ...]:
    """The families of attacks whose marks stand in a folded text, such as ``plea`` or ``control_token``."""
    found = tuple(family for family, pattern in _BY_FAMILY.items() if pattern.search(text)) if _ANY.search(text) else ()
    return (*found, "plea_in_other_languages") if asks_for_a_grade(text) else found


@dataclass(frozen=True, slots=True)
class _GradingWords:
    """One language's patterns for the parts of a plea."""

    grade: Any
    top: Any
    give: Any
    ignore: Any
    instructions: Any


_NEAR = 80
_MOST_PLACES = 100


@cache
def _grading_words() -> tuple[tuple[_GradingWords, ...], Any, Any, Any]:
    content = tomllib.loads(files("judge_server.guard").joinpath("grading_words.toml").read_text("utf-8"))
    for words in content.values():
        words.update({part: _at_the_beginning(words[part]) for part in ("grade", "ignore")})
    languages = tuple(
        _GradingWords(**{part: _one_of([pattern]) for part, pattern in words.items()}) for words in content.values()
    )
    grades = _one_of(words["grade"] for words in content.values())
    ignoring = _one_of(words["ignore"] for words in content.values())
    either = _one_of(words[part] for words in content.values() for part in ("grade", "ignore"))
    return languages, grades, ignoring, either


def _at_the_beginning(pattern: str) -> str:
    """Alternatives that begin with a Latin letter, at the beginning of a word."""
    return "|".join(rf"\b{one}" if one[0].isascii() and one[0].isalpha() else one for one in pattern.split("|"))


def asks_for_a_grade(text: str) -> bool:
    """Whether a folded text asks for the best grade, or to ignore instructions, in a language of the grading words:
    the words for it stand within 80 characters of each other. Looks at the first 100 places."""
    languages, grades, ignoring, either = _grading_words()
    if not either.search(text):
        return False
    for near in _around(grades, text):
        if any(words.grade.search(near) and words.top.search(near) and words.give.search(near) for words in languages):
            return True
    for near in _around(ignoring, text):
        if any(words.ignore.search(near) and words.instructions.search(near) for words in languages):
            return True
    return False


def _around(pattern: Any, text: str) -> Iterator[str]:
    """What stands around each match, each part of the text once."""
    end = 0
    for match in islice(pattern.finditer(text), _MOST_PLACES):
        if match.start() >= end:
            end = match.end() + _NEAR
            yield text[max(match.start() - _NEAR, 0) : end]
