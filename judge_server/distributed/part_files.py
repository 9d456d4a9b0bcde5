"""The output of bulk scoring: a folder of Parquet files, one for each partition, and what an earlier run left in it.

A file appears whole or not at all. Its rows name where their submission came from, and hold the judgment as JSON.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.fs as arrow_fs
import pyarrow.parquet as pq

from judge_server.core.coordinates import content_key
from judge_server.core.errors import BadInput
from judge_server.core.judgment import Judgment

_PREFIX: Final = "part-"
_BEING_WRITTEN: Final = "."
_COMPLETE: Final = "_SUCCESS"
_FILE_BITS: Final = 32
_TABLES_KEPT: Final = 4
_SCHEMA: Final = pa.schema(
    [
        ("source", pa.string()),
        ("place", pa.int64()),
        ("id", pa.string()),
        ("reward", pa.float64()),
        ("status", pa.string()),
        ("error", pa.string()),
        ("detail", pa.string()),
        ("key", pa.binary(16)),
        ("judgment", pa.string()),
    ]
)


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """A judgment, and where its submission stands: a file, and a byte of JSON Lines or a row of Parquet."""

    source: str
    place: int
    judgment: Judgment

    def columns(self) -> dict[str, Any]:
        one, key = self.judgment, None
        if one.reward is not None and one.submission_digest is not None:
            key = content_key(one.submission_digest, one.submission)
        return {
            "source": self.source,
            "place": self.place,
            "id": one.submission.id,
            "reward": one.reward,
            "status": one.status,
            "error": None if one.error is None else one.error.type,
            "detail": None if one.error is None else one.error.detail,
            "key": key,
            "judgment": one.model_dump_json(),
        }


@dataclass(frozen=True, slots=True)
class KeptRows:
    """The rewarded rows of an earlier run, by content: ``keys`` sorted, each a row of two 64-bit numbers, and beside
    them ``places``: the number of the file in ``files`` and of the row in it."""

    files: tuple[str, ...]
    keys: np.ndarray[Any, Any]
    places: np.ndarray[Any, Any]

    def places_of(self, key: bytes) -> list[int]:
        wanted = np.frombuffer(key, dtype=_KEY)[0]
        first = int(np.searchsorted(self.keys, wanted, side="left"))
        found = []
        while first < len(self.keys) and self.keys[first] == wanted:
            found.append(int(self.places[first]))
            first += 1
        return found


_KEY: Final = np.dtype([("high", ">u8"), ("low", ">u8")])


class PartFiles:
    """The folder ``path`` of a file system."""

    def __init__(self, system: arrow_fs.FileSystem, path: str) -> None:
        self._system = system
        self._path = path.rstrip("/")
        self._read = lru_cache(_TABLES_KEPT)(self._table)

    def begin(self, *, resume: bool) -> None:
        """Make the folder. Raises BadInput if it holds parts already and they are not to be kept."""
        self._system.create_dir(self._path, recursive=True)
        if not resume and self._parts():
            raise BadInput(
                f"--output {self._path} holds the parts of an earlier run.",
                remedy="Go on with it by --resume, or name another folder.",
            )
        if self._system.get_file_info(self._marker).type == arrow_fs.FileType.File:
            self._system.delete_file(self._marker)

    def write(self, name: str, rows: Iterable[ScoredRow]) -> None:
        """A part; one of that name is replaced."""
        self._put(f"{_PREFIX}{name}.parquet", pa.Table.from_pylist([one.columns() for one in rows], schema=_SCHEMA))

    def finish(self, counts: dict[str, int]) -> None:
        """Mark the folder as complete."""
        with self._system.open_output_stream(self._marker) as sink:
            sink.write(json.dumps(counts).encode())

    def kept(self) -> KeptRows:
        """What earlier runs left."""
        files = self._parts()
        keys, places = [], []
        for number, file in enumerate(files):
            with self._system.open_input_file(file) as stream:
                column = pq.read_table(stream, columns=["key"]).column("key").combine_chunks()
            rows = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
            keys.append(np.frombuffer(b"".join(column.drop_null().to_pylist()), dtype=_KEY))
            places.append((np.int64(number) << _FILE_BITS) | rows.astype(np.int64))
        if not files:
            return KeptRows((), np.empty(0, _KEY), np.empty(0, np.int64))
        joined, at = np.concatenate(keys), np.concatenate(places)
        order = np.argsort(joined, order=("high", "low"), kind="stable")
        return KeptRows(tuple(files), joined[order], at[order])

    def judgment_at(self, files: Sequence[str], place: int) -> Judgment:
        text: str = self._read(files[place >> _FILE_BITS]).column("judgment")[place & (2**_FILE_BITS - 1)].as_py()
        return Judgment.model_validate_json(text)

    def keep_only(self, files: Sequence[str], taken: np.ndarray[Any, Any]) -> int:
        """Remove the rows of these files whose places were not ``taken``; returns how many."""
        removed = 0
        for number, file in enumerate(files):
            rows = np.sort(taken[taken >> _FILE_BITS == number] & (2**_FILE_BITS - 1))
            table = self._table(file, None)
            removed += table.num_rows - len(rows)
            if not len(rows):
                self._system.delete_file(file)
            elif len(rows) < table.num_rows:
                self._put(file.rpartition("/")[2], table.take(pa.array(rows)))
        return removed

    @property
    def _marker(self) -> str:
        return f"{self._path}/{_COMPLETE}"

    def _parts(self) -> list[str]:
        listed = self._system.get_file_info(arrow_fs.FileSelector(self._path, allow_not_found=True))
        return sorted(one.path for one in listed if one.base_name.startswith(_PREFIX))

    def _table(self, file: str, columns: tuple[str, ...] | None = ("judgment",)) -> Any:
        with self._system.open_input_file(file) as stream:
            return pq.read_table(stream, columns=None if columns is None else list(columns))

    def _put(self, name: str, table: Any) -> None:
        beside = f"{self._path}/{_BEING_WRITTEN}{name}"
        with self._system.open_output_stream(beside) as sink:
            pq.write_table(table, sink, compression="zstd")
        self._system.move(beside, f"{self._path}/{name}")
