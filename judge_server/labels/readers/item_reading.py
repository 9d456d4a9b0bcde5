"""Items to be labelled, from any file format that labels are read from."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from judge_server.core.errors import BadInput
from judge_server.labels.label import Item
from judge_server.labels.readers import delimited, parquet, workbook
from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.form import Form, form_of
from judge_server.labels.readers.gathering import facts_in
from judge_server.labels.readers.heading import chunks_below, table_of_rows
from judge_server.labels.readers.healthbench import conversation_text
from judge_server.labels.readers.layout import FACTS, TEXTS, is_fact
from judge_server.labels.readers.records import Chunk, Record, records
from judge_server.labels.readers.word import dates_of_entries, given

_IDS: Final = ("item", "item_id", "id")


def read_items(path: Path) -> tuple[list[Item], dict[str, str]]:
    """The items, without duplicates, and the clusters in the file. Raises BadInput with findings for rows without an
    id, a prompt or a response, and for an id with two texts."""
    findings = LabelFindings(path.name)
    items: dict[str, Item] = {}
    clusters: dict[str, str] = {}
    rows: dict[str, int] = {}
    for row, record in _records(path, findings):
        fields = {str(name).strip().casefold(): value for name, value in record.items()}
        item = _item(row, record, fields, findings)
        if item is None:
            continue
        known, _ = items.setdefault(item.id, item), rows.setdefault(item.id, row)
        if known != item:
            findings.add(row, "item", f"the item {item.id!r} has another text here", "Give each text an id of its own.")
        cluster = given(fields.get("cluster"), fields.get("prompt_id"))
        if cluster is not None:
            clusters[item.id] = str(cluster)
    for name in sorted(dates_of_entries(items), key=rows.__getitem__):
        advice = "Format the column as text, and enter it again."
        findings.add(
            rows[name], "item", f"the item {name!r} is a date: spreadsheets make dates of such entries", advice
        )
    findings.refuse_if_any()
    if not items:
        raise BadInput(f"{path.name} holds no items.", remedy="Each row is an item: item, prompt, response.")
    return list(items.values()), clusters


def _item(row: int, record: Mapping[str, Any], fields: Mapping[str, Any], findings: LabelFindings) -> Item | None:
    name = given(*(fields.get(field) for field in _IDS))
    if name is None:
        findings.add(row, "item", "the row has no item id", "Give the file a column item (or id).")
        return None
    texts: dict[str, Any] = {
        field: conversation_text(fields[field]) for field in TEXTS if given(fields.get(field)) is not None
    }
    for field in ("prompt", "response"):
        if field not in texts:
            findings.add(row, field, f"the item {str(name)!r} has no {field}", f"Give the file a column {field}.")
            return None
    facts = fields.get(FACTS)
    known = facts_in(facts) if isinstance(facts, str) and facts.strip() else facts
    own = {key[len(FACTS) + 1 :]: value for key, value in record.items() if is_fact(key) and given(value) is not None}
    return Item(id=str(name), facts={**(known if isinstance(known, Mapping) else {}), **own}, **texts)


def _records(path: Path, findings: LabelFindings) -> Iterator[Record]:
    form = form_of(path)
    if form in (Form.JSON, Form.JSON_LINES):
        yield from records(path, form, findings)
        return
    for chunk in _chunks(path, form, findings):
        for place, row in enumerate(chunk.rows.tolist()):
            yield row, {name: values[place] for name, values in chunk.columns.items()}


def _chunks(path: Path, form: Form, findings: LabelFindings) -> Iterator[Chunk]:
    if form is Form.PARQUET:
        return parquet.chunks(path, parquet.heading(path))
    if form is Form.WORKBOOK:
        return chunks_below(table_of_rows(workbook.rows(path, findings)), findings, unmark=False)
    return delimited.chunks(path, findings)
