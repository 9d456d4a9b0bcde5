"""JSON: one object a line, or a list of objects."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from judge_server.authoring.interchange.packed_log import packed_log
from judge_server.authoring.interchange.record import MOST_BYTES
from judge_server.core.errors import BadInput
from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.form import Form
from judge_server.util.parsing import quick_json

ROWS: Final = 2_000  # fits the processor's cache; ten times as many rows take twice as long
Record = tuple[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Chunk:
    """``rows``: row numbers in the file; each column has one value per row."""

    rows: NDArray[np.int32]
    columns: Mapping[str, Sequence[Any]]


def chunks_of(records: Iterable[Record], names: Sequence[str]) -> Iterator[Chunk]:
    """Records with their row numbers as chunks of the columns ``names``; missing values are None."""
    iterator = iter(records)
    while some := list(islice(iterator, ROWS)):
        rows = np.fromiter((row for row, _ in some), dtype=np.int32, count=len(some))
        yield Chunk(rows, {name: [record.get(name) for _, record in some] for name in names})


_ADVICE = "Each line of JSON Lines is one object; a line break inside a text is written \\n."


def records(path: Path, form: Form, findings: LabelFindings) -> Iterator[Record]:
    """Objects with their line or index in the list, or a packed log's samples; anything else is a finding."""
    if form is Form.PACKED_LOG:
        return enumerate((log for _, log in packed_log(path, MOST_BYTES)), 1)
    return _lines(path, findings) if form is Form.JSON_LINES else _elements(path, findings)


def _lines(path: Path, findings: LabelFindings) -> Iterator[Record]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
            if text.isspace():
                continue
            try:
                value = quick_json(text)
            except ValueError as fault:
                findings.add(number, None, f"the line is not JSON: {fault}", _ADVICE)
                continue
            if isinstance(value, Mapping):
                yield number, value
            else:
                findings.add(number, None, "the line is not a JSON object", _ADVICE)


def _elements(path: Path, findings: LabelFindings) -> Iterator[Record]:
    try:
        value: Any = quick_json(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except ValueError as fault:
        raise BadInput(f"{path.name} is not JSON: {fault}.", remedy="Export it again, or use JSON Lines.") from fault
    elements = value if isinstance(value, list) else [value]
    for number, element in enumerate(elements, 1):
        if isinstance(element, Mapping):
            yield number, element
        else:
            findings.add(number, None, "the element is not a JSON object", "The list must hold one object per row.")
