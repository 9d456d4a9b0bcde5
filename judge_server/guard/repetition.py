"""Texts that repeat themselves: long passages repeated with other text around or between them, and pure repetition.

Two measures must agree. Compression is quick and finds any recurrence; the share of repeated runs of six words (24
characters in scripts without spaces) tells repeated passages from tables and code, which compress well without
repeating whole passages. A very long text is probed instead, because the compression window is too small for it.
"""

import zlib

_SHORTEST = 400
_LONG = 30_000
_READ_CHARACTERS = 200_000
_MOST_COMPRESSED = 0.35  # English prose of 2 kB compresses to about half, a text said twice to less than a third
_REPEATED_SHARE = 0.4
_WORDS = 6
_CHARACTERS = 24
_FEWEST_TIMES = 4
_PROBES = 32
_PROBE_CHARACTERS = 64


def repeated_share(text: str) -> float:
    """The share of its runs of six words, or of 24 characters, that repeat an earlier one."""
    words = text.split()
    if len(words) * 20 >= len(text):
        grams = list(zip(*(words[start:] for start in range(_WORDS)), strict=False))
        return 1 - len(set(grams)) / len(grams) if grams else 0.0
    plain = "".join(words)
    starts = range(max(len(plain) - _CHARACTERS + 1, 0))
    return 1 - len({plain[start : start + _CHARACTERS] for start in starts}) / len(starts) if starts else 0.0


def compressed_share(text: str) -> float:
    """Compressed size by size, in bytes of UTF-8."""
    data = text.encode("utf-8", "surrogatepass")
    return len(zlib.compress(data, 1)) / len(data) if data else 1.0


def probed_share(text: str) -> float:
    """The share of probes, taken at even distances, that stand in the text before."""
    places = range(0, len(text) - _PROBE_CHARACTERS, max(len(text) // _PROBES, 1))
    again = sum(text.find(text[place : place + _PROBE_CHARACTERS], 0, place) >= 0 for place in places)
    return again / len(places) if places else 0.0


def repetitive(text: str) -> bool:
    """Whether two fifths of a text of some length or more were said before."""
    if len(text) < _SHORTEST:
        return False
    if len(text) > _LONG:
        return probed_share(text[:_READ_CHARACTERS].lower()) >= _REPEATED_SHARE
    return compressed_share(text) < _MOST_COMPRESSED and repeated_share(text.lower()) >= _REPEATED_SHARE


def repeated_unit(text: str) -> str | None:
    """The shortest text of which ``text`` is a repetition, at least four times over, the last time perhaps cut off.

    Half of a text of period p stands in it again p characters later, and nowhere before: a single search finds it.
    """
    if len(text) < 2 * _FEWEST_TIMES:
        return None
    place = text.find(text[: len(text) // 2], 1)
    if place < 0 or place * _FEWEST_TIMES > len(text) or not text.startswith(text[place:]):
        return None
    return text[:place]
