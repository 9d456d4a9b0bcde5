"""Words that annotators write: abstentions, yes and no, numbers, and texts that only look like numbers."""

import re
from typing import Any, Final

from judge_server.core.fact import number_in

ABSTENTIONS: Final = frozenset(
    {
        "", "abstain", "abstained", "abstention", "n/a", "na", "nan", "null", "unsure", "not sure", "don't know",
        "dont know", "do not know", "cannot say", "can't say", "skip", "skipped", "?", "-", "--", "\u2013", "\u2014",
        "n.a.", "n. a.", "n.a", "#n/a", "not applicable", "inapplicable", "ignore", "ignored", "no answer",
        "k.a.", "k. a.", "k.a", "keine angabe", "entf\u00e4llt", "entfaellt", "entf.", "nicht anwendbar",
        "nicht zutreffend", "sans objet", "s.o.", "non applicable", "no aplica", "no procede", "non applicabile",
        "n.v.t.", "nvt",
    }
)  # fmt: skip
NO: Final = frozenset({"0", "false", "no", "f", "n", "unmet", "not met", "not_met"})
YES: Final = frozenset({"1", "true", "yes", "t", "y", "met"})
# equivalent spellings, and pairs whose positive class is clear; the worse comes first
BOOLEANS: Final = (
    ("0", "1"), ("false", "true"), ("no", "yes"), ("unmet", "met"), ("not met", "met"), ("not_met", "met"),
    ("n", "y"), ("f", "t"),
)  # fmt: skip
PAIRS: Final = (
    ("fail", "pass"), ("failed", "passed"), ("incorrect", "correct"), ("wrong", "right"), ("absent", "present"),
    ("negative", "positive"), ("reject", "accept"), ("rejected", "accepted"), ("bad", "good"),
)  # fmt: skip

_MONTHS: Final = r"(jan|feb|mar|m\u00e4r|mrz|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-z\u00e4.]*"
_DATE: Final = (
    rf"[0-9]{{1,2}}[-./ ]\s?{_MONTHS}([-./ ]\s?[0-9]{{2,4}})?"
    rf"|{_MONTHS}[-./ ]\s?[0-9]{{2,4}}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?|[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2,4}"
)
_NUMBER: Final = r"[-+]?[0-9]+([.,][0-9]+)?"
_NEARLY: Final = {
    r"[-+]?[0-9]{1,3}([,.'\u2019 ][0-9]{3})+(,[0-9]+)?|[-+]?[0-9]+,[0-9]*": (
        "may hold a decimal or a thousands separator",
        "Write numbers with a decimal point and without other separators: 0.5, 1000.",
    ),
    rf"{_NUMBER}\s*(/|out of|von|of)\s*{_NUMBER}": (
        "is a fraction",
        "Write the number alone (8 for 8/10) and name the scale with --scale 'CRITERION=0<1<2<...'.",
    ),
    rf"{_NUMBER}\s*%": ("is a percentage", "Write the number alone: 0.8, or 80."),
    _DATE: (
        "is a date: spreadsheets make dates of entries such as 8/10",
        "Format the column as text and enter it again.",
    ),
}
_NEARLY_PATTERNS: Final = tuple((re.compile(pattern, re.IGNORECASE), told) for pattern, told in _NEARLY.items())


def abstains(word: str) -> bool:
    return word.casefold() in ABSTENTIONS


def is_boolean(word: str) -> bool:
    folded = word.casefold()
    return folded in YES or folded in NO


def number_of(word: str) -> float | None:
    """The finite number in ``word``; ``0,5`` is a half, ``1,000`` is not a number."""
    return number_in(word)


def nearly_a_number(word: str) -> tuple[str, str] | None:
    """The fault of a word that looks like a number but is refused, and how to write it; None for other words."""
    if len(word) > 60 or number_of(word) is not None:
        return None
    return next((told for pattern, told in _NEARLY_PATTERNS if pattern.fullmatch(word)), None)


def given(*values: Any, default: Any = None) -> Any:
    """The first value that is neither None nor ""; 0 and False count as values."""
    return next((value for value in values if value is not None and value != ""), default)


def written(value: float) -> str:
    """Whether two texts are the same step of a scale: 1.0 and 1 are."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
