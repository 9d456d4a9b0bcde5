"""Known verdicts by content key. Their rows go through SQL of the driver: every submission reads and writes a dozen."""

import struct
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from sqlalchemy import Connection

from judge_server.store.payload import decode_mapping, encode_value, pack, unpack

_KEY_DIGITS: Final = 64
_KEYS_PER_QUESTION: Final = 500
_NUMBERS: Final = b"\2"  # the first byte of a reading that holds numbers only; see ``payload`` for the others
_READING: Final = ("value", "shares")
_READING_WITH_MASS: Final = ("value", "shares", "label_mass")


def known_verdicts(connection: Connection, keys: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Those of ``keys`` that are known."""
    found: dict[str, dict[str, Any]] = {}
    mark = _mark(connection)
    for start in range(0, len(keys), _KEYS_PER_QUESTION):
        some = {verdict_key(key): key for key in keys[start : start + _KEYS_PER_QUESTION]}
        marks = ",".join([mark] * len(some))
        query = f"SELECT key, content FROM verdict WHERE key IN ({marks})"  # noqa: S608 - marks of parameters only
        for key, content in connection.exec_driver_sql(query, tuple(some)):
            found[some[bytes(key)]] = unpacked(bytes(content))
    return found


def insert_verdicts(connection: Connection, verdicts: Mapping[bytes, bytes]) -> None:
    """Insert those whose key is not stored yet; always in the same order, so that two processes with the same verdicts
    cannot deadlock."""
    if verdicts:
        mark = _mark(connection)
        insert = f"INSERT INTO verdict (key, content) VALUES ({mark}, {mark}) ON CONFLICT DO NOTHING"  # noqa: S608
        connection.exec_driver_sql(insert, sorted(verdicts.items()))


def verdict_rows(entries: Mapping[str, Mapping[str, Any]]) -> dict[bytes, bytes]:
    """Keys and contents as ``insert_verdicts`` takes them."""
    return {verdict_key(key): packed(content) for key, content in entries.items()}


def verdict_key(key: str) -> bytes:
    """32 bytes: those that a key of 64 hexadecimal digits stands for, or a digest of any other key."""
    if len(key) == _KEY_DIGITS and not key.strip("0123456789abcdef"):
        return bytes.fromhex(key)
    return sha256(b"key\0" + key.encode("utf-8", "surrogatepass")).digest()


def packed(content: Mapping[str, Any]) -> bytes:
    """The JSON object ``content``. A reading of numbers (value, shares, label mass), as most are, takes 8 bytes a
    number: fewer than its digits, and without the cost of compression."""
    fields = tuple(content)
    if fields in (_READING, _READING_WITH_MASS) and isinstance(content["shares"], list | tuple):
        numbers = [content["value"], *content["shares"]]
        if len(fields) == len(_READING_WITH_MASS):
            numbers.append(content["label_mass"])
        if set(map(type, numbers)) == {float}:
            return _NUMBERS + struct.pack(f"<B{len(numbers)}d", len(fields), *numbers)
    return pack(encode_value(content))


def unpacked(content: bytes) -> dict[str, Any]:
    """The inverse of ``packed``. Raises ValueError for what it did not write."""
    if content[:1] != _NUMBERS:
        return decode_mapping(unpack(content))
    try:
        fields, value, *shares = struct.unpack(f"<B{len(content) // 8}d", content[1:])
    except (struct.error, ValueError) as fault:
        raise ValueError(f"it is no reading: {fault}") from None
    mass = {"label_mass": shares.pop()} if fields == len(_READING_WITH_MASS) and shares else {}
    return {"value": value, "shares": shares, **mass}


def _mark(connection: Connection) -> str:
    """What stands for a parameter in SQL of the driver."""
    return "?" if connection.dialect.name == "sqlite" else "%s"
