"""Finds a table's heading and the rows below: title rows, blank rows and trailing separators are not labels."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

import numpy as np

from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.records import ROWS, Chunk
from judge_server.labels.readers.word import tidy

Row = list[str]
_MOST_TITLES: Final = 20  # rows above the heading
_ITEMS: Final = frozenset(("item", "item_id", "id"))
_KEPT_AS_TEXT: Final = re.compile(r'="([^"]*)"')
_MARKED: Final = ("=", "+", "-", "@", "\t", "\r", "'")


@dataclass(frozen=True)
class HeadedTable:
    """``names``: the heading without blank columns at its end. ``row``: its row number as in a spreadsheet. ``below``:
    the rows under it, including blank ones."""

    names: list[str]
    row: int
    below: Iterator[Row]


def table_of_rows(rows: Iterator[Row]) -> HeadedTable:
    """The heading is the first row with two different texts, unless a later one among the first rows names an item
    column and it does not (lines such as ``Study: | ABC`` may stand above). Blank rows and rows with one text (a title,
    perhaps merged over several columns) above it are skipped. If there is no such row, it is the first row that is not
    blank."""
    seen: list[Row] = []
    heading: int | None = None
    for row in islice(rows, _MOST_TITLES):
        seen.append(row)
        if heading is None and len({cell.strip() for cell in row} - {""}) > 1:
            heading = len(seen) - 1
        if _names_items(row):
            heading = len(seen) - 1
            break
    if heading is not None:
        return HeadedTable(_named(seen[heading]), heading + 1, chain(seen[heading + 1 :], rows))
    for place, row in enumerate(seen):
        if any(cell.strip() for cell in row):
            return HeadedTable(_named(row), place + 1, chain(seen[place + 1 :], rows))
    return HeadedTable([], 1, iter(()))


def chunks_below(table: HeadedTable, findings: LabelFindings, *, unmark: bool = True) -> Iterator[Chunk]:
    """Rows of the heading's width, two thousand at a time. A row of another width is a finding, unless its fields
    beyond the heading are blank. ``unmark``: remove the apostrophe from texts that a spreadsheet would read as
    formulas."""
    number = table.row + 1
    width = len(table.names)
    while some := list(islice(table.below, ROWS)):
        numbers = np.arange(number, number + len(some), dtype=np.int32)
        number += len(some)
        if set(map(len, some)) != {width} or not all(row[0].strip() for row in some):
            kept = [place for place, row in enumerate(some) if _fits(row, width, int(numbers[place]), findings)]
            some, numbers = [some[place][:width] for place in kept], numbers[kept]
        if some:
            columns = dict(zip(table.names, zip(*some, strict=True), strict=False))
            yield Chunk(numbers, {name: _unmarked(cells) for name, cells in columns.items()} if unmark else columns)


def _names_items(row: Row) -> bool:
    """Whether a row names a column of items, and another column."""
    names = {tidy(name).casefold() for name in row} - {""}
    return bool(names & _ITEMS) and len(names) > 1


def _named(row: Row) -> list[str]:
    last = max((place for place, name in enumerate(row) if name.strip()), default=-1)
    return [unmarked(" ".join(tidy(name).split())) for name in row[: last + 1]]


def _fits(row: Row, width: int, number: int, findings: LabelFindings) -> bool:
    """False for a blank row and for a row with a finding."""
    if not any(cell.strip() for cell in row):
        return False
    if len(row) == width or (len(row) > width and not any(cell.strip() for cell in row[width:])):
        return True
    findings.add(
        number,
        None,
        f"{len(row)} fields, but the heading has {width}",
        "Put a text that holds the delimiter in quotation marks.",
    )
    return False


def marked(text: str) -> str:
    """``text`` with an apostrophe before it if a spreadsheet would read it as a formula; numbers stay as they are.
    ``unmarked`` removes it."""
    if not text.startswith(_MARKED) or not _is_marked(text) or _is_plain_number(text):
        return text
    return f"'{text}"


def unmarked(text: str) -> str:
    """``text`` without the apostrophe before a formula, and without the formula ``="007"``, by which programs keep a
    spreadsheet from changing a text."""
    if kept := _KEPT_AS_TEXT.fullmatch(text):
        return kept[1]
    return text[1:] if text[:1] == "'" and _is_marked(text[1:]) else text


def _is_marked(text: str) -> bool:
    """One or more apostrophes followed by a character that begins a formula."""
    return text.lstrip("'")[:1] in _MARKED[:-1]


def _is_plain_number(text: str) -> bool:
    return text[:1] in "+-" and text[1:].replace(".", "", 1).isdecimal() and text.isascii()


def _unmarked(cells: Sequence[str]) -> Sequence[str]:
    return [unmarked(cell) for cell in cells] if any(cell[:1] in ("'", "=") for cell in cells) else cells
