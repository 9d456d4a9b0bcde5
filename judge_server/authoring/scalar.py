"""Plain YAML scalars by the core schema of YAML 1.2: ``no``, ``on`` and dates are text."""

import re
from math import isfinite

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE"))
_FALSE = frozenset(("false", "False", "FALSE"))
_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_OCTAL = re.compile(r"0o[0-7]+\Z")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)|[-+]?Infinity|NaN)\Z")
_MOST_DIGITS = 300
_BEGINNINGS = frozenset("~nNtTfFI+-.0123456789")

Scalar = str | bool | int | float | None


class NotFinite(ValueError):
    """The scalar is a number without a finite value."""


def plain(text: str) -> Scalar:
    """The value of an unquoted scalar. Raises NotFinite for ``.nan``, ``.inf`` and numbers beyond a double."""
    if text[:1] not in _BEGINNINGS and text:
        return text
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    return _number(text)


def _number(text: str) -> str | int | float:
    if _FLOAT.match(text):
        if len(text) > _MOST_DIGITS:
            raise NotFinite(f"a number of {len(text)} characters is too large")
        if _INTEGER.match(text):
            return int(text)
        number = float(text)
        if not isfinite(number):
            raise NotFinite(f"{text} is too large for a number")
        return number
    if _NOT_FINITE.match(text):
        raise NotFinite(f"{text} is not a finite number")
    if _OCTAL.match(text) or (_HEXADECIMAL.match(text) and len(text) <= 66):
        return int(text, 0)
    return text


def number_advice(text: str) -> str | None:
    """A hint for a number written with a comma; None for any other text."""
    found = re.fullmatch(r"([-+]?[0-9]+),([0-9]+)", text.strip())
    if found is None:
        return None
    whole, rest = found.groups()
    if len(rest) == 3:
        return f"write {whole}{rest} for thousands, or {whole}.{rest} with a decimal point"
    return f"write {whole}.{rest}, with a decimal point"


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
