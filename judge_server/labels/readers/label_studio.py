"""Exports of Label Studio (JSON): tasks with their annotations and predictions.

A control's ``from_name`` is the criterion; ``completed_by`` the annotator; predictions are judges. A cancelled
annotation abstains on every criterion of the export. A text area called rationale, reason, comment or explanation (or
CRITERION_rationale …) is the rationale of the annotation's labels.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.layout import SAW_JUDGE
from judge_server.labels.readers.records import Record
from judge_server.labels.readers.word import given

_CHOICES: Final = {"choices": "choices", "rating": "rating", "number": "number", "taxonomy": "taxonomy"}
RATIONALES: Final = ("rationale", "reason", "comment", "explanation")
TEXTS: Final = {
    "prompt": ("prompt", "question", "instruction", "input"),
    "response": ("response", "answer", "completion", "output", "text"),
    "reference": ("reference", "reference_answer"),
    "writer": ("writer", "model"),
    "language": ("language",),
    "tags": ("tags",),
    "cluster": ("cluster", "prompt_id", "question_id"),
}


def is_export(record: Mapping[str, Any]) -> bool:
    return isinstance(record.get("annotations"), list) and isinstance(record.get("data"), Mapping)


def long_records(tasks: Sequence[Record], findings: LabelFindings) -> Iterator[Record]:
    """One record per label, in the long format; rows are the tasks' indices in the export."""
    criteria = list(dict.fromkeys(name for _, task in tasks for name in _criteria(task)))
    for row, task in tasks:
        base = _base(row, task)
        if base is None:
            findings.add(row, "data", "the task has no data", "Export with the format JSON (not JSON-MIN).")
            continue
        for place, annotation in enumerate(_mappings(task.get("annotations")), 1):
            annotator = _annotator(annotation.get("completed_by"), place)
            who = {**base, "annotator": annotator, "role": "human"}
            if annotation.get("was_cancelled"):
                yield from ((row, {**who, "criterion": criterion, "label": ""}) for criterion in criteria)
                continue
            yield from _labels(row, annotation, who, findings)
        for prediction in _mappings(task.get("predictions")):
            who = {**base, "annotator": str(given(prediction.get("model_version"), "prediction")), "role": "judge"}
            yield from _labels(row, prediction, who, findings)


def _base(row: int, task: Mapping[str, Any]) -> dict[str, Any] | None:
    data = task.get("data")
    if not isinstance(data, Mapping):
        return None
    item = given(data.get("item"), data.get("item_id"), data.get("id"), task.get("id"), row)
    base: dict[str, Any] = {"item": str(item)}
    for field, names in TEXTS.items():
        value = given(*(data.get(name) for name in names))
        if value is not None:
            base[field] = value if isinstance(value, str | list) else str(value)
    if isinstance(data.get("facts"), Mapping):
        base["facts"] = data["facts"]
    if any(annotation.get("ground_truth") for annotation in _mappings(task.get("annotations"))):
        base["tags"] = [*_tags(base.get("tags")), "ground_truth"]
    return base


def _tags(tags: Any) -> list[str]:
    return [str(tag) for tag in tags] if isinstance(tags, list) else [str(tags)] if given(tags) is not None else []


def _criteria(task: Mapping[str, Any]) -> Iterator[str]:
    for annotation in _mappings(task.get("annotations")):
        for result in _mappings(annotation.get("result")):
            if str(result.get("type")) in _CHOICES:
                yield str(result.get("from_name"))


def _labels(
    row: int, annotation: Mapping[str, Any], who: Mapping[str, Any], findings: LabelFindings
) -> Iterator[Record]:
    results = list(_mappings(annotation.get("result")))
    reasons = {str(result.get("from_name")): _text(result) for result in results if result.get("type") == "textarea"}
    for result in results:
        key = _CHOICES.get(str(result.get("type")))
        if key is None:
            continue
        criterion = str(result.get("from_name"))
        label = _label(result.get("value"), key)
        if isinstance(label, list):
            findings.add(
                row,
                criterion,
                f"{who['annotator']!r} chose {len(label)} labels at once",
                "A criterion takes one label: make the control single-choice, or use one control for each label.",
            )
            continue
        said = {"criterion": criterion, "label": label, "rationale": _reason(criterion, reasons)}
        yield row, {**who, **said, SAW_JUDGE: reasons.get(f"{criterion}_{SAW_JUDGE}", "")}


def _label(value: Any, key: str) -> Any:
    """The one label chosen, None for none, or the list of several."""
    chosen = value.get(key) if isinstance(value, Mapping) else None
    if key == "taxonomy" and isinstance(chosen, list):
        chosen = ["/".join(map(str, path)) if isinstance(path, list) else path for path in chosen]
    if isinstance(chosen, list):
        return chosen if len(chosen) > 1 else chosen[0] if chosen else None
    return chosen


def _reason(criterion: str, reasons: Mapping[str, str]) -> str:
    own = [reasons.get(f"{criterion}_{name}", "") for name in RATIONALES]
    shared = [reasons.get(name, "") for name in RATIONALES]
    return next((text for text in (*own, *shared) if text), "")


def _text(result: Mapping[str, Any]) -> str:
    value = result.get("value")
    text = value.get("text") if isinstance(value, Mapping) else None
    return "\n".join(map(str, text)) if isinstance(text, list) else "" if text is None else str(text)


def _annotator(who: Any, place: int) -> str:
    """A number, or an object for the user: exports use both."""
    if isinstance(who, Mapping):
        who = given(who.get("email"), who.get("username"), who.get("id"))
    return str(given(who, f"annotator-{place}"))


def _mappings(values: Any) -> Iterator[Mapping[str, Any]]:
    return (value for value in values if isinstance(value, Mapping)) if isinstance(values, list) else iter(())
