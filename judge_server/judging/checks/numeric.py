"""``numeric``: a number in the answer equals the reference's, within a tolerance."""

import math
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from judge_server.core.check import NumericCheck
from judge_server.judging.checks import pattern
from judge_server.judging.checks.interface import CheckFailed, CheckFinding, CheckInput, passed

_EXPONENT = r"\{?([-+]?\d+)\}?"
_NUMBER = re.compile(
    r"(?<![\w.^])(?P<sign>[-+]?)(?:[$€£¥]\s?)?(?:"
    r"(?P<whole>\d+)[ ](?P<part>\d+)/(?P<parts>\d+)"
    r"|(?P<over>\d+(?:\.\d+)?)\s?/\s?(?P<under>\d+(?:\.\d+)?)"
    rf"|10\s?\^\s?(?P<power>{_EXPONENT})"
    r"|(?P<digits>\d{1,3}(?:[,\u00a0\u2009\u202f]\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?|\.\d+)"
    rf"(?:[eE](?P<scientific>[-+]?\d+)|\s?[×x·*]\s?10\s?\^\s?(?P<times>{_EXPONENT}))?"
    r")(?P<percent>\s?(?:%|percent\b|per\scent\b))?"
)
_VULGAR = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "⅛": "1/8"}
_SUPERSCRIPT = re.compile(r"[⁺⁻⁰¹²³⁴-⁹]+")
_LOWERED = str.maketrans("⁺⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "+-0123456789")


@dataclass(frozen=True, slots=True)
class Number:
    value: float
    percent: bool = False

    def readings(self, other: "Number") -> tuple[float, ...]:
        """12 % is 12 to another percentage, and either 12 or 0.12 to a bare number."""
        return (self.value, self.value / 100) if self.percent and not other.percent else (self.value,)


def prepare(spec: NumericCheck) -> None:
    pattern.check_extract(spec.extract)


def find(spec: NumericCheck, check_input: CheckInput) -> CheckFinding:
    wanted = _wanted(spec, check_input)
    text = check_input.text if spec.extract is None else pattern.last(spec.extract, check_input.text)
    given = None if text is None else last_number(text)
    if given is None:
        return passed(False, "no number was found")
    met = any(
        _close(mine, theirs, spec.tolerance, spec.relative)
        for mine in given.readings(wanted)
        for theirs in wanted.readings(given)
    )
    return passed(met, f"{_shown(given)} {'equals' if met else 'is not'} {_shown(wanted)}")


def last_number(text: str) -> Number | None:
    """The last number of a text: signs, thousands separators, decimals, fractions, powers of ten and percentages."""
    matches = deque(_NUMBER.finditer(_plain(text)), maxlen=8)
    return next(filter(None, map(_value, reversed(matches))), None)


def numbers(text: str) -> Iterator[Number]:
    """Every number of a text, in order."""
    return filter(None, map(_value, _NUMBER.finditer(_plain(text))))


def _wanted(spec: NumericCheck, check_input: CheckInput) -> Number:
    if spec.against is not None:
        return Number(spec.against)
    reference = check_input.compared_with(spec, None)
    number = last_number(reference)
    if number is None:
        raise CheckFailed("The reference holds no number to compare with.", remedy="Give the check `against`.")
    return number


def _plain(text: str) -> str:
    """Normalise minus signs, fractions and exponents."""
    text = text.replace("−", "-").replace("⁄", "/")
    for sign, written in _VULGAR.items():
        if sign in text:
            text = re.sub(rf"(?<=\d)\s?{sign}", f" {written}", text).replace(sign, written)
    return _SUPERSCRIPT.sub(lambda match: "^" + match.group().translate(_LOWERED), text)


def _value(match: re.Match[str]) -> Number | None:
    value = _magnitude(match)
    if value is None:
        return None
    return Number(-value if match["sign"] == "-" else value, match["percent"] is not None)


def _magnitude(match: re.Match[str]) -> float | None:
    if match["parts"]:
        below = float(match["parts"])
        return float(match["whole"]) + float(match["part"]) / below if below else None
    if match["under"]:
        below = float(match["under"])
        return float(match["over"]) / below if below else None
    if match["power"]:
        return float("1e" + match["power"].strip("{}"))
    exponent = match["scientific"] or (match["times"] or "0").strip("{}")
    return float(re.sub(r"[^\d.]", "", match["digits"]) + "e" + exponent)


def _close(given: float, wanted: float, tolerance: float, relative: bool) -> bool:
    if not (math.isfinite(given) and math.isfinite(wanted)):
        return False
    return abs(given - wanted) <= tolerance * (abs(wanted) if relative else 1)


def _shown(number: Number) -> str:
    return f"{number.value:.10g}" + (" %" if number.percent else "")
