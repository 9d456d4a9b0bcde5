"""Tables as delimited text: comma, semicolon, tab or bar, whichever divides the heading."""

import csv
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from judge_server.calibration.reading.chunk import ROWS, Chunk
from judge_server.calibration.reading.finding import Findings

LONGEST_FIELD: Final = 16 * 2**20
_DELIMITERS: Final = ",;\t|"
_MOST_BROKEN: Final = 20
_SURROGATES: Final = ("\udc80", "\udcff")


def heading(path: Path, findings: Findings) -> list[str]:
    """The names in the first row."""
    for row in _records(path, "surrogateescape", findings):
        return row
    return []


def chunks(path: Path, findings: Findings) -> Iterator[Chunk]:
    """Rows as a spreadsheet counts them: the heading is row 1, blank lines are left out of the count."""
    try:
        yield from _chunks(path, "strict", findings)
    except UnicodeDecodeError:
        _find_undecodable(path, findings)


def _chunks(path: Path, errors: str, findings: Findings) -> Iterator[Chunk]:
    records = _records(path, errors, findings)
    names = next(records, [])
    row = 2
    while some := list(islice(records, ROWS)):
        numbers = np.arange(row, row + len(some), dtype=np.int32)
        row += len(some)
        whole = [len(record) == len(names) for record in some]
        if not all(whole):
            _tell_uneven(some, numbers.tolist(), len(names), findings)
            some = [record for record, good in zip(some, whole, strict=True) if good]
            numbers = numbers[np.array(whole, dtype=np.bool_)]
        if some:
            yield Chunk(numbers, dict(zip(names, zip(*some, strict=True), strict=False)))


def _records(path: Path, errors: str, findings: Findings) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_FIELD)
    count = 0
    with path.open(encoding="utf-8-sig", errors=errors, newline="") as file:
        reader: Any = csv.reader(file, delimiter=_delimiter(path), strict=True)
        try:
            for record in reader:
                if record:
                    count += 1
                    yield record
        except csv.Error as fault:
            line = f" (line {reader.line_num})" if reader.line_num != count + 1 else ""
            findings.add(count + 1, None, f"the table breaks off here{line}: {fault}", _advice(str(fault)))


def _advice(fault: str) -> str:
    if "field limit" in fault:
        return f"A field may hold {LONGEST_FIELD // 2**20} MiB of text; look for a quotation mark that is never closed."
    return 'Look for a quotation mark that is never closed; inside a quoted field a mark is written twice ("").'


def _delimiter(path: Path) -> str:
    with path.open("rb") as file:
        first = file.readline(1_000_000).decode("utf-8", "replace")
    return max(_DELIMITERS, key=first.count)


def _tell_uneven(some: Sequence[list[str]], rows: Sequence[int], width: int, findings: Findings) -> None:
    for row, record in zip(rows, some, strict=True):
        if len(record) != width:
            findings.add(
                row,
                None,
                f"{len(record)} fields, but the heading has {width}",
                "Put a text that holds the delimiter in quotation marks.",
            )


def _find_undecodable(path: Path, findings: Findings) -> None:
    """A second, slower look at a file that is not UTF-8, for the places."""
    found = 0
    lowest, highest = _SURROGATES
    for row, record in enumerate(_records(path, "surrogateescape", findings), 1):
        for place, value in enumerate(record, 1):
            if any(lowest <= char <= highest for char in value):
                findings.add(row, f"{place}", "the text is not UTF-8", "Save the file as UTF-8.")
                found += 1
        if found >= _MOST_BROKEN:
            return
