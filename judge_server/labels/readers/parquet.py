"""Parquet files, read a batch at a time with pyarrow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from judge_server.core.errors import BadInput, MissingDependency
from judge_server.core.extra import installing
from judge_server.labels.readers.records import ROWS, Chunk
from judge_server.util.bounded import refuse_pointer

_HEAD = 100


def heading(path: Path) -> list[str]:
    return [str(name) for name in _open(path).schema_arrow.names]


def chunks(path: Path, names: list[str], size: int = ROWS) -> Iterator[Chunk]:
    """The columns ``names``, ``size`` rows at a time; rows count from 1. Raises BadInput for a damaged file."""
    row = 1
    file = _open(path)
    try:
        for batch in file.iter_batches(batch_size=size, columns=names):
            rows = np.arange(row, row + batch.num_rows, dtype=np.int32)
            row += batch.num_rows
            yield Chunk(rows, {name: batch.column(name).to_pylist() for name in names})
    except (OSError, ValueError) as fault:  # pyarrow's errors are both
        raise _damaged(path, fault) from fault


def rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Every row with its number, from 1, without its nulls. Raises BadInput for a damaged file."""
    names, number = heading(path), 0
    for chunk in chunks(path, names):
        for values in zip(*(chunk.columns[name] for name in names), strict=True):
            number += 1
            yield number, without_nulls(dict(zip(names, values, strict=True)))


def without_nulls(value: Any) -> Any:
    """A value whose objects lack the fields that are null: a column has one type, so its rows have every field that any
    of them has."""
    if isinstance(value, dict):
        return {name: without_nulls(one) for name, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def _open(path: Path) -> Any:
    try:
        from pyarrow.parquet import ParquetFile
    except ImportError as missing:
        raise MissingDependency(
            f"{path.name} is a Parquet file, and pyarrow is not installed.",
            remedy=installing("calibration"),
        ) from missing
    try:
        with path.open("rb") as file:
            refuse_pointer(file.read(_HEAD))
        return ParquetFile(path)
    except (OSError, ValueError) as fault:
        raise _damaged(path, fault) from fault


def _damaged(path: Path, fault: Exception) -> BadInput:
    if isinstance(fault, OSError) and fault.strerror:
        return BadInput(f"{path} cannot be read: {fault.strerror}.", remedy="Name a file that can be read.")
    first = (str(fault).splitlines() or [type(fault).__name__])[0].rstrip(".")
    return BadInput(f"{path.name} cannot be read as Parquet: {first}.", remedy="Write the file again.")
