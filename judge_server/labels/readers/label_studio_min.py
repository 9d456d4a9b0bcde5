"""Exports of Label Studio in the format JSON_MIN: one flat object for each annotation
(https://labelstud.io/guide/export).

The data of the task come first, at least one field, then ``id``, the results by control, ``annotator``,
``annotation_id`` and dates: what stands between ``id`` and ``annotator`` is a control, and its name the criterion.
Spans and other results without one label are counted in a note.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.label_studio import RATIONALES, TEXTS
from judge_server.labels.readers.records import Record
from judge_server.labels.readers.word import given

_NONE: Final = object()


def recognizes(record: Mapping[str, Any]) -> bool:
    return {"id", "annotator", "annotation_id"} <= set(record) and "annotations" not in record


def long_records(rows: Sequence[Record], findings: LabelFindings) -> Iterator[Record]:
    """One record for each control of each annotation."""
    unread = 0
    for row, record in rows:
        names = list(record)
        if not recognizes(record) or not 0 < names.index("id") < names.index("annotator"):
            advice = "Export with the format JSON, or JSON_MIN with its keys in their order."
            findings.add(row, None, "the controls cannot be told from the data of the task", advice)
            continue
        controls = names[names.index("id") + 1 : names.index("annotator")]
        base = _base(row, record, set(names[: names.index("id")]))
        reasons = [str(record[name]) for name in controls if name in RATIONALES and record[name] is not None]
        for name in controls:
            if name in RATIONALES:
                continue
            label = _label(row, name, record[name], findings)
            if label is _NONE:
                unread += 1
                continue
            yield row, {**base, "criterion": name, "label": label, "rationale": next(iter(reasons), "")}
    if unread:
        findings.notes.append(f"{unread} results of Label Studio are spans without one label and are left out.")


def _label(row: int, name: str, value: Any, findings: LabelFindings) -> Any:
    """The one label; ``_NONE`` for a result that is none."""
    if isinstance(value, Mapping) and isinstance(value.get("choices"), list):
        value = value["choices"]
    if isinstance(value, list) and all(isinstance(one, str | int | float) for one in value):
        if len(value) > 1:
            advice = "A criterion takes one label: make the control single-choice, or use one control for each label."
            findings.add(row, name, f"{len(value)} labels were chosen at once", advice)
        return value[0] if len(value) == 1 else ""
    return _NONE if isinstance(value, list | Mapping) else value


def _base(row: int, record: Mapping[str, Any], data: set[str]) -> dict[str, Any]:
    own = {name: record[name] for name in data}
    annotator = record.get("annotator")
    if isinstance(annotator, Mapping):
        annotator = given(annotator.get("email"), annotator.get("username"), annotator.get("id"))
    item = given(own.get("item"), own.get("item_id"), record.get("id"), row)
    base: dict[str, Any] = {"item": str(item), "annotator": str(given(annotator, "annotator")), "role": "human"}
    for field, names in TEXTS.items():
        value = given(*(own.get(name) for name in names))
        if value is not None:
            base[field] = value if isinstance(value, str | list) else str(value)
    return base
