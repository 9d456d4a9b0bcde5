"""Files read up to a bound, so that one that is larger, or unpacks to more, takes no memory before it is refused."""

import gzip
from pathlib import Path
from typing import IO, BinaryIO

_PIECE = 1 << 16


def bounded(stream: IO[bytes] | gzip.GzipFile, most: int) -> bytes:
    """The rest of a stream. Raises ValueError if it is larger than ``most`` bytes. A single read of so much would take
    the memory first."""
    content = bytearray()
    while piece := stream.read(_PIECE):
        content += piece
        if len(content) > most:
            raise ValueError(f"it is larger than {most:,} bytes")
    return bytes(content)


def bounded_file(path: Path, most: int) -> bytes:
    """A file's content, unpacked if it is gzipped. Raises ValueError as ``bounded``, OSError, EOFError, zlib.error."""
    with unzipped(path) as stream:
        return bounded(stream, most)


def unzipped(path: Path) -> BinaryIO | gzip.GzipFile:
    """The file, opened for reading; through gzip if it begins as gzip does, whatever its name."""
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")
