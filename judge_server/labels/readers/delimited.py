"""Tables as delimited text: comma, semicolon, tab or bar, whichever divides the heading."""

import csv
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

import numpy as np

from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.records import ROWS, Chunk

LONGEST_FIELD: Final = 16 * 2**20
Fields = Mapping[str, str]
_DELIMITERS: Final = ",;\t|"
_MOST_BROKEN: Final = 20
_SURROGATES: Final = ("\udc80", "\udcff")


def heading(path: Path, findings: LabelFindings) -> list[str]:
    """The names in the first row."""
    for record in _counted(path, findings):
        return record
    return []


def chunks(path: Path, findings: LabelFindings) -> Iterator[Chunk]:
    """Rows as a spreadsheet counts them: the heading is row 1, blank lines are left out of the count."""
    try:
        with _opened(path, "strict") as file:
            yield from _chunks(filter(None, _reader(file, path)), findings)
    except UnicodeDecodeError:
        _find_undecodable(path, findings)
    except csv.Error:
        deque(_counted(path, findings), maxlen=0)


def _chunks(records: Iterator[list[str]], findings: LabelFindings) -> Iterator[Chunk]:
    names = next(records, [])
    row = 2
    while some := list(islice(records, ROWS)):
        numbers = np.arange(row, row + len(some), dtype=np.int32)
        row += len(some)
        if set(map(len, some)) != {len(names)}:
            whole = [len(record) == len(names) for record in some]
            _tell_uneven(some, numbers.tolist(), len(names), findings)
            some = [record for record, good in zip(some, whole, strict=True) if good]
            numbers = numbers[np.array(whole, dtype=np.bool_)]
        if some:
            yield Chunk(numbers, dict(zip(names, zip(*some, strict=True), strict=False)))


def _opened(path: Path, errors: str) -> TextIO:
    return path.open(encoding="utf-8-sig", errors=errors, newline="")


def _reader(file: TextIO, path: Path) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_FIELD)
    return csv.reader(file, delimiter=_delimiter(path), strict=True)


def _counted(path: Path, findings: LabelFindings) -> Iterator[list[str]]:
    """Slower than plain reading, but it knows where the table breaks off, and takes text that is not UTF-8."""
    count = 0
    with _opened(path, "surrogateescape") as file:
        try:
            for record in filter(None, _reader(file, path)):
                count += 1
                yield record
        except csv.Error as fault:
            findings.add(count + 1, None, f"the table breaks off here: {fault}", _advice(str(fault)))


def _advice(fault: str) -> str:
    if "field limit" in fault:
        return f"A field may hold {LONGEST_FIELD // 2**20} MiB of text; look for a quotation mark that is never closed."
    return 'Look for a quotation mark that is never closed; inside a quoted field a mark is written twice ("").'


def _delimiter(path: Path) -> str:
    with path.open("rb") as file:
        first = file.readline(1_000_000).decode("utf-8", "replace")
    return max(_DELIMITERS, key=first.count)


def _tell_uneven(some: Sequence[list[str]], rows: Sequence[int], width: int, findings: LabelFindings) -> None:
    for row, record in zip(rows, some, strict=True):
        if len(record) != width:
            findings.add(
                row,
                None,
                f"{len(record)} fields, but the heading has {width}",
                "Put a text that holds the delimiter in quotation marks.",
            )


def _find_undecodable(path: Path, findings: LabelFindings) -> None:
    """A second, slower look at a file that is not UTF-8, for the places."""
    found = 0
    lowest, highest = _SURROGATES
    for row, record in enumerate(_counted(path, findings), 1):
        for place, value in enumerate(record, 1):
            if any(lowest <= char <= highest for char in value):
                findings.add(row, f"{place}", "the text is not UTF-8", "Save the file as UTF-8.")
                found += 1
        if found >= _MOST_BROKEN:
            return


def rows(path: Path, required: tuple[str, ...]) -> Iterator[tuple[int, Fields]]:
    """Row numbers and fields. Raises BadInput for a table that is broken or lacks one of the columns ``required``."""
    findings = LabelFindings(path.name)
    names = heading(path, findings)
    missing = [name for name in required if name not in names]
    if missing:
        message = f"the columns {', '.join(missing)} are missing; found: {', '.join(names[:20])}"
        findings.add(1, None, message, "Name the files that `calibrate list` shows for this set.")
    findings.refuse_if_any()
    for chunk in chunks(path, findings):
        for place, row in enumerate(chunk.rows.tolist()):
            yield row, {name: values[place] for name, values in chunk.columns.items()}
    findings.refuse_if_any()
