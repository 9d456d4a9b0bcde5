"""Responses that nobody has labelled yet: a table or JSON with a prompt and a response in each row."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from judge_server.core.errors import BadInput
from judge_server.labels.label import Item
from judge_server.labels.readers import delimited, workbook
from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.form import OBJECTS, Form, form_of
from judge_server.labels.readers.heading import chunks_below, table_of_rows
from judge_server.labels.readers.records import Chunk, Record, records
from judge_server.labels.readers.word import tidy

_ADVICE: Final = "Give each row a prompt and a response; reference and id are optional."
_IDS: Final = ("item", "item_id", "id")


def read_responses(path: Path, most: int) -> list[Item]:
    """At most ``most`` items, in the file's order. Raises BadInput naming every row without a prompt or a response, ids
    that occur twice, and a file with more rows."""
    findings = LabelFindings(path.name)
    found: dict[str, Item] = {}
    for row, record in _rows(path, findings):
        fields = {tidy(str(name)).casefold(): _text(value) for name, value in record.items()}
        prompt, response = fields.get("prompt", ""), fields.get("response", "")
        if not prompt or not response:
            missing = "prompt" if not prompt else "response"
            findings.add(row, missing, f"there is no {missing}", _ADVICE)
            continue
        name = next((fields[key] for key in _IDS if fields.get(key)), f"row-{row}")[:400]
        if name in found:
            findings.add(row, None, f"the id {name[:60]!r} occurs twice", "Give each row an id of its own, or none.")
        found[name] = Item(id=name, prompt=prompt, response=response, reference=fields.get("reference") or None)
        if len(found) > most:
            raise BadInput(f"{path.name} has more than {most:,} rows.", remedy="Split the file.")
    findings.refuse_if_any()
    if not found:
        raise BadInput(f"{path.name} has no row.", remedy=_ADVICE)
    return list(found.values())


def _rows(path: Path, findings: LabelFindings) -> Iterator[Record]:
    form = form_of(path)
    if form in OBJECTS:
        yield from records(path, form, findings)
    elif form is Form.WORKBOOK:
        yield from _by_row(chunks_below(table_of_rows(workbook.rows(path, findings)), findings))
    elif form is Form.DELIMITED:
        yield from _by_row(delimited.chunks(path, findings))
    else:
        raise BadInput(f"{path.name} is {form.value}.", remedy="Save it as XLSX, CSV (UTF-8) or JSON Lines.")


def _by_row(chunks: Iterator[Chunk]) -> Iterator[Record]:
    for chunk in chunks:
        for place, row in enumerate(chunk.rows.tolist()):
            yield row, {name: values[place] for name, values in chunk.columns.items()}


def _text(value: Any) -> str:
    if isinstance(value, Mapping | list):
        return ""
    return "" if value is None else str(value).strip()
