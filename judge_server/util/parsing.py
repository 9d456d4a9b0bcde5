"""Strict JSON: Python's own reader accepts NaN and Infinity and fails on deep nesting.

The memory that a text can take is bounded before parsing: a value of two characters takes sixty bytes.
"""

import json
import json.scanner
import re
import tomllib
from codecs import BOM_UTF8
from collections.abc import Callable
from typing import Any, Final, NoReturn

import orjson
from pydantic_core import from_json

MOST_LEVELS: Final = 100
MOST_VALUES: Final = 250_000
MOST_DIGITS: Final = 400
MOST_FIELDS: Final = 1_000  # of one object: each may be an error that has to be described
_BLOCK: Final = 2**20
_BRACKET: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)  # or a whole string
_OPENING: Final = re.compile(r"\s*+[\[{]")
_DIGITS: Final = bytes(ord("0") if 48 <= byte <= 57 else ord(" ") for byte in range(256))


def parse_json(text: bytes | str) -> Any:
    """The value of a JSON text in UTF-8. Raises ValueError with the position and the fault.

    8 MiB take up to 50 ms, during which no other thread runs.
    """
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    brackets = content.count(b"[") + content.count(b"{") if len(content) > MOST_LEVELS else 0
    separators = brackets + content.count(b",")
    if separators > MOST_VALUES and _separators(content) > MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES} values: send several smaller texts")
    try:
        if len(content) > MOST_DIGITS and b"0" * (MOST_DIGITS + 1) in content.translate(_DIGITS):
            value = _read(text)
        else:
            value = from_json(content, allow_inf_nan=False)
    except ValueError:
        value = _read(text)  # its messages are better, and it accepts half a surrogate pair
    if brackets > MOST_LEVELS and deeper(value, MOST_LEVELS):
        raise _too_deep()
    if content.count(b":") > MOST_FIELDS and _wider(value, MOST_FIELDS):
        raise ValueError(f"an object has more than {MOST_FIELDS} fields")
    return value


def parse_unique_json(text: bytes | str) -> Any:
    """As ``parse_json``, and ValueError names a key that an object has twice: one of the two values would be lost."""
    value = parse_json(text)
    json.loads(text, object_pairs_hook=_unique)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise ValueError(f"the key {twice[:100]!r} stands twice in one object")
    return made


def has_key_twice(text: bytes, value: Any) -> bool:
    """Whether an object in a JSON text has a key twice, of which ``value``, what was read from it, has one. Cheap if
    none has."""
    try:
        if orjson.dumps(value).count(b":") == text.count(b":"):
            return False
    except TypeError:  # half a surrogate pair, or a number of more than 64 bits
        pass
    try:
        read_json(text.removeprefix(BOM_UTF8), unique=True)
    except ValueError:
        return True
    return False


def _separators(content: bytes) -> int:
    """Number of brackets and commas outside of strings: at least the number of values minus one."""
    plain = content.replace(b"\\\\", b"").replace(b'\\"', b"")
    found, inside = 0, 0
    for start in range(0, len(plain), _BLOCK):
        parts = plain[start : start + _BLOCK].split(b'"')
        outside = b"".join(parts[inside::2])
        found += outside.count(b",") + outside.count(b"[") + outside.count(b"{")
        inside = (inside + len(parts) - 1) % 2
        if found > MOST_VALUES:
            break
    return found


def _read(text: bytes | str) -> Any:
    """Use the standard library's reader; for many values its implementation in Python, so that other threads can
    run."""
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
    except UnicodeDecodeError as fault:
        raise ValueError(f"not valid UTF-8 at byte {fault.start} ({fault.reason}): send the text in UTF-8") from None
    if begins_too_deep(text, MOST_LEVELS):
        raise _too_deep()
    try:
        return (_PATIENT_READER if text.count(",") > _MOST_AT_ONCE else _READER).decode(text)
    except json.JSONDecodeError as fault:
        raise ValueError(f"not JSON: {fault.msg} at line {fault.lineno} column {fault.colno}") from None


def read_json(text: bytes | str, constant: Callable[[str], Any] | None = None, *, unique: bool = False) -> Any:
    """The value of a JSON text of any size, as Python's reader has it. Raises ValueError, also if it nests more than
    ``MOST_LEVELS`` levels deep. ``constant``: what NaN and the infinities become. ``unique``: a key twice in an object
    is refused."""
    text = text.decode("utf-8") if isinstance(text, bytes) else text
    if begins_too_deep(text, MOST_LEVELS):
        raise _too_deep()
    return json.loads(text, parse_constant=constant, object_pairs_hook=_unique if unique else None)


def quick_json(text: bytes | str) -> Any:
    """The value of a JSON text of any size, read by orjson: no NaN, no half a surrogate pair. Raises ValueError, also
    if it nests more than ``MOST_LEVELS`` levels deep (orjson stops at 1,024 by itself)."""
    value = orjson.loads(text)
    opening = (b"[", b"{") if isinstance(text, bytes) else ("[", "{")
    if sum(map(text.count, opening)) > MOST_LEVELS and deeper(value, MOST_LEVELS):  # type: ignore[arg-type]
        raise _too_deep()
    return value


def writable(text: str) -> str:
    """The text made encodable in UTF-8: half a surrogate pair, which JSON can escape, becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def deeper(value: Any, levels: int) -> bool:
    """Whether containers are nested more than ``levels`` deep."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def _wider(value: Any, fields: int) -> bool:
    """Whether an object has more fields than that."""
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            if len(one) > fields:
                return True
            left += [inner for inner in one.values() if isinstance(inner, dict | list)]
        elif isinstance(one, list):
            left += [inner for inner in one if isinstance(inner, dict | list)]
    return False


def begins_too_deep(text: str, levels: int, start: int = 0) -> bool:
    """Whether the JSON value at ``start`` nests more than ``levels`` deep, whole or cut off. Ask before it is parsed:
    how deep a parser goes, and whether it then says "too deep" or "not JSON", depends on the interpreter."""
    if text.count("[") + text.count("{") <= levels or not _OPENING.match(text, start):
        return False
    level = 0
    for found in _BRACKET.finditer(text, start):
        bracket = found.group()
        if bracket in "[{":
            level += 1
            if level > levels:
                return True
        elif bracket in "]}":
            level -= 1
            if level <= 0:
                return False
    return False


def _too_deep() -> ValueError:
    return ValueError(f"nested too deeply, and {MOST_LEVELS} levels are the most: flatten the object")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON: write a number, or null")


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits, and {MOST_DIGITS} are the most")
    return int(digits)


class _PatientReader(json.JSONDecoder):
    """The standard library's reader in Python, which lets other threads run; strings are read in C."""

    def __init__(self) -> None:
        super().__init__(parse_constant=_refuse, parse_int=_whole)
        self.parse_object = json.decoder.JSONObject  # type: ignore[attr-defined]  # typeshed leaves them out
        self.parse_array = json.decoder.JSONArray  # type: ignore[attr-defined]
        self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]


_MOST_AT_ONCE: Final = 20_000
_READER: Final = json.JSONDecoder(parse_constant=_refuse, parse_int=_whole)
_PATIENT_READER: Final = _PatientReader()


MOST_BYTES = 100_000
_MOST_LEVELS = 32
# a key with more than that many parts
_LONG_KEY = re.compile(rf"""(?<![\w."'-])(?:[\w"'-]++[ \t]*+\.[ \t]*+){{{_MOST_LEVELS}}}""")


def parse_toml(content: bytes) -> dict[str, Any]:
    """The table in a TOML text in UTF-8. Raises ValueError that says what is wrong."""
    if len(content) > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES:,} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise ValueError(f"it is not UTF-8 at byte {fault.start}") from None
    if found := _LONG_KEY.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise ValueError(f"a key in line {line} has more than {_MOST_LEVELS} parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise ValueError(f"it is not TOML: {fault}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:
        raise ValueError("a number in it has too many digits, or a date does not exist") from None
