"""Writes label sets in the long format, with metadata in ``FILE.about.json`` next to them."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from judge_server.authoring.writing import replace_file
from judge_server.core.errors import BadInput
from judge_server.labels.about import About, about_path
from judge_server.labels.label import Item, Label
from judge_server.labels.label_set import LabelSet
from judge_server.labels.readers.heading import marked
from judge_server.labels.readers.layout import OPTIONAL, REQUIRED, SAW_JUDGE


def write_labels(label_set: LabelSet, path: Path) -> None:
    """Write ``.csv`` or ``.jsonl``, by the name's suffix; reading it back gives the same digest. Raises BadInput."""
    if path.suffix not in (".csv", ".jsonl"):
        raise BadInput(f"{path.name}: labels are written as .csv or .jsonl.", remedy="Name the file so.")
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            (write_csv if path.suffix == ".csv" else write_json_lines)(label_set, file)
        part.replace(path)
        replace_file(about_path(path), about_text(label_set))
    except OSError as fault:
        raise BadInput(
            f"{path}: {fault.strerror}.", remedy="Name a file in a directory that can be written."
        ) from fault


def about_text(label_set: LabelSet) -> str:
    """The metadata, as JSON."""
    about = About(
        id=label_set.id,
        provenance=label_set.provenance,
        scales=label_set.scales,
        judges=dict(label_set.judges),
        rubric=label_set.rubric,
    )
    return about.model_dump_json(exclude_defaults=True, indent=2) + "\n"


def write_csv(label_set: LabelSet, file: TextIO) -> None:
    """Columns without any value are left out."""
    used = _used(label_set)
    writer = csv.DictWriter(file, [*REQUIRED, *(name for name in OPTIONAL if name in used)], lineterminator="\n")
    writer.writeheader()
    for row in long_rows(label_set):
        shares = row.get("probabilities")
        facts = row.get("facts")
        told = {
            **row,
            "tags": ";".join(row.get("tags", ())),
            "probabilities": json.dumps(shares) if shares else "",
            "facts": json.dumps(facts, ensure_ascii=False) if facts else "",
            SAW_JUDGE: "true" if SAW_JUDGE in row else "",
        }
        writer.writerow({name: _cell(value) for name, value in told.items() if name in writer.fieldnames})


def _cell(value: Any) -> Any:
    """A text that a spreadsheet would read as a formula gets a leading apostrophe, which reading removes."""
    return marked(value) if isinstance(value, str) else value


def write_json_lines(label_set: LabelSet, file: TextIO) -> None:
    file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in long_rows(label_set))


def long_rows(label_set: LabelSet, offset: int = 0, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """One record per label, for the rows from ``offset`` on; only the first row of an item has its texts."""
    told: set[str] = set()
    size = len(label_set.table)
    for place in range(min(offset, size), size if limit is None else min(offset + limit, size)):
        label = label_set.table.row(place)
        item = label_set.items.get(label.item) if label.item not in told else None
        told.add(label.item)
        split = label_set.splits.get(label.cluster)
        yield {**_label(label), **_texts(item), **({"split": split} if split else {})}


def _label(label: Label) -> dict[str, Any]:
    row: dict[str, Any] = {name: getattr(label, name) for name in ("item", "criterion", "annotator", "role")}
    row["label"] = (label.written if label.status == "invalid" else label.label) or ""
    for name in ("probability", "probabilities", "rationale"):
        value = getattr(label, name)
        if value is not None:
            row[name] = value
    if label.saw_judge:
        row[SAW_JUDGE] = True
    if label.cluster != label.item:
        row["cluster"] = label.cluster
    return row


def _texts(item: Item | None) -> dict[str, Any]:
    return {} if item is None else item.model_dump(exclude={"id"}, exclude_defaults=True, mode="json")


def _used(label_set: LabelSet) -> set[str]:
    return {name for row in long_rows(label_set) for name in row}
