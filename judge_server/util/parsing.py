"""JSON as its standard has it: Python's own reader lets NaN and Infinity pass, and trips over deep nesting.

What a text can unpack to is bounded before it is read: a value of two characters takes sixty bytes of memory.
"""

import json
import re
import tomllib
from typing import Any, Final, NoReturn

MOST_LEVELS: Final = 100
MOST_VALUES: Final = 1_000_000
MOST_DIGITS: Final = 400


def parse_json(text: bytes | str) -> Any:
    """The value that a JSON text in UTF-8 holds. Raises ValueError that names the place and the fault."""
    try:
        text = text.decode("utf-8") if isinstance(text, bytes) else text
    except UnicodeDecodeError as fault:
        raise ValueError(f"not valid UTF-8 at byte {fault.start} ({fault.reason}): send the text in UTF-8") from None
    brackets = text.count("[") + text.count("{") if len(text) > MOST_LEVELS else 0
    if len(text) > MOST_VALUES and brackets + text.count(",") > MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES} values: send several smaller texts")
    try:
        value = _READER.decode(text)
    except json.JSONDecodeError as fault:
        raise ValueError(f"not JSON: {fault.msg} at line {fault.lineno} column {fault.colno}") from None
    except RecursionError:
        raise _too_deep() from None
    if brackets > MOST_LEVELS and _deeper(value, MOST_LEVELS):
        raise _too_deep()
    return value


def writable(text: str) -> str:
    """The text as UTF-8 can carry it: half a surrogate pair, which JSON can escape, becomes U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _deeper(value: Any, levels: int) -> bool:
    """Whether containers stand inside each other more than ``levels`` deep."""
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


def _too_deep() -> ValueError:
    return ValueError(f"nested too deeply, and {MOST_LEVELS} levels are the most: flatten the object")


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON: write a number, or null")


def _whole(digits: str) -> int:
    if len(digits) > MOST_DIGITS:
        raise ValueError(f"a number has {len(digits)} digits, and {MOST_DIGITS} are the most")
    return int(digits)


_READER: Final = json.JSONDecoder(parse_constant=_refuse, parse_int=_whole)


MOST_BYTES = 100_000
_MOST_LEVELS = 32
# a key of so many parts, from the beginning of the key on
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
