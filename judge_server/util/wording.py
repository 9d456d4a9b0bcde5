"""Numbers in sentences and tables: how they are rounded, and nouns that agree with their count. The only place of both.

Coefficients have two decimals without a leading zero, as journals write them; shares are whole percents, and only
nothing is 0% and only all is 100%; probabilities of a test have three decimals. A value that would read like the bound
it is held against gets as many decimals as it takes to tell them apart. Money has cents, and below ten dollars the
decimals of four digits, if they are not 0.
"""

import math
from typing import Final

_MOST_DECIMALS: Final = 6
_SMALLEST_P: Final = 0.001
_CENTS: Final = 2
_DIGITS_OF_MONEY: Final = 4


def many(count: int, noun: str, plural: str | None = None) -> str:
    """``1 item``, ``2 items``, ``1,000 criteria``."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def capitalized(text: str) -> str:
    """The text as the beginning of a sentence; the rest keeps its case."""
    return text[:1].upper() + text[1:]


def plain(value: float, decimals: int = 2) -> str:
    """A coefficient: .65, −.02, 1.00."""
    text = f"{abs(value):.{decimals}f}"
    sign = "−" if value < 0 and float(text) else ""
    return sign + text.removeprefix("0")


def beside(value: float, bound: float) -> str:
    """A coefficient that stands beside the bound it misses or meets."""
    decimals = 2
    while value != bound and plain(value, decimals) == plain(bound, decimals) and decimals < _MOST_DECIMALS:
        decimals += 1
    return plain(value, decimals)


def percent(share: float) -> str:
    """A share: 0%, under 1%, 37%, over 99%, 100%."""
    if 0 < share < 0.005:
        return "under 1%"
    if 0.995 <= share < 1:
        return "over 99%"
    return f"{share:.0%}"


def money(dollars: float) -> str:
    """$0.00, $0.004, $0.0003123, $8.10, $1,234.50."""
    first = math.floor(math.log10(dollars)) if dollars else 0
    text = f"{dollars:,.{max(_CENTS, _DIGITS_OF_MONEY - 1 - first)}f}"
    end = text.index(".") + 1 + _CENTS
    return f"${text[:end]}{text[end:].rstrip('0')}"


def p_value(p: float) -> str:
    """``p = .034`` or ``p < .001``."""
    return f"p < {plain(_SMALLEST_P, 3)}" if p < _SMALLEST_P else f"p = {plain(p, 3)}"
