"""TOML in small: Python's own reader trips over deep nesting, and endless keys and numbers cost it much."""

import re
import tomllib
from typing import Any

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
