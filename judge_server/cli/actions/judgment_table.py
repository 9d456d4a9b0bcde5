"""Judgments as a Parquet file: the columns of ``score --on ray``, without those that name an input file."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from judge_server.core.errors import BadInput, MissingDependency
from judge_server.core.extra import installing
from judge_server.util.parsing import read_json

_ROWS: Final = 1_000  # of a group in the file


def is_table(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def require_tables(path: Path) -> None:
    """Raises MissingDependency without pyarrow."""
    try:
        import pyarrow.parquet  # noqa: F401 - whether it is there
    except ImportError as missing:
        raise MissingDependency(
            f"{path.name} is to be a Parquet file, and pyarrow is not installed.", remedy=installing("calibration")
        ) from missing


def judgments_in(path: Path) -> Iterator[str]:
    """The judgments of a table as JSON. Raises BadInput for a file that is no such table, and MissingDependency."""
    require_tables(path)
    from pyarrow import parquet

    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_ROWS, columns=["judgment"]):
                yield from batch.column("judgment").to_pylist()
    except (OSError, ValueError, KeyError) as fault:
        first = (str(fault).splitlines() or [type(fault).__name__])[0]
        raise BadInput(f"{path} holds no judgments: {first}.", remedy="Name another file.") from None


def write_table(path: Path, lines: Iterable[str]) -> int:
    """``lines``: a judgment each, as JSON. The file appears whole or not at all; returns how many rows it has. Raises
    MissingDependency without pyarrow, and whatever reading a line raises."""
    require_tables(path)
    import pyarrow as pa
    from pyarrow import parquet

    texts = ("id", "status", "error", "detail", "judgment")
    schema = pa.schema([(name, pa.string()) for name in texts] + [("reward", pa.float64())])
    beside = path.with_name(f".{path.name}")
    number, left = 0, (_row(line) for line in lines if line.strip())
    try:
        with parquet.ParquetWriter(beside, schema, compression="zstd") as writer:
            while rows := list(islice(left, _ROWS)):
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                number += len(rows)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return number


def _row(line: str) -> dict[str, Any]:
    judgment = read_json(line)
    error = judgment.get("error") or {}
    return {
        "id": judgment["submission"].get("id"),
        "reward": judgment["reward"],
        "status": judgment["status"],
        "error": error.get("type"),
        "detail": error.get("detail"),
        "judgment": line,
    }
