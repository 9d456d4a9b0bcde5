"""``length``: how long the text is, in the unit asked for."""

from collections.abc import Callable

from judge_server.core.check import LengthCheck
from judge_server.judging.checks import words
from judge_server.judging.checks.check_input import CheckInput
from judge_server.judging.checks.finding import Finding, counted

_MEASURES: dict[str, Callable[[str], int]] = {
    "characters": len,
    "words": lambda text: len(words.words(text)),
    "tokens": lambda text: len(words.tokens(text)),
    "sentences": lambda text: len(words.sentences(text)),
    "paragraphs": lambda text: len(words.paragraphs(text)),
    "lines": lambda text: len(words.lines(text)),
}


def find(spec: LengthCheck, material: CheckInput) -> Finding:
    length = _MEASURES[spec.unit](material.text)
    plain = counted(length, spec.unit, spec.min or 0, spec.max)
    return Finding(_grade(length, spec.min, spec.max), plain.reason) if spec.graded else plain


def _grade(length: int, least: int | None, most: int | None) -> float:
    """1 inside the bounds, falling linearly to 0 at half the minimum and at twice the maximum."""
    if least is not None and length < least:
        return max(0.0, 2 * length / least - 1)
    if most is not None and length > most:
        return max(0.0, 2 - length / most) if most else 0.0
    return 1.0
