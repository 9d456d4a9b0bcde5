"""Lossless conversion of values to JSON text and back: U+0000 and lone surrogates become JSON escapes, which databases
accept.

Compressed columns: stored JSON repeats its own field names, so a preset dictionary shortens even small values. The
first byte says how the rest is written: 0 as it is, in UTF-8; 1 as raw DEFLATE (RFC 1951) with the dictionary below,
which must never change: a better one gets the next number; 2 as the numbers of a reading, 8 bytes each; 4 as the
numbers of a reading with two shares of which one is the value and the other the rest, without the shares; 5 as 1, with
frequent English words after the dictionary, for prompts, responses and references. (3 is a judgment's content under a
form.)
"""

import json
import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, TypeVar

import orjson
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, to_jsonable_python
from sqlalchemy import LargeBinary, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from judge_server.core.submission import Submission
from judge_server.util.apart import NotDone, apart

Model = TypeVar("Model", bound=BaseModel)

_PLAIN: Final = b"\0"
_DEFLATED: Final = b"\1"
_PROSE: Final = b"\5"
_WINDOW: Final = -15
# what is likeliest stands last: distances to it are shortest
_DICTIONARY: Final = (
    b'"role":"system","content":"assistant","tool_calls":[{"id":"call_","function":{"name":"","arguments":"{'
    b" and the that is not to of in for with should you your it can be are this if or have may from at as an on will"
    b" also such need help when symptoms doctor health medical emergency patient I we they please what how why "
    b'"facts":{"explain":true,"reference":"policy":"group":"step":"run":"judge":"rubric":"prompt":"response":'
    b'"shares":[0.,0.],"value":null,"error":{"type":"timeout","detail":"judge_unavailable","low_label_mass"'
    b'"panel":[{"judge":"main","status":"unavailable","abstained","not_applicable","unusable","options":{"option":"A"'
    b'"gates":[{"criterion":"when":"met","unmet","assumed":true,"step_rewards":[{"index":0,"span":[0,"flags":['
    b'"injection_suspected","degenerate","repetition","criteria_echo","notices":["components":{"axis:":'
    b'"rubric":{"id":"version":"1.0.0","digest":"sha256:"},"judge":{"name":"main","model":"vllm:openai:","mode":"direct"'
    b',"reason","fingerprint":"sha256:"calibration":"guard":"","submission":{"id":"run":"group":"step":},'
    b'"submission_digest":"sha256:","response_characters":,"usage":{"prompt_tokens":,"cached_tokens":,"completion_tokens"'
    b':,"calls":},"timing":{"total_seconds":0.,"model_seconds":0.},"created_at":"2026-01-01T00:00:00.000000Z"}'
    b'{"id":"jdg_","reward":0.,"status":"ok","coverage":1.0,"judged_coverage":1.0,"verdicts":[{"criterion":"'
    b'"cached":true},"source":"check","source":"guard","label_mass":0.99999,"raw":0.,"reason":"'
    b'{"value":0.,"shares":[0.,0.],"label_mass":0.9999}'
    b'","status":"ok","source":"judge","points":1.0,"value":0.,"met":0.,"label_mass":0.9999},{"criterion":"'
)
_ENGLISH: Final = Path(__file__).with_name("english.txt").read_bytes().replace(b"\n", b" ").replace(b"\\n", b"\n")
_DICTIONARIES: Final = {_DEFLATED: _DICTIONARY, _PROSE: _DICTIONARY + _ENGLISH}
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
_NUMBERS: Final = b"\2"
_OPPOSED: Final = b"\4"
_READING_WITH_MASS: Final = ("value", "shares", "label_mass")
_READING: Final = ("value", "shares")
KEY_BYTES: Final = 8
LARGEST: Final = 2**63 - 1
_MOST_KNOWN: Final = 512
TEXT_FIELDS: Final = ("prompt", "response", "reference")
LONG_CHARACTERS: Final = 20_000  # texts of more are packed in the process for long texts
REPLACEMENT = "\ufffd"


def encode(value: Any, *, leave_out: frozenset[str] = frozenset(), whole: bool = False) -> str:
    """JSON of a model without ``leave_out`` and, unless ``whole``, without fields at their default; or of plain data,
    with models in it as by default. Raises ValueError or TypeError for what JSON cannot hold."""
    if not isinstance(value, BaseModel):
        return _encode_plain(value)
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


def _encode_plain(value: Any) -> str:
    try:
        return orjson.dumps(value, default=_plain).decode()
    except TypeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False, default=_plain)


def _plain(value: Any) -> Any:
    return value.model_dump(exclude_defaults=True) if isinstance(value, BaseModel) else to_jsonable_python(value)


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


def microseconds(moment: datetime) -> int:
    """Since 1970 in UTC, exactly."""
    return (moment - EPOCH) // MICROSECOND


def moment(us: int) -> datetime:
    """The inverse of ``microseconds``."""
    return EPOCH + us * MICROSECOND


def pack(text: str, *, prose: bool = False) -> bytes:
    """Lone surrogates are kept. ``prose``: the text is mostly sentences."""
    plain = text.encode("utf-8", "surrogatepass")
    kind = _PROSE if prose else _DEFLATED
    squeezer = zlib.compressobj(level=4, wbits=_WINDOW, zdict=_DICTIONARIES[kind])
    packed = squeezer.compress(plain) + squeezer.flush()
    return kind + packed if len(packed) < len(plain) else _PLAIN + plain


def unpack(content: bytes) -> str:
    """Raises ValueError for what ``pack`` did not write."""
    kind, rest = content[:1], content[1:]
    if kind in _DICTIONARIES:
        widener = zlib.decompressobj(wbits=_WINDOW, zdict=_DICTIONARIES[kind])
        try:
            rest = widener.decompress(rest)
        except zlib.error as fault:
            raise ValueError(f"it is no compressed text: {fault}") from None
        if not widener.eof:
            raise ValueError("it is no whole compressed text")
    elif kind != _PLAIN:
        raise ValueError("it is no compressed text of this version")
    return rest.decode("utf-8", "surrogatepass")


class PackedText(TypeDecorator[str]):
    """Text that is stored compressed, or a digest that is stored as ``packed_digest`` makes it; bytes are what was made
    of it earlier. The database compares and searches it by its bytes only."""

    impl = LargeBinary
    cache_ok = True

    def __init__(self, *, digest: bool = False) -> None:
        super().__init__()
        self.digest = digest

    def process_bind_param(self, value: str | bytes | None, dialect: Dialect) -> bytes | None:
        if not isinstance(value, str):
            return value
        return packed_digest(value) if self.digest else pack(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        return unpacked_digest(bytes(value)) if self.digest else unpack(bytes(value))


_DIGEST_NAME: Final = "sha256:"
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+")


def packed_digest(text: str) -> bytes:
    named = text.startswith(_DIGEST_NAME)
    digits = text[len(_DIGEST_NAME) :] if named else text
    if _HEX.fullmatch(digits):
        return (b"\2" if named else b"\1") + bytes.fromhex(digits)
    return b"\0" + text.encode("utf-8", "surrogatepass")


def unpacked_digest(content: bytes) -> str:
    kind, rest = content[:1], content[1:]
    if kind == b"\0":
        return rest.decode("utf-8", "surrogatepass")
    return (_DIGEST_NAME if kind == b"\2" else "") + rest.hex()


@dataclass(frozen=True, slots=True)
class StoredText:
    """A text as the database keeps it, once by its digest. ``size``: characters of its JSON; ``content``: of its
    column."""

    digest: bytes
    size: int
    content: bytes


StoredTexts = Mapping[str, StoredText]


def stored_texts(submission: Submission, prompts: dict[bytes, StoredText] | None = None) -> StoredTexts:
    """By field. ``prompts``: those packed lately, by digest. Raises ValueError or TypeError for what JSON cannot
    hold."""
    given = ((name, getattr(submission, name)) for name in TEXT_FIELDS)
    encoded = {name: encode(value) for name, value in given if value is not None}
    return {name: _stored(text, prompts if name == "prompt" else None) for name, text in encoded.items()}


def _stored(text: str, known: dict[bytes, StoredText] | None) -> StoredText:
    digest = text_digest(text)
    found = None if known is None else known.get(digest)
    if found is None:
        found = StoredText(digest, len(text), pack(text, prose=True))
        if known is not None and len(text) <= LONG_CHARACTERS:
            if len(known) >= _MOST_KNOWN:
                known.clear()
            known[digest] = found
    return found


async def stored_apart(submission: Submission, caller: str) -> StoredTexts | None:
    """The texts of a long submission, packed before its judgment queues for a commit, in the process for long texts,
    where callers take turns: a megabyte takes some ten milliseconds, and all callers wait for the writing thread. None
    if they could not be packed there: then the writing thread does it, or says what is wrong with them."""
    try:
        return await apart(caller, stored_texts, submission)
    except (NotDone, ValueError, TypeError):
        return None


def text_digest(text: str) -> bytes:
    """16 bytes by which equal texts are stored once."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def pack_reading(content: Mapping[str, Any]) -> bytes:
    """The JSON object ``content``. A reading of numbers (value, shares, label mass), as most are, takes 8 bytes a
    number: fewer than its digits, and without the cost of compression."""
    fields = tuple(content)
    if fields in (_READING, _READING_WITH_MASS) and isinstance(content["shares"], list | tuple):
        numbers = [content["value"], *content["shares"]]
        if len(fields) == len(_READING_WITH_MASS):
            numbers.append(content["label_mass"])
        if set(map(type, numbers)) == {float}:
            value, *shares = numbers[: len(content["shares"]) + 1]
            if shares == [value, 1.0 - value]:
                return _OPPOSED + struct.pack(f"<{len(numbers) - 2}d", value, *numbers[3:])
            return _NUMBERS + struct.pack(f"<B{len(numbers)}d", len(fields), *numbers)
    return pack(encode(content))


def unpack_reading(content: bytes) -> dict[str, Any]:
    """The inverse of ``pack_reading``. Raises ValueError for what it did not write."""
    if content[:1] not in (_NUMBERS, _OPPOSED):
        return decode_mapping(unpack(content))
    try:
        if content[:1] == _OPPOSED:
            value, *rest = struct.unpack(f"<{len(content) // 8}d", content[1:])
            mass = {"label_mass": rest[0]} if rest else {}
            return {"value": value, "shares": [value, 1.0 - value], **mass}
        fields, value, *shares = struct.unpack(f"<B{len(content) // 8}d", content[1:])
    except (struct.error, ValueError) as fault:
        raise ValueError(f"it is no reading: {fault}") from None
    mass = {"label_mass": shares.pop()} if fields == len(_READING_WITH_MASS) and shares else {}
    return {"value": value, "shares": shares, **mass}


def reading_entry(key: bytes, content: Mapping[str, Any]) -> bytes:
    """A reading among others in one column: its key of ``KEY_BYTES``, its length in seven bits a byte with the lowest
    first, and the reading."""
    packed, made = pack_reading(content), bytearray(key)
    rest = len(packed)
    while rest > 127:
        made.append(rest & 127 | 128)
        rest >>= 7
    made.append(rest)
    return bytes(made) + packed


def part_readings(content: bytes) -> dict[bytes, bytes]:
    """Packed readings by key, from ``reading_entry`` of each; the first of several under one key. Raises ValueError for
    anything else."""
    found: dict[bytes, bytes] = {}
    for key, packed in _reading_parts(content):
        found.setdefault(key, packed)
    return found


def _reading_parts(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 0
    while place < len(content):
        key = content[place : place + KEY_BYTES]
        place += KEY_BYTES
        length = shift = 0
        while True:
            if place >= len(content):
                raise ValueError("they are no remembered verdicts")
            byte = content[place]
            place += 1
            length |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        if place + length > len(content):
            raise ValueError("they are no remembered verdicts")
        yield key, content[place : place + length]
        place += length
