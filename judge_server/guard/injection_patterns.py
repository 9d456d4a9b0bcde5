"""The marks of an attack on the judge: texts that speak to a grader instead of answering.

Patterns stand for what policies in training and red teams are known to write. They are looked for in a folded text, all
at once and in time linear in its length. A mark is a suspicion, not a proof: a question about grading may well be
answered with the words of a grader.
"""

import tomllib
from collections.abc import Iterable
from importlib.resources import files
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
    if not _ANY.search(text):
        return ()
    return tuple(family for family, pattern in _BY_FAMILY.items() if pattern.search(text))
