"""Files read up to a bound, so that one that is larger, or unpacks to more, takes no memory before it is refused."""

import gzip
from pathlib import Path
from typing import IO, BinaryIO

_PIECE = 1 << 16
_POINTER = b"version https://git-lfs.github.com/spec/"


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
    """The file, opened for reading; through gzip if it begins as gzip does, whatever its name. Raises ValueError for
    a pointer of Git LFS."""
    with path.open("rb") as stream:
        first = stream.read(len(_POINTER))
    refuse_pointer(first)
    return gzip.open(path, "rb") if first[:2] == b"\x1f\x8b" else path.open("rb")


def refuse_pointer(first: bytes) -> None:
    """Raises ValueError if a file's first bytes are those of a pointer of Git LFS: a clone without it has pointers in
    place of large files."""
    if first.startswith(_POINTER):
        raise ValueError("it is a pointer of Git LFS, not the file itself; git lfs pull fetches that")
