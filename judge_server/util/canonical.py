"""Canonical JSON and content digests.

The form is a contract: sorted keys, no white space, UTF-8 without escapes, numbers as Python writes a float or an int,
fields at their default omitted. A digest is ``sha256:`` and 64 hexadecimal digits.
"""

import hashlib
import json
from collections.abc import Mapping
from math import isfinite
from typing import Annotated, Any, Final

import orjson
from pydantic import AfterValidator, BaseModel

_MAX_DEPTH = 60
MOST_VALUES: Final = 20_000  # of one object: checking more would hold the event loop


def canonical_json(value: Any) -> str:
    """The same text for the same content, independent of the order of keys."""
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def canonical_texts(value: Any) -> str:
    """``canonical_json`` of values that hold texts and null only, several times as fast: numbers are what other
    encoders write otherwise."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # half a surrogate pair
        return canonical_json(value)


def digest_of_json(text: str) -> str:
    """SHA-256 of a canonical JSON text."""
    return "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def digest(value: Any) -> str:
    """SHA-256 of the canonical JSON of ``value``."""
    return digest_of_json(canonical_json(value))


def strict_digest(value: Any) -> str:
    """``digest``; raises ValueError if a text in ``value`` holds half a surrogate pair."""
    return "sha256:" + hashlib.sha256(encodable(canonical_json(value)).encode()).hexdigest()


def encodable(text: str) -> str:
    """``text`` itself. Raises ValueError if it holds half a surrogate pair, which UTF-8 cannot encode."""
    if text.isascii():  # known without a look at it
        return text
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        raise ValueError(f"a text is not valid Unicode ({fault.reason}): replace the character") from fault
    return text


def as_json(value: Any) -> Any:
    """``value`` itself; raises ValueError for what not every JSON implementation can hold: other types, keys that are
    not text, numbers that are not finite or wider than 64 bits, half a surrogate pair, more than 60 levels or 20,000
    values."""
    left = [(value, 0)]
    for _ in range(MOST_VALUES):
        if not left:
            return value
        one, depth = left.pop()
        if depth > _MAX_DEPTH:
            raise ValueError(f"nested deeper than {_MAX_DEPTH} levels")
        if isinstance(one, Mapping | list | tuple) and len(one) > MOST_VALUES:
            break
        if isinstance(one, Mapping):
            for key in one:
                if not isinstance(key, str):
                    raise ValueError(f"the key {key!r} is not a text; JSON has no other keys")  # noqa: TRY004  pydantic reports ValueErrors
                _check_scalar(key)
            left += [(inner, depth + 1) for inner in one.values()]
        elif isinstance(one, list | tuple):
            left += [(inner, depth + 1) for inner in one]
        else:
            _check_scalar(one)
    raise ValueError(f"more than {MOST_VALUES} values")


def _check_scalar(value: Any) -> None:
    if isinstance(value, str):
        encodable(value)
    elif isinstance(value, float):
        if not isfinite(value):
            raise ValueError("a number is not finite")
    elif isinstance(value, int):
        if not -(2**63) <= value < 2**64:
            raise ValueError("a whole number is wider than 64 bits; write it as text")
    elif value is not None:
        raise ValueError(f"JSON holds text, numbers, true, false, null, lists and objects, not {type(value).__name__}")


JsonObject = Annotated[dict[str, Any], AfterValidator(as_json)]


_OF_ALL: Final = 2**64


def stable_hash(name: str, salt: str) -> float:
    """A number in [0, 1), uniform over names; independent for different values of ``salt``."""
    text = f"{salt}\x1f{name}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") / _OF_ALL
