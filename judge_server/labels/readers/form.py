"""Detects the kind of a file by content, not by name."""

from enum import StrEnum
from pathlib import Path
from typing import Final

from judge_server.authoring.interchange.packed_log import is_packed_log
from judge_server.core.errors import BadInput
from judge_server.labels.readers.workbook import is_workbook
from judge_server.util.bounded import refuse_pointer
from judge_server.util.parsing import quick_json

_HEAD: Final = 65_536
_REFUSED: Final = (
    (b"PK\x03\x04", "is a zip archive", "Unpack it, or save the sheet as XLSX or CSV (UTF-8)."),
    (b"\x1f\x8b", "is compressed with gzip", "Unpack it first: gunzip FILE."),
    (b"\x28\xb5\x2f\xfd", "is compressed with zstd", "Unpack it first: unzstd FILE."),
    (b"\xd0\xcf\x11\xe0", "is an old workbook", "Save the sheet as XLSX or CSV (UTF-8)."),
    (b"\xff\xfe", "is UTF-16 text", "Save it as UTF-8."),
    (b"\xfe\xff", "is UTF-16 text", "Save it as UTF-8."),
    (b"SQLite format 3", "is a database", "Export the labels, or read them from the store with --database."),
    (b"%PDF", "is a PDF", "Labels come as CSV, JSON Lines, Parquet or a Label Studio export."),
)


class Form(StrEnum):
    DELIMITED = "delimited"
    JSON_LINES = "json lines"
    JSON = "json"
    PARQUET = "parquet"
    WORKBOOK = "workbook"
    PACKED_LOG = "packed log"


OBJECTS: Final = frozenset({Form.JSON, Form.JSON_LINES, Form.PACKED_LOG})
"""Files of objects rather than of rows and columns."""


def form_of(path: Path) -> Form:
    """Raises BadInput for a file that is missing, empty, or of another kind."""
    head = head_of(path)
    if head.startswith(b"PAR1"):
        return Form.PARQUET
    if head.startswith(b"PK") and is_workbook(path):
        return Form.WORKBOOK
    if head.startswith(b"PK") and is_packed_log(path):
        return Form.PACKED_LOG
    for magic, what, remedy in _REFUSED:
        if head.startswith(magic):
            raise BadInput(f"{path.name} {what}.", remedy=remedy)
    if b"\0" in head[:4096]:
        raise BadInput(f"{path.name} holds bytes of UTF-16 or of no text at all.", remedy="Save it as CSV (UTF-8).")
    _refuse_markup(path, head)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"["):
        return Form.JSON
    if text.startswith(b"{"):
        return Form.JSON_LINES if _is_a_record(text.split(b"\n", 1)[0]) else Form.JSON
    return Form.DELIMITED


def _refuse_markup(path: Path, head: bytes) -> None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    if start.startswith((b"<?xml", b"<!doctype", b"<html", b"<table", b"<meta", b"<head", b"<body", b"<style")):
        remedy = "Save the sheet as XLSX or CSV (UTF-8), whatever the file is named."
        raise BadInput(f"{path.name} is a page of HTML or XML.", remedy=remedy)


def head_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as fault:
        raise BadInput(f"{path}: {fault.strerror or fault}.", remedy="Name a file of labels.") from fault
    try:
        refuse_pointer(head)
    except ValueError as fault:
        raise BadInput(f"{path} cannot be read: {fault}.") from None
    if not head.strip(b"\xef\xbb\xbf \t\r\n"):
        raise BadInput(
            f"{path.name} is empty.",
            remedy="The first row of a table must be its heading; see judge-server docs labels.",
        )
    return head


def _is_a_record(line: bytes) -> bool:
    """One object on the first line. A line longer than the head, or a broken object, counts as one too."""
    try:
        quick_json(line)
    except ValueError:
        return line.strip() != b"{"
    return True
