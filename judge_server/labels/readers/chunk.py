"""Two thousand rows by column: the form in which every kind of file hands over its labels."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ROWS: Final = 2_000  # what fits the processor's cache: ten times as many take twice as long
Record = tuple[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Chunk:
    """``rows``: row numbers in the file; each column has one value for each of them."""

    rows: NDArray[np.int32]
    columns: Mapping[str, Sequence[Any]]


def chunks_of(records: Iterable[Record], names: Sequence[str]) -> Iterator[Chunk]:
    """Records with their row numbers as chunks of the columns ``names``; what a record lacks is None."""
    iterator = iter(records)
    while some := list(islice(iterator, ROWS)):
        rows = np.fromiter((row for row, _ in some), dtype=np.int32, count=len(some))
        yield Chunk(rows, {name: [record.get(name) for _, record in some] for name in names})
