"""Words that annotators write: abstentions, yes and no, numbers."""

from math import isfinite
from typing import Final

ABSTENTIONS: Final = frozenset(
    {
        "", "abstain", "abstained", "abstention", "n/a", "na", "nan", "null", "unsure", "not sure", "don't know",
        "dont know", "do not know", "cannot say", "can't say", "skip", "skipped", "?",
    }
)  # fmt: skip
NO: Final = frozenset({"0", "false", "no", "f", "n", "unmet", "not met", "not_met"})
YES: Final = frozenset({"1", "true", "yes", "t", "y", "met"})
# spellings that belong together, and pairs whose positive class is plain; the first is the worse
BOOLEANS: Final = (
    ("0", "1"), ("false", "true"), ("no", "yes"), ("unmet", "met"), ("not met", "met"), ("not_met", "met"),
    ("n", "y"), ("f", "t"),
)  # fmt: skip
PAIRS: Final = (
    ("fail", "pass"), ("failed", "passed"), ("incorrect", "correct"), ("wrong", "right"), ("absent", "present"),
    ("negative", "positive"), ("reject", "accept"), ("rejected", "accepted"), ("bad", "good"),
)  # fmt: skip


def abstains(word: str) -> bool:
    return word.casefold() in ABSTENTIONS


def is_boolean(word: str) -> bool:
    folded = word.casefold()
    return folded in YES or folded in NO


def number_of(word: str) -> float | None:
    """The finite number that ``word`` writes in plain decimal digits."""
    if not word or not (word[0].isascii() and word[0] in "+-.0123456789") or "_" in word:
        return None
    try:
        value = float(word)
    except ValueError:
        return None
    return value if isfinite(value) else None


def written(value: float) -> str:
    """1.0 and 1 are the same step of a scale."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
