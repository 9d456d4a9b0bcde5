"""Text columns that take every Python string, on every database."""

from typing import Any

from sqlalchemy import Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


class SafeText(TypeDecorator[str]):
    """Text in which the backslash is the escape: PostgreSQL refuses U+0000, and no driver can send a lone surrogate.

    The escaping is one to one, so equality, uniqueness and prefixes without such characters mean the same as before.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else escape(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else unescape(str(value))


def escape(text: str) -> str:
    r"""``\`` → ``\\``, U+0000 → ``\u0000``, a lone surrogate → ``\ud800``; anything else stays."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\0" in text:
        text = text.replace("\0", "\\u0000")
    if text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def unescape(text: str) -> str:
    """The string that was escaped."""
    if "\\" not in text:
        return text
    parts = text.split("\\\\")
    return "\\".join(_without_escapes(part) for part in parts)


def _without_escapes(part: str) -> str:
    head, *tails = part.split("\\u")
    return head + "".join(chr(int(tail[:4], 16)) + tail[4:] for tail in tails)
