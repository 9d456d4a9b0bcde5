"""Lossless conversion of values to JSON text and back: U+0000 and lone surrogates become JSON escapes, which databases
accept."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python
from sqlalchemy import Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

Model = TypeVar("Model", bound=BaseModel)

REPLACEMENT = "\ufffd"


def encode(value: BaseModel, *, leave_out: frozenset[str] = frozenset(), whole: bool = False) -> str:
    """JSON of ``value``, without fields at their default unless ``whole``. Raises ValueError or TypeError for what
    JSON cannot hold."""
    try:
        text = value.model_dump_json(exclude_defaults=not whole, exclude=set(leave_out))
    except PydanticSerializationError:
        text = REPLACEMENT
    if REPLACEMENT not in text:
        return text
    # pydantic refuses a lone surrogate in a value and silently replaces one in a key; the standard library keeps both
    plain = value.model_dump(mode="python", exclude_defaults=not whole, exclude=set(leave_out))
    return json.dumps(plain, separators=(",", ":"), allow_nan=False, default=to_jsonable_python)


def decode(kind: type[Model], text: str, **more: Any) -> Model:
    """The value that ``encode`` wrote, with the fields in ``more`` added. Raises pydantic's ValidationError."""
    if not more:
        try:
            return kind.model_validate_json(text)
        except ValidationError:
            pass  # its JSON reader refuses escaped lone surrogates
    return kind.model_validate(json.loads(text) | more)


def encode_mapping(value: Mapping[str, Any]) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False)


def decode_mapping(text: str) -> dict[str, Any]:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = json.loads(text)
    return dict(value)


class SafeText(TypeDecorator[str]):
    """Text in which the backslash is the escape: PostgreSQL refuses U+0000, and no driver can send a lone surrogate.

    The escaping is one to one, so it preserves equality, uniqueness and prefixes without such characters.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else escape(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        return None if value is None else unescape(str(value))


def escape(text: str) -> str:
    r"""``\`` → ``\\``, U+0000 → ``\u0000``, a lone surrogate → ``\ud800``; anything else is unchanged."""
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
