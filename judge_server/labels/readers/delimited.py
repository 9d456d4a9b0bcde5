"""Tables as delimited text: comma, semicolon, tab or bar, whichever splits the heading."""

import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TextIO

from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.heading import chunks_below, table_of_rows
from judge_server.labels.readers.records import Chunk

LONGEST_FIELD: Final = 16 * 2**20
Fields = Mapping[str, str]
_DELIMITERS: Final = ",;\t|"
_MOST_BROKEN: Final = 20
_MOST_TITLES: Final = 20
_NAMED_DELIMITER: Final = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
_SURROGATES: Final = ("\udc80", "\udcff")


def heading(path: Path, findings: LabelFindings) -> list[str]:
    """The names in the heading."""
    return table_of_rows(_counted(path, findings)).names


def chunks(path: Path, findings: LabelFindings, *, unmark: bool = True) -> Iterator[Chunk]:
    """Row numbers as in a spreadsheet: blank rows count, a line ``sep=;`` does not."""
    try:
        with _opened(path, "strict") as file:
            yield from chunks_below(table_of_rows(_reader(file, path)), findings, unmark=unmark)
    except UnicodeDecodeError:
        _find_undecodable(path, findings)
    except csv.Error:
        deque(_counted(path, findings), maxlen=0)


def _opened(path: Path, errors: str) -> TextIO:
    return path.open(encoding="utf-8-sig", errors=errors, newline="")


def _reader(file: TextIO, path: Path) -> Iterator[list[str]]:
    csv.field_size_limit(LONGEST_FIELD)
    delimiter, named = _delimiter(path)
    if named:
        file.readline()
    return csv.reader(file, delimiter=delimiter, strict=True)


def _counted(path: Path, findings: LabelFindings) -> Iterator[list[str]]:
    """Slower than plain reading, but reports where the table breaks off and accepts text that is not UTF-8."""
    count = 0
    with _opened(path, "surrogateescape") as file:
        try:
            for record in _reader(file, path):
                count += 1
                yield record
        except csv.Error as fault:
            findings.add(count + 1, None, f"the table breaks off here: {fault}", _advice(str(fault)))


def _advice(fault: str) -> str:
    if "field limit" in fault:
        return f"A field may hold {LONGEST_FIELD // 2**20} MiB of text; look for a quotation mark that is never closed."
    return 'Look for a quotation mark that is never closed; inside a quoted field a mark is written twice ("").'


def _delimiter(path: Path) -> tuple[str, bool]:
    """The delimiter, and whether the first line names it (``sep=;``). Otherwise the first line that splits into three
    or more columns decides (a title seldom does), else the first that splits at all."""
    with path.open("rb") as file:
        head = file.read(1_000_000).decode("utf-8-sig", "replace")
    lines = head.splitlines()[:_MOST_TITLES]
    if lines and (named := _NAMED_DELIMITER.fullmatch(lines[0])):
        return named[1], True
    best = [max(_DELIMITERS, key=line.count) for line in lines]
    for least in (2, 1):
        for line, delimiter in zip(lines, best, strict=True):
            if line.count(delimiter) >= least:
                return delimiter, False
    return _DELIMITERS[0], False


def _find_undecodable(path: Path, findings: LabelFindings) -> None:
    """A second, slower pass over a file that is not UTF-8, to find the places."""
    found = 0
    lowest, highest = _SURROGATES
    for row, record in enumerate(_counted(path, findings), 1):
        for place, value in enumerate(record, 1):
            if any(lowest <= char <= highest for char in value):
                findings.add(row, f"{place}", "the text is not UTF-8", "Save it as CSV UTF-8, or as XLSX.")
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
    for chunk in chunks(path, findings, unmark=False):
        for place, row in enumerate(chunk.rows.tolist()):
            yield row, {name: values[place] for name, values in chunk.columns.items()}
    findings.refuse_if_any()
