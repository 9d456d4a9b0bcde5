"""Inputs of any size, cut into partitions that a worker reads alone: byte ranges of JSON Lines, rows of Parquet.

A path is local or a URL of an object store that pyarrow knows (``s3://``, ``gs://``, ``abfs://``, ``hdfs://``).
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Final

import pyarrow.fs as arrow_fs
import pyarrow.parquet as pq

from judge_server.authoring.interchange.record import LINES, is_data
from judge_server.core.errors import BadInput
from judge_server.labels.readers.parquet import without_nulls

PARQUET: Final = ".parquet"
_SAMPLED_BYTES: Final = 2**18


@dataclass(frozen=True, slots=True)
class Partition:
    """Part ``number`` of the input: the lines of ``path`` that begin at the bytes ``first`` to ``stop`` (not included),
    or the rows of a Parquet file with these numbers."""

    number: int
    path: str
    first: int
    stop: int


def filesystem_of(url: str) -> tuple[arrow_fs.FileSystem, str]:
    """The file system of a path or URL, and the path there. Raises BadInput."""
    try:
        if "://" in url:
            found: tuple[arrow_fs.FileSystem, str] = arrow_fs.FileSystem.from_uri(url)
            return found
        return arrow_fs.LocalFileSystem(), url
    except (OSError, ValueError) as fault:
        raise BadInput(f"{url}: {fault}.", remedy="Name a path, or a URL that pyarrow knows, such as s3://…") from None


def partitions_of(url: str, rows: int) -> list[Partition]:
    """Of a file, or of all files of a folder by name. ``rows``: of a partition, about. Raises BadInput for what is
    neither JSON Lines nor Parquet, or cannot be read."""
    system, path = filesystem_of(url)
    found: list[Partition] = []
    try:
        for file, size in _files(system, path):
            for first, stop in _cuts(system, file, size, rows):
                found.append(Partition(len(found), file, first, stop))
    except OSError as fault:
        raise BadInput(f"{url} cannot be read: {fault}.") from None
    return found


def _files(system: arrow_fs.FileSystem, path: str) -> list[tuple[str, int]]:
    info = system.get_file_info(path)
    if info.type == arrow_fs.FileType.NotFound:
        raise BadInput(f"{path}: there is no such file or folder.")
    if info.type == arrow_fs.FileType.File:
        return [(path, info.size)]
    listed = system.get_file_info(arrow_fs.FileSelector(path, recursive=True))
    found = sorted(
        (one.path, one.size)
        for one in listed
        if one.type == arrow_fs.FileType.File
        and is_data(PurePath(one.path.removeprefix(path).lstrip("/")), (*LINES, PARQUET))
    )
    if not found:
        raise BadInput(f"{path}: the folder holds no .jsonl and no .parquet file.")
    return found


def _cuts(system: arrow_fs.FileSystem, file: str, size: int, rows: int) -> Iterator[tuple[int, int]]:
    name = file.lower()
    if name.endswith(PARQUET):
        count, step = _rows_in(system, file), rows
    elif name.endswith(LINES):
        count, step = size, rows * _bytes_a_line(system, file)
    else:
        raise BadInput(
            f"{file}: only JSON Lines (.jsonl) and Parquet are scored on Ray.",
            remedy="Convert it, or leave --on out.",
        )
    yield from ((first, min(first + step, count)) for first in range(0, count, step))


def _rows_in(system: arrow_fs.FileSystem, file: str) -> int:
    try:
        with system.open_input_file(file) as stream:
            return int(pq.ParquetFile(stream).metadata.num_rows)
    except ValueError as fault:  # pyarrow's errors about contents
        first = str(fault).splitlines()[0]
        raise BadInput(f"{file} cannot be read as Parquet: {first}.", remedy="Write the file again.") from None


def _bytes_a_line(system: arrow_fs.FileSystem, file: str) -> int:
    """About, by how the file begins."""
    with system.open_input_file(file) as stream:
        head: bytes = stream.read(_SAMPLED_BYTES)
    return max(len(head) // max(head.count(b"\n"), 1), 1)


def rows_of(system: arrow_fs.FileSystem, partition: Partition) -> Iterator[tuple[int, Any]]:
    """Each row with its place: bytes of a line with the byte where it begins, or a Parquet row with its number. Raises
    OSError, and ValueError for damaged Parquet."""
    if partition.path.lower().endswith(PARQUET):
        yield from _parquet_rows(system, partition)
        return
    with io.BufferedReader(system.open_input_file(partition.path)) as stream:
        if partition.first:  # the line that begins before belongs to the partition before
            stream.seek(partition.first - 1)
            stream.readline()
        while (place := stream.tell()) < partition.stop:
            line = stream.readline()
            if not line:
                return
            if line.strip():
                yield place, line


def _parquet_rows(system: arrow_fs.FileSystem, partition: Partition) -> Iterator[tuple[int, Any]]:
    with system.open_input_file(partition.path) as stream:
        file = pq.ParquetFile(stream)
        begins = 0
        for group in range(file.num_row_groups):
            ends = begins + file.metadata.row_group(group).num_rows
            first, stop = max(begins, partition.first), min(ends, partition.stop)
            if first < stop:
                table = file.read_row_group(group).slice(first - begins, stop - first)
                yield from enumerate(map(without_nulls, table.to_pylist()), first)
            begins = ends
