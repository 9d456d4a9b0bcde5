"""Plain data from the server → frozen dataclasses. Members that a newer server adds are ignored; what is there must be
of the promised type, and every number finite."""

from __future__ import annotations

import dataclasses
import json
import math
import types
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from judge_client.errors import UnreadableAnswer

T = TypeVar("T")
Reader = Callable[[Any, str], Any]


MOST_LEVELS = 200


def parse(content: bytes) -> Any:
    """JSON → plain data. Raises UnreadableAnswer for anything else, NaN and Infinity included."""
    try:
        return value_of(content)
    except ValueError as fault:
        raise UnreadableAnswer(
            f"The answer is not JSON: {fault}.", remedy="Is this the address of a judge-server?"
        ) from None


def value_of(content: bytes | str) -> Any:
    """The value of a JSON text from outside. Raises ValueError, also if it nests more than ``MOST_LEVELS`` levels deep:
    how deep Python's own reader goes depends on the interpreter."""
    try:
        value = json.loads(content, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        raise _too_deep() from None
    level = [value]
    for _ in range(MOST_LEVELS):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return value
    raise _too_deep()


def _too_deep() -> ValueError:
    return ValueError(f"nested too deeply, and {MOST_LEVELS} levels are the most")


def read(kind: type[T], data: Any, where: str = "answer") -> T:
    """Plain data as ``kind``. Raises UnreadableAnswer that names the member at fault."""
    wanted: Any = kind
    found: T = _reader(wanted)(data, where)
    return found


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is beyond every number")
    return number


def _wrong(where: str, expected: str, data: Any) -> UnreadableAnswer:
    return UnreadableAnswer(f"{where} should be {expected}, not {type(data).__name__}.")


@cache
def _reader(kind: Any) -> Reader:
    """How a value of this type is read; worked out once for each type."""
    if kind is Any:
        return lambda data, _where: data
    if dataclasses.is_dataclass(kind):
        return _of_dataclass(kind)
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _optional(kind)
    if origin is tuple:
        return _of_tuple(get_args(kind))
    if origin is dict:
        return _of_mapping(get_args(kind)[1])
    return _of_plain(kind)


def _of_dataclass(kind: Any) -> Reader:
    hints = get_type_hints(kind)
    readers = [(one.name, hints[one.name], _is_required(one)) for one in dataclasses.fields(kind)]

    def reader(data: Any, where: str) -> Any:
        if not isinstance(data, Mapping):
            raise _wrong(where, "an object", data)
        given = {}
        for name, hint, required in readers:
            if name in data:
                given[name] = _reader(hint)(data[name], f"{where}.{name}")
            elif required:
                raise UnreadableAnswer(f"{where}.{name} is missing.", remedy="Is the server older than this client?")
        return kind(**given)

    return reader


def _is_required(one: dataclasses.Field[Any]) -> bool:
    return one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING


def _optional(kind: Any) -> Reader:
    (inner,) = (one for one in get_args(kind) if one is not type(None))
    within = _reader(inner)
    return lambda data, where: None if data is None else within(data, where)


def _of_tuple(arguments: tuple[Any, ...]) -> Reader:
    within = _reader(arguments[0])
    length = None if arguments[-1] is Ellipsis else len(arguments)

    def reader(data: Any, where: str) -> Any:
        if not isinstance(data, list) or (length is not None and len(data) != length):
            raise _wrong(where, "a list" if length is None else f"a list of {length}", data)
        return tuple(within(one, f"{where}[{place}]") for place, one in enumerate(data))

    return reader


def _of_mapping(value: Any) -> Reader:
    within = _reader(value)

    def reader(data: Any, where: str) -> Any:
        if not isinstance(data, Mapping):
            raise _wrong(where, "an object", data)
        return {name: within(one, f"{where}.{name}") for name, one in data.items()}

    return reader


def _of_plain(kind: Any) -> Reader:
    def reader(data: Any, where: str) -> Any:
        if kind is float and isinstance(data, int) and not isinstance(data, bool):
            return _as_float(data, where)
        if kind is datetime and isinstance(data, str):
            return _moment(data, where)
        if isinstance(data, kind) and not (kind is int and isinstance(data, bool)):
            return data
        raise _wrong(where, kind.__name__, data)

    return reader


def _as_float(data: int, where: str) -> float:
    try:
        return float(data)
    except OverflowError:
        raise _wrong(where, "a finite number", data) from None


def _moment(text: str, where: str) -> datetime:
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise UnreadableAnswer(f"{where} should be an RFC 3339 time, not {text[:40]!r}.") from None
