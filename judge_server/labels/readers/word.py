"""Words that annotators write: yes and no, numbers, and texts that are refused because they can mean more
than one thing: what only looks like a number, ticks and signs, errors of formulas."""

import re
import unicodedata
from collections.abc import Collection, Iterable
from itertools import pairwise
from typing import Any, Final

from judge_server.core.fact import number_in

SUMMARIES: Final = frozenset(
    {
        "total", "totals", "grand total", "subtotal", "sum", "count", "mean", "average", "avg", "median", "std", "sd",
        "std dev", "standard deviation", "percent", "overall",
        "summe", "gesamt", "gesamtsumme", "insgesamt", "mittelwert", "durchschnitt", "anzahl", "standardabweichung",
        "somme", "moyenne", "m\u00e9diane", "total g\u00e9n\u00e9ral", "suma", "media", "promedio",
        "mediana", "somma", "totale", "totaal", "gemiddelde", "soma", "m\u00e9dia",
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
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?|[0-9]{1,2}[./-][0-9]{1,2}[./-]([0-9]{2}|[0-9]{4})"
)
_FULL_DATE: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T00:00:00)?|[0-9]{1,2}[./-][0-9]{1,2}[./-]([0-9]{2}|[0-9]{4})"
)
_DAY_OF_MONTH: Final = re.compile(rf"[0-9]{{1,2}}[-. ]\s?{_MONTHS}|{_MONTHS}[-. ]\s?[0-9]{{2}}", re.IGNORECASE)
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
    r"#[^\W\d_]+[/0-9]*[?!]?": ("is the error of a formula", "Correct the formula, or empty the cell."),
    r"\+|\+\+|\+/-|\u00b1": (
        "is a sign, and - beside it is read as no answer",
        "Write words, or say what both mean: --map '+=met' --map '-=unmet'.",
    ),
    rf"{_NUMBER}\s*[-\u2013\u2014]\s*{_NUMBER}": ("is a range", "Decide for one number."),
    rf"\(?{_NUMBER}\)|[<>~\u2248\u2264\u2265=]=?\s*{_NUMBER}|{_NUMBER}\s*[?!*+]+|[0-9]*[\u00bc-\u00be\u2150-\u215e]": (
        "is a number with a sign",
        "Write the number alone; notes have a column of their own.",
    ),
    r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?": (
        "is a time of day: spreadsheets make times of entries such as 8:10",
        "Format the column as text and enter it again.",
    ),
    r"[^\x00-\x7f]*[^\x00-\x7f\W\D][^\x00-\x7f]*": (
        "is a number in other digits than 0 to 9",
        "Write it with the digits 0 to 9.",
    ),
    rf"{_NUMBER}\s+[^\W\d_]+\.?|{_NUMBER}\s?[\u2030\u20ac$\u00a3\u70b9\u5206\u70b9\uc810]|[0-9]+(st|nd|rd|th)": (
        "is a number with a unit",
        "Write the number alone, or name the classes: --scale 'CRITERION=WORST<...<BEST'.",
    ),
    r"[.,;:!/\\_~\"'\u2026\u00b7\u2010-\u2012\u2015]+": (
        "is punctuation alone",
        "Write a word, n/a if there is no answer, or say what it means with --map.",
    ),
    _DATE: (
        "is a date: spreadsheets make dates of entries such as 8/10",
        "Format the column as text and enter it again.",
    ),
}
_UNSEEN: Final = {
    **dict.fromkeys((0xAD, 0x200B, 0x2060, 0xFEFF, 0x200E, 0x200F)),
    **dict.fromkeys((0xA0, 0x2007, 0x2009, 0x200A, 0x202F, 0x3000), " "),
    **{wide: wide - 0xFEE0 for wide in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))},  # full-width letters
}
_LISTED: Final = re.compile(r"[;|,+&]| / ")
_TICK: Final = re.compile(
    r"[\u2713\u2714\u2705\u2611\u2717\u2718\u2716\u274c\u2612\u2610\u25a1\u2022*x]|\[x?\]", re.IGNORECASE
)
_MISSING: Final = re.compile(r"-[1789]|-?(66|77|88|99|666|777|888|999|9999|99999)|[789]")
_GROUPED: Final = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
_NEARLY_PATTERNS: Final = tuple((re.compile(pattern, re.IGNORECASE), told) for pattern, told in _NEARLY.items())


def dates_of_entries(names: Collection[str]) -> frozenset[str]:
    """Names that a spreadsheet probably made of entries such as 1-2: days of a month without a year, midnights, and
    dates beside names that are none."""
    dates = {name for name in names if _FULL_DATE.fullmatch(name)}
    made = {name for name in names if _DAY_OF_MONTH.fullmatch(name) or (name in dates and "T" in name)}
    return frozenset(made | (dates if len(dates) < len(names) else set()))


def is_summary(name: str) -> bool:
    """Whether an item is named like a row of sums or means."""
    return name.casefold().strip(" :.=\u00d8") in SUMMARIES


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


def tidy(text: str) -> str:
    """``text`` without blanks around it and without what nobody sees: zero-width characters, special blanks,
    full-width letters, and letters composed in another way."""
    if text.isascii():
        return text.strip()
    return unicodedata.normalize("NFC", text.translate(_UNSEEN)).strip()


def several_at_once(word: str, others: Collection[str]) -> bool:
    """Whether a word lists two or more labels that are used alone: ``a;b`` beside ``a``, ``a/b`` beside both."""
    parts = [part.strip().casefold() for part in _LISTED.split(word)]
    if number_of(word) is not None:
        return False
    if "/" in word and word.casefold() not in others and set(word.casefold().split("/")) <= {*others}:
        return True
    return len(parts) > 1 and all(parts) and any(part in others for part in parts) and word.casefold() not in others


def lone_ticks(words: Collection[str]) -> frozenset[str]:
    """The tick that is the only word: an empty cell beside it can mean no, or not labelled yet."""
    return frozenset(words) if len(words) == 1 and _TICK.fullmatch(next(iter(words))) else frozenset()


def thousands(words: Iterable[str]) -> frozenset[str]:
    """Words such as ``1.000`` beside ``500``: a point may divide thousands if some numbers have no decimals."""
    found = {word for word in words if _GROUPED.fullmatch(word)}
    return frozenset(found) if any(word.isdecimal() for word in words) else frozenset()


def serial_dates(words: Iterable[str]) -> frozenset[str]:
    """Numbers that are probably days since 1900 (1982 to 2091), to which a spreadsheet turned an entry such as 8/10:
    all others are far smaller."""
    numbers = {word: value for word in words if (value := number_of(word)) is not None}
    days = {word for word, value in numbers.items() if value.is_integer() and 30_000 <= value < 70_000}
    rest = [abs(value) for word, value in numbers.items() if word not in days]
    return frozenset(days) if rest and max(rest) <= 1_000 else frozenset()


def missing_codes(words: Iterable[str]) -> frozenset[str]:
    """Numbers that are probably codes for no answer, as statistics programs write them: 9, 99, -99 or 888 far from all
    others, which are whole numbers too."""
    numbers = {word: value for word in words if (value := number_of(word)) is not None and value.is_integer()}
    coded = {word: value for word, value in numbers.items() if _MISSING.fullmatch(written(value))}
    return frozenset(word for word, value in coded.items() if _alone(value, sorted({*numbers.values()})))


def _alone(code: float, values: list[float]) -> bool:
    if code < 0:
        above = [value for value in values if value > code]
        return len(above) > 1 and above[0] >= 0 and above[0] - code > 1
    below = [value for value in values if value < code]
    if len(below) < 2:
        return False
    widest = max(second - first for first, second in pairwise(below))
    return code - below[-1] >= max(3, widest + 1) and code >= 1.8 * below[-1]


def given(*values: Any, default: Any = None) -> Any:
    """The first value that is neither None nor ""; 0 and False count as values."""
    return next((value for value in values if value is not None and value != ""), default)


def written(value: float) -> str:
    """Whether two texts are the same step of a scale: 1.0 and 1 are."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
