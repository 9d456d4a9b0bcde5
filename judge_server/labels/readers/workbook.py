"""Workbooks (XLSX), read and written with openpyxl: cells as text, merged cells filled, formulas replaced by their
values."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final
from warnings import catch_warnings, simplefilter

from judge_server.core.errors import BadInput, MissingDependency
from judge_server.core.extra import installing
from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.word import written

LARGEST_BYTES: Final = 256 * 2**20  # unpacked
LONGEST_CELL: Final = 32_767  # the limit of a spreadsheet
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")  # how a workbook writes characters that XML cannot hold
_LITERAL: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')  # what a number format shows as it stands
_PLACEHOLDER: Final = re.compile(r"[0#?@ymdhse]|general|standard", re.IGNORECASE)
_FIXED: Final = re.compile(r"[#0,]*0(?:\.(0+))?")  # a format with so many decimals
_TINY: Final = 1e-9
_ILLEGAL: Final = frozenset(chr(code) for code in range(32) if code not in (9, 10, 13))


def is_workbook(path: Path) -> bool:
    """Whether a zip archive is an XLSX workbook."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def rows(path: Path, findings: LabelFindings) -> Iterator[list[str]]:
    """All rows of the only sheet with content, from row 1. Raises BadInput for a workbook that is damaged, too large,
    or has several sheets with contents; MissingDependency without openpyxl."""
    sheet = _only_sheet(_loaded(path, values=False), path, findings)
    merged = {
        (row, block.min_col): (block.min_row, block.min_col)
        for block in sheet.merged_cells.ranges
        for row in range(block.min_row, block.max_row + 1)
    }
    _note_unseen(sheet, findings)
    rounded: list[str] = []
    with_formulas = any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    values = _loaded(path, values=True)[sheet.title] if with_formulas else sheet
    for cells in sheet.iter_rows():
        found = []
        for cell in cells:
            row, column = merged.get((cell.row, cell.column), (cell.row, cell.column))
            own, value = sheet.cell(row, column), values.cell(row, column).value
            if (shown := _rounded(own.number_format, value)) is not None:
                rounded.append(f"{own.coordinate} ({shown} for {value:.6g})")
            found.append(_text(own, value, findings))
        yield found
    if rounded:
        findings.notes.append(
            f"{len(rounded)} cells show fewer decimals than they hold, and count with all of them: "
            f"{', '.join(rounded[:10])}."
        )


def _note_unseen(sheet: Any, findings: LabelFindings) -> None:
    """What a person does not see, or has crossed out, is read like the rest; the notes count it."""
    hidden = sum(bool(shape.hidden) and row <= sheet.max_row for row, shape in sheet.row_dimensions.items())
    columns = [letter for letter, shape in sheet.column_dimensions.items() if shape.hidden]
    filled = (cell for row in sheet.iter_rows() for cell in row if cell.value is not None)
    crossed = [cell.coordinate for cell in filled if cell.font.strike]
    commented = [cell.coordinate for row in sheet.iter_rows() for cell in row if getattr(cell, "comment", None)]
    across = [str(block) for block in sheet.merged_cells.ranges if block.max_col > block.min_col]
    if commented:
        findings.notes.append(f"{len(commented)} cells have comments, which are not read: {', '.join(commented[:10])}.")
    if across:
        findings.notes.append(f"Cells merged over columns count as the first of them: {', '.join(across[:10])}.")
    if hidden:
        findings.notes.append(f"{hidden} rows are hidden, perhaps by a filter; they are read too.")
    if columns:
        findings.notes.append(f"Hidden columns are read too: {', '.join(columns[:10])}.")
    if crossed:
        findings.notes.append(f"{len(crossed)} cells are crossed out and read all the same: {', '.join(crossed[:10])}.")


def _text(cell: Any, value: Any, findings: LabelFindings) -> str:
    if cell.data_type == "f" and value is None:
        message = "the formula has no value"
        findings.add(cell.row, cell.column_letter, message, "Open the workbook in a spreadsheet and save it again.")
        return ""
    if cell.data_type == "e":
        findings.add(cell.row, cell.column_letter, f"the cell shows the error {value}", "Correct it or empty the cell.")
        return ""
    if type(value) in (int, float) and not _shown(cell.number_format, value):
        message = f"the format of the cell shows something else than its number {value:g}: {cell.number_format[:60]!r}"
        findings.add(cell.row, cell.column_letter, message, "Write the answers as words, without a number format.")
        return ""
    return "" if value is None else _written(cell, value)


def _shown(number_format: str, value: float) -> bool:
    """Whether a number format shows the number: each of its parts (above, below, at 0) may be a text alone."""
    parts = _LITERAL.sub("", number_format).split(";")
    if "[" in number_format and len(parts) > 1 and re.search(r"\[[<>=]", number_format):
        return all(_PLACEHOLDER.search(part) for part in parts)
    place = 0 if value > 0 or len(parts) == 1 else 1 if value < 0 else min(2, len(parts) - 1) if len(parts) > 2 else 0
    return _PLACEHOLDER.search(parts[place]) is not None


def _rounded(number_format: str, value: Any) -> str | None:
    """What the cell shows, if its format has too few decimals for the number; None otherwise."""
    if type(value) is not float or not (fixed := _FIXED.fullmatch(_LITERAL.sub("", number_format).split(";")[0])):
        return None
    shown = f"{value:.{len(fixed[1] or '')}f}"
    return None if abs(float(shown) - value) <= _TINY * max(1.0, abs(value)) else shown


def _written(cell: Any, value: Any) -> str:
    """A value as it is shown, as far as that can change its meaning."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float() if "%" in cell.number_format:
            return f"{100 * value:.10g}%"
        case int() if _zeros_shown(cell):
            return str(value).zfill(len(cell.number_format))
        case float():
            return written(float(f"{value:.15g}"))  # what a spreadsheet shows: formulas leave errors beyond it
        case datetime() | date() | time():
            return value.isoformat()
        case str():
            return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)
    return str(value)


def _zeros_shown(cell: Any) -> bool:
    """Whether the number format shows leading zeros, so that 7 is seen as 007."""
    return len(cell.number_format) > 1 and set(cell.number_format) == {"0"}


def _only_sheet(workbook: Any, path: Path, findings: LabelFindings) -> Any:
    filled = [sheet for sheet in workbook.worksheets if any(sheet.iter_rows(max_row=100, values_only=True))]
    full = [sheet for sheet in filled if _holds_something(sheet)]
    shown = [sheet for sheet in full if sheet.sheet_state == "visible"]
    if len(shown) == 1 < len(full):
        hidden = ", ".join(sheet.title for sheet in full if sheet not in shown)
        findings.notes.append(f"The hidden sheets were not read: {hidden}.")
        return shown[0]
    if len(full) > 1:
        raise BadInput(
            f"{path.name} has {len(full)} sheets with contents: {', '.join(sheet.title for sheet in full)}.",
            remedy="Keep the sheet with the labels in a workbook of its own, or save it as CSV (UTF-8).",
        )
    if not full:
        raise BadInput(f"{path.name} is empty.", remedy="The heading names the columns; see judge-server docs labels.")
    if not shown:
        findings.notes.append(f"The only sheet with contents, {full[0].title!r}, is hidden; it was read.")
    return full[0]


def _holds_something(sheet: Any) -> bool:
    return any(value not in (None, "") for row in sheet.iter_rows(values_only=True) for value in row)


def _loaded(path: Path, *, values: bool) -> Any:
    openpyxl = _openpyxl(path)
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > LARGEST_BYTES:
        raise BadInput(
            f"{path.name} holds {size // 2**20} MiB unpacked, more than {LARGEST_BYTES // 2**20}.",
            remedy="Save the sheet as CSV (UTF-8).",
        )
    try:
        with catch_warnings():
            simplefilter("ignore")  # warnings about spreadsheet features that are not read
            return openpyxl.load_workbook(path, data_only=values)
    except Exception as fault:  # a damaged workbook raises errors of openpyxl, its XML parser or zipfile
        first = (str(fault).splitlines() or [type(fault).__name__])[0][:200]
        raise BadInput(f"{path.name} cannot be read as a workbook: {first}.", remedy="Save it again.") from fault


def _openpyxl(path: Path) -> Any:
    try:
        import openpyxl
    except ImportError as missing:
        raise MissingDependency(
            f"{path.name} is a workbook, and openpyxl is not installed.",
            remedy=installing("calibration"),
        ) from missing
    return openpyxl


@dataclass(frozen=True)
class SheetColumn:
    """``choices``: allowed answers, as a drop-down list; ``width``: in characters; ``note``: shown with the heading."""

    name: str
    width: int = 20
    choices: tuple[str, ...] = ()
    note: str = ""
    cells: Sequence[str] = field(default=())


def write_workbook(path: Path, title: str, columns: Sequence[SheetColumn]) -> None:
    """One sheet in which every cell is text, whatever its first character. Raises BadInput, naming row and column, for
    a text that a workbook cannot hold."""
    openpyxl = _openpyxl(path)
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = title
    for place, column in enumerate(columns, 1):
        letter = openpyxl.utils.get_column_letter(place)
        sheet.column_dimensions[letter].width = column.width
        for row, text in enumerate((column.name, *column.cells), 1):
            _put(sheet.cell(row, place), text, f"row {row}, column {column.name!r}"[:120], openpyxl)
        if column.choices:
            _restrict(sheet, letter, column, openpyxl)
        if column.note:
            sheet.cell(1, place).comment = openpyxl.comments.Comment(column.note, "judge-server")
    sheet.freeze_panes = "C2"
    workbook.save(path)


def _put(cell: Any, text: str, where: str, openpyxl: Any) -> None:
    if len(text) > LONGEST_CELL:
        raise BadInput(
            f"{where}: the text has {len(text):,} characters, and a cell holds {LONGEST_CELL:,}.",
            remedy="Leave out --xlsx: CSV holds it.",
        )
    if not _ILLEGAL.isdisjoint(text):
        raise BadInput(f"{where}: a workbook cannot hold a control character.", remedy="Remove it, or write CSV.")
    cell.alignment = openpyxl.styles.Alignment(wrap_text=True, vertical="top")
    if cell.row == 1:
        cell.font = openpyxl.styles.Font(bold=True)
    cell.number_format = "@"
    if text:
        cell.value = text
        cell.data_type = "s"  # text even if it begins like a formula
        cell.quotePrefix = 1  # and stays text when it is edited


def _restrict(sheet: Any, letter: str, column: SheetColumn, openpyxl: Any) -> None:
    listed = ",".join(column.choices)
    if len(listed) > 255 or any("," in choice or '"' in choice for choice in column.choices):
        return  # a list in a validation rule has at most 255 characters and no commas; the heading names the answers
    rule = openpyxl.worksheet.datavalidation.DataValidation(
        type="list", formula1=f'"{listed}"', allow_blank=True, showErrorMessage=True
    )
    rule.error = f"One of: {listed}"
    sheet.add_data_validation(rule)
    rule.add(f"{letter}2:{letter}{len(column.cells) + 1}")
