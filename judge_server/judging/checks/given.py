"""Checks against what the submission gives: ``mentions`` (is the answer given away?) and ``same_numbers``."""

import re
from collections import Counter

from judge_server.core.check import MentionsCheck, SameNumbersCheck
from judge_server.judging.checks import numeric, pattern
from judge_server.judging.checks.interface import CheckFailed, CheckFinding, CheckInput, passed, quoted
from judge_server.judging.checks.words import plain_words

MOST_WORDS = 20
_BETWEEN = "(?: [^ ]+){0,2}"  # "x = 4" is also said by "x must be 4"
_BARE_NUMBER = re.compile(r"\s*[-+−]?[\d.,/ ]{1,40}%?\s*")


def find_mention(spec: MentionsCheck, check_input: CheckInput) -> CheckFinding:
    wanted = spec.against or (check_input.compared_with(spec, None),)
    said = next((one for one in wanted if _mentioned(one, check_input.text)), None)
    return passed(said is not None, "the text does not say it" if said is None else f"the text says {quoted(said)}")


def _mentioned(wanted: str, text: str) -> bool:
    if _BARE_NUMBER.fullmatch(wanted) and (number := numeric.last_number(wanted)) is not None:
        return any(
            abs(found.value - number.value) <= 1e-9 * max(1, abs(number.value)) for found in numeric.numbers(text)
        )
    words = plain_words(wanted)
    if not 1 <= len(words) <= MOST_WORDS:
        raise CheckFailed(
            f"A text of {len(words)} words cannot be looked for.", remedy=f"Give 1 to {MOST_WORDS} words, or a number."
        )
    looked_for = f"{_BETWEEN} ".join(map(re.escape, words))
    return pattern.found(f" {looked_for} ", f" {' '.join(plain_words(text))} ")


_DIGITS = re.compile(r"\d(?:[\d.,'\u2019\u00a0\u202f]{0,40}\d)?")


_SEPARATOR = re.compile(r"\D")


def find_numbers(spec: SameNumbersCheck, check_input: CheckInput) -> CheckFinding:
    given, mine = _digits(check_input.compared_with(spec, None)), _digits(check_input.text)
    missing, added = given - mine, mine - given
    if missing or added:
        parts = [
            f"{what} {', '.join(sorted(counts)[:3])}"
            for what, counts in (("missing", missing), ("added", added))
            if counts
        ]
        return passed(False, "the numbers differ: " + "; ".join(parts))
    return passed(True, f"the same {given.total()} numbers")


def _digits(text: str) -> Counter[str]:
    """The digits of each number, without separators: 1,250.5 and 1.250,5 are one number, 31.12.2026 is three."""
    found: list[str] = []
    for match in _DIGITS.finditer(text):
        pieces = _SEPARATOR.split(match.group())
        found += ["".join(pieces)] if _one_number(pieces) else pieces
    return Counter(found)


def _one_number(pieces: list[str]) -> bool:
    """Thousands in groups of three digits, and at the end perhaps decimals."""
    return len(pieces) <= 2 or (len(pieces[0]) <= 3 and all(len(piece) == 3 for piece in pieces[1:-1]))
