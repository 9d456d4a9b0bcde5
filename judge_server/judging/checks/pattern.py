"""Run rubric authors' regular expressions on RE2, whose time is linear in the text for any pattern."""

from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from time import monotonic
from typing import Any

import re2

from judge_server.judging.checks.interface import CheckTimeout

LARGEST_PROGRAM = 2_000
LIMIT_SECONDS = 1.0
_FLAGS = {"ignore_case": "i", "multiline": "m", "dotall": "s"}
_LOOKAROUND = ("(?=", "(?!", "(?<=", "(?<!")


def check(pattern: str, flags: Sequence[str] = ()) -> None:
    """Raises ValueError, with the remedy, for a pattern that RE2 cannot run."""
    _compiled(pattern, tuple(flags))


def check_extract(pattern: str | None) -> None:
    """As ``check``, for a pattern that extracts one text from the answer."""
    if pattern is not None and _compiled(pattern, ()).groups > 1:
        raise ValueError(
            f"extract has {_compiled(pattern, ()).groups} groups; give it one, and write the others as (?:…)"
        )


def count(pattern: str, flags: Sequence[str], text: str, limit: int) -> int:
    """Matches of ``pattern`` in ``text``, counted up to ``limit``."""
    regex = _compiled(pattern, tuple(flags))
    if limit == 1:
        return int(regex.search(text) is not None)
    return sum(1 for _ in _matches(regex, text, limit))


def found(pattern: str, text: str) -> bool:
    """Lone surrogates in ``text``, which JSON can escape but UTF-8 cannot encode, are read as ``?``."""
    return _compiled(pattern, ()).search(text.encode("utf-8", "replace").decode("utf-8")) is not None


def last(pattern: str, text: str, limit: int = 1_000) -> str | None:
    """The last match among the first ``limit``: its group if it has one, else the whole match."""
    regex = _compiled(pattern, ())
    matches = deque(_matches(regex, text, limit), maxlen=1)
    return (matches[0].group(regex.groups) or "") if matches else None


def _matches(regex: Any, text: str, limit: int) -> Iterator[Any]:
    """One search is linear in the text, but each match starts another: together they get ``LIMIT_SECONDS``."""
    deadline = monotonic() + LIMIT_SECONDS
    for match in islice(regex.finditer(text), limit):
        if monotonic() > deadline:
            raise CheckTimeout(f"Finding the pattern's matches took longer than {LIMIT_SECONDS:g} seconds.")
        yield match


@lru_cache(maxsize=4_096)
def _compiled(pattern: str, flags: tuple[str, ...]) -> Any:
    options = re2.Options()
    options.log_errors = False
    letters = "".join(sorted(_FLAGS[flag] for flag in set(flags)))
    try:
        regex = re2.compile(f"(?{letters}){pattern}" if letters else pattern, options)
    except re2.error as fault:
        said = fault.args[0].decode("utf-8", "replace") if isinstance(fault.args[0], bytes) else str(fault)
        raise ValueError(f"the pattern does not compile under RE2 ({said}): {_remedy(said)}") from None
    if regex.programsize > LARGEST_PROGRAM:
        raise ValueError(
            f"the pattern compiles to {regex.programsize} instructions, more than {LARGEST_PROGRAM}: "
            "use smaller repetition counts"
        )
    return regex


def _remedy(said: str) -> str:
    if any(said.endswith(operator) for operator in _LOOKAROUND):
        return "RE2 has no lookahead and no lookbehind; match the surrounding text too, or use two criteria"
    if "invalid escape sequence" in said and said[-1:].isdigit():
        return "RE2 has no backreferences; write the repeated text out"
    if "invalid repetition size" in said:
        return "a repetition count may be at most 1000"
    if said.endswith("(?P"):
        return "RE2 has no backreferences by name; a named group is written (?P<name>…)"
    return "see the RE2 syntax page (github.com/google/re2/wiki/Syntax)"
