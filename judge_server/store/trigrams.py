"""Which texts may hold a piece of text: an index of trigrams for blocks of 1,024 texts.

Each text's trigrams (three bytes of its case-folded UTF-8) are hashed to 4,096 buckets. A block is a matrix with a row
of bits for each bucket and a column for each text, compressed in 32 parts, so that a question reads the parts of its
own trigrams only. A text that has all trigrams of a piece may hold it, one that lacks any does not. It takes about 170
bytes a text of 900 characters, and is the same on every database.
"""

import zlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK: Final = 1_024
PARTS: Final = 32
MOST_CHARACTERS: Final = 200_000
"""A longer text is not read: it may hold everything."""
_BUCKET_BITS: Final = 12
_ROWS: Final = 2**_BUCKET_BITS // PARTS
_ROW_BYTES: Final = BLOCK // 8
_SPREAD: Final = 2_654_435_761  # 2**32 divided by the golden ratio (Knuth, TAOCP 6.4)
_LENGTH: Final = 3
ANY_BITS: Final = b"\xff" * (2**_BUCKET_BITS // 8)
"""Of a text that may hold everything."""


def searched(content: Any) -> str:
    """All texts in a stored prompt, response or reference (its JSON, read), as a submission joins them, case-folded."""
    if isinstance(content, str):
        return content.casefold()
    return "\n\n".join(map(_said, content)).casefold()


def _said(message: Mapping[str, Any]) -> str:
    called = [one["function"] for one in message.get("tool_calls", ())]
    calls = (f"{one['name']}({one.get('arguments', '{}')})" for one in called)
    return "\n".join(filter(None, (message.get("reasoning"), message.get("content"), *calls)))


def bits_of(text: str) -> bytes:
    """A bit for each bucket, in 512 bytes: whether the text has a trigram of it. ``text``: what ``searched`` gives."""
    import numpy as np

    held = np.zeros(2**_BUCKET_BITS, dtype=bool)
    held[_buckets(text)] = True
    return np.packbits(held).tobytes()


def block_of(texts: Mapping[int, bytes]) -> dict[int, bytes]:
    """The parts of a block that have any bit. ``texts``: by place in the block, what ``bits_of`` gives, or
    ``ANY_BITS``."""
    import numpy as np

    matrix = np.zeros((BLOCK, 2**_BUCKET_BITS // 8), dtype=np.uint8)
    for place, bits in texts.items():
        matrix[place] = np.frombuffer(bits, dtype=np.uint8)
    rows = np.packbits(np.unpackbits(matrix, axis=1).T, axis=1)
    parts = {part: rows[part * _ROWS : (part + 1) * _ROWS] for part in range(PARTS)}
    return {part: zlib.compress(some.tobytes(), 4) for part, some in parts.items() if some.any()}


def wanted_rows(piece: str) -> dict[int, list[int]]:
    """The rows that a piece of text needs, by part; none for a piece of less than three bytes."""
    found: dict[int, list[int]] = {}
    for bucket in sorted(set(_buckets(piece.casefold()).tolist())):
        found.setdefault(bucket // _ROWS, []).append(bucket % _ROWS)
    return found


def places(parts: Mapping[int, bytes], wanted: Mapping[int, Sequence[int]]) -> list[int]:
    """The places in a block whose texts have all rows that are wanted. A part that is not there has no bit."""
    import numpy as np

    common: NDArray[np.uint8] | None = None
    for part, rows in wanted.items():
        if part not in parts:
            return []
        stored = np.frombuffer(zlib.decompress(parts[part]), dtype=np.uint8).reshape(_ROWS, _ROW_BYTES)
        both = np.bitwise_and.reduce(stored[list(rows)], axis=0)
        common = both if common is None else common & both
        if not common.any():
            return []
    return [] if common is None else [int(place) for place in np.flatnonzero(np.unpackbits(common))]


def _buckets(text: str) -> "NDArray[np.uint32]":
    import numpy as np

    read = np.frombuffer(text.encode("utf-8", "surrogatepass"), dtype=np.uint8).astype(np.uint32)
    if len(read) < _LENGTH:
        return np.zeros(0, dtype=np.uint32)
    trigrams = (read[:-2] << 16) | (read[1:-1] << 8) | read[2:]
    spread: NDArray[np.uint32] = np.asarray(trigrams * np.uint32(_SPREAD), dtype=np.uint32)
    spread >>= np.uint32(32 - _BUCKET_BITS)
    return spread
