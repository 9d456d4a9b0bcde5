"""What a text is read as that is written upside down, mirrored, backwards or in Base64."""

import binascii
import re
import string
from base64 import b64decode

_TURNED = str.maketrans(dict(zip("ɐqɔpǝɟƃɓɥᴉıɾʞןɯuodbɹsʇnʌʍxʎz˙‘", "abcdefgghiijklmnopqrstuvwxyz.,", strict=True)))
_MIRRORED = str.maketrans(dict(zip("ɒdɔbɘʇϱǫʜiįʞlmnoqpɿꙅɟuvwxγz", "abcdefgghijklmnopqrstuvwxyz", strict=True)))
_DISTINCT = re.compile("[ɐɔǝɟƃɓᴉɾɹʇʌʍʎɘɿꙅɒʜϱǫ]")
_FEWEST = 2
_LONGEST_PLAIN = 60
_LENGTHENED = re.compile(r"([^\W\d_])\1{3,}")
_BACKWARDS = "\u202e"
_LONGEST = 600
_ENCODED = re.compile(r"[A-Za-z0-9+/]{12,600}={0,2}")
_PRINTABLE = frozenset(string.printable)


def turned_readings(text: str) -> list[str]:
    """The readings, of a short text only; none for almost every text."""
    if len(text) > _LONGEST:
        return []
    if text.isascii():
        return [*_decoded(text.strip()), *_rewritten(text)]
    if _BACKWARDS in text:
        return [text.replace(_BACKWARDS, "")[::-1]]
    if len(_DISTINCT.findall(text)) < _FEWEST:
        return []
    turned = (text.lower().translate(letters) for letters in (_TURNED, _MIRRORED))
    return [reading for one in turned for reading in (one[::-1], one)]


def _rewritten(text: str) -> list[str]:
    """A short line backwards, if it ends like a beginning, and with its lengthened letters said once."""
    if len(text) > _LONGEST_PLAIN:
        return []
    backwards = text[-1:].isupper() and not text[:1].isupper()
    short = _LENGTHENED.sub(r"\1", text)
    return [*([text[::-1]] if backwards else []), *([short] if short != text else [])]


def _decoded(text: str) -> list[str]:
    if _ENCODED.fullmatch(text) is None:
        return []
    try:
        said = b64decode(text, validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return []
    return [said] if _PRINTABLE.issuperset(said) else []
