"""Texts that address a grader instead of answering: patterns of known attacks, and pleas built from a language's words.

All are looked for in a normalized text, in time linear in its length. A match is a suspicion, not a proof: a question
about grading may well be answered with the words of a grader. No list is complete, so no defence rests on it.
"""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import islice
from typing import Any

import re2

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
