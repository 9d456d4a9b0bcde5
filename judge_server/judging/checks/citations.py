"""``citations``: how many different sources the text cites. Repeated citations of one source count once."""

import re
from collections.abc import Callable, Iterator

from judge_server.core.check import CitationsCheck
from judge_server.judging.checks.interface import CheckFinding, CheckInput, counted, passed

_BRACKET = re.compile(r"\[\^?(\d{1,3}(?:\s{0,3}[,;–-]\s{0,3}\d{1,3}){0,50})\]")
_URL = re.compile(r"\bhttps?://[^\s<>\"')\]]{3,2000}", re.IGNORECASE)
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s<>\"')\]]{1,500}")
_NAME = r"[^\W\d_][^\W\d_'’\-]{1,40}(?:[-'’][^\W\d_]{2,40})?"
_YEAR = r"(?:1[5-9]|20)\d\d[a-z]?"
_BEFORE_YEAR = re.compile(
    rf"\b({_NAME})(?:,?\set\sal\.?|,?\s(?:and|&)\s{_NAME})?(?:,\s{{0,2}}|\s\(|\s)({_YEAR})(?=[\s,;:.)]|\Z)"
)
_NO_AUTHORS = frozenset(
    (
        *("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november"),
        *("december", "spring", "summer", "autumn", "winter", "since", "until", "around", "about", "circa", "during"),
        *("before", "after", "year"),
    )
)


def find(spec: CitationsCheck, check_input: CheckInput) -> CheckFinding:
    styles = _STYLES.values() if spec.style == "any" else [_STYLES[spec.style]]
    style, cited = max(((one, set(one(check_input.text))) for one in styles), key=lambda found: len(found[1]))
    finding = counted(
        len(cited), "citations" if spec.style == "any" else f"{spec.style} citations", spec.least, spec.max
    )
    if not spec.resolve or not finding.value:
        return finding
    strange = sorted(cited - set(style(check_input.compared_with(spec, None))))
    if strange:
        return passed(
            False, f"{len(strange)} of {len(cited)} sources are not in the reference, such as {strange[0][:60]}"
        )
    return passed(True, f"{finding.reason}, and all stand in the reference")


def _brackets(text: str) -> Iterator[str]:
    """``[1]``, ``[2, 5]``, ``[3-6]`` and ``[^1]``: the numbers meant."""
    for match in _BRACKET.finditer(text):
        for item in re.split(r"[,;]", match.group(1)):
            first, _, last = item.replace("–", "-").partition("-")
            for number in range(int(first), int(last or first) + 1):
                yield str(number)


def _author_years(text: str) -> Iterator[str]:
    """``(Smith, 2020)``, ``Smith et al. (2020)``, ``(Smith & Doe 2020; Roe, 2019)``: the year stands in parentheses."""
    for match in _BEFORE_YEAR.finditer(text):
        name, year = match.groups()
        if name[0].isupper() and name.lower() not in _NO_AUTHORS and _parenthesised(text, match.start(2)):
            yield f"{name.lower()} {year}"


def _parenthesised(text: str, position: int) -> bool:
    before = text[max(0, position - 200) : position]
    return before.rfind("(") > before.rfind(")")


def _urls(text: str) -> Iterator[str]:
    return (match.group().rstrip(".,;:!?").lower() for match in _URL.finditer(text))


def _dois(text: str) -> Iterator[str]:
    return (match.group().rstrip(".,;:!?").lower() for match in _DOI.finditer(text))


_STYLES: dict[str, Callable[[str], Iterator[str]]] = {
    "bracket": _brackets,
    "author_year": _author_years,
    "url": _urls,
    "doi": _dois,
}
