"""Annotations of Prodigy (``db-out``, JSON Lines; https://prodi.gy/docs/api-interfaces).

A task with a ``label`` asks yes or no: the criterion is that label, ``accept`` and ``reject`` the classes. A task with
``options`` is a choice: the criterion is its ``criterion``, or ``choice``, and the class is the chosen option's text.
``ignore`` abstains, and so does a rejected choice. The annotator is ``_annotator_id``.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.records import Record
from judge_server.labels.readers.word import given

_ANSWERS: Final = ("accept", "reject", "ignore")
_TEXTS: Final = ("prompt", "reference", "writer", "language", "cluster")


def recognizes(record: Mapping[str, Any]) -> bool:
    return record.get("answer") in _ANSWERS and bool({"_task_hash", "_input_hash", "_annotator_id"} & set(record))


def long_records(rows: Sequence[Record], findings: LabelFindings) -> Iterator[Record]:
    """One record for each task; tasks about spans have no label of the whole text and are counted in a note."""
    spans = 0
    for row, task in rows:
        if task.get("answer") not in _ANSWERS:
            advice = "Export the data set again with prodigy db-out."
            findings.add(row, "answer", f"the answer {task.get('answer')!r} is none of {', '.join(_ANSWERS)}", advice)
            continue
        options = task.get("options")
        if isinstance(options, list):
            label = _chosen(row, task, options, findings)
            criterion = str(given(task.get("criterion"), _meta(task).get("criterion"), "choice"))
        elif task.get("label") is None:
            spans += 1
            continue
        else:
            label = "" if task["answer"] == "ignore" else task["answer"]
            criterion = str(task["label"])
        yield row, {**_base(row, task), "criterion": criterion, "label": label}
    if spans:
        findings.notes.append(f"{spans} Prodigy tasks have neither a label nor options and are left out.")


def _chosen(row: int, task: Mapping[str, Any], options: Sequence[Any], findings: LabelFindings) -> str:
    """The text of the chosen option; "" for none."""
    accepted = task.get("accept") if isinstance(task.get("accept"), list) else []
    if task["answer"] != "accept" or not accepted:
        return ""
    if len(accepted) > 1:
        advice = "A criterion takes one label: use choice_style single, or one task for each label."
        findings.add(row, "accept", f"{len(accepted)} options were chosen at once", advice)
        return ""
    names = {str(one.get("id")): one for one in options if isinstance(one, Mapping)}
    return str(given(names.get(str(accepted[0]), {}).get("text"), accepted[0]))


def _base(row: int, task: Mapping[str, Any]) -> dict[str, Any]:
    meta = _meta(task)
    item = given(meta.get("item"), meta.get("id"), task.get("id"), task.get("_input_hash"), row)
    texts = {name: str(value) for name in _TEXTS if (value := given(task.get(name), meta.get(name))) is not None}
    annotator = given(task.get("_annotator_id"), task.get("_session_id"), "annotator")
    response = given(task.get("response"), task.get("text"))
    reason = given(task.get("rationale"), task.get("reason"), task.get("comment"), default="")
    shown = {} if response is None else {"response": str(response)}
    return {**texts, **shown, "item": str(item), "annotator": str(annotator), "role": "human", "rationale": str(reason)}


def _meta(task: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = task.get("meta")
    return meta if isinstance(meta, Mapping) else {}
