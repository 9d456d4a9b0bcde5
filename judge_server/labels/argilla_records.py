"""Label sets as records of Argilla (version 2, like ``records.to_json``), which ``calibrate import`` reads back.

A criterion is a question, a person's label a response, an abstention a discarded response. A record has one suggestion
for each question: of several judges only the named one is carried.
"""

from typing import Any

from judge_server.core.errors import BadInput
from judge_server.labels.label import Item, Label
from judge_server.labels.label_set import LabelSet

_FIELDS = ("prompt", "response", "reference")


def argilla_records(labels: LabelSet, judge: str | None = None) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The records, and what the format cannot carry, with counts. Raises BadInput if several judges labelled and none
    is named."""
    judges = labels.table.annotators_of("judge")
    if judge is None and len(judges) > 1:
        raise BadInput(
            f"The labels have {len(judges)} judges, and a record of Argilla carries one: {', '.join(judges)}.",
            remedy="Name it with --judge.",
        )
    chosen = judge or next(iter(judges), None)
    lost = {"labels of other judges": 0, "rationales": 0, "invalid labels": 0, "labels by programs": 0}
    lost |= {"abstentions of judges": 0, "marks that the judge's answer was seen": 0}
    found: dict[str, dict[str, Any]] = {}
    for label in labels.table:
        record = found.setdefault(label.item, _record(labels, label))
        if label.role == "human" and label.status != "invalid":
            lost["rationales"] += label.rationale is not None
            lost["marks that the judge's answer was seen"] += label.saw_judge
            status = "discarded" if label.label is None else "submitted"
            answer = {"value": label.label, "user_id": label.annotator, "status": status}
            record["responses"].setdefault(label.criterion, []).append(answer)
        elif label.role == "judge" and label.annotator == chosen and label.label is not None:
            lost["rationales"] += label.rationale is not None
            suggestion = {"value": label.label, "agent": label.annotator, "score": label.probability}
            record["suggestions"][label.criterion] = suggestion
        else:
            lost[_why(label, chosen)] += 1
    return list(found.values()), {what: count for what, count in lost.items() if count}


def _why(label: Label, chosen: str | None) -> str:
    if label.role == "check":
        return "labels by programs"
    if label.status == "invalid":
        return "invalid labels"
    return "abstentions of judges" if label.annotator == chosen else "labels of other judges"


def _record(labels: LabelSet, label: Label) -> dict[str, Any]:
    item = labels.items.get(label.item, Item(id=label.item))
    texts = item.model_dump(exclude={"id"}, exclude_defaults=True, mode="json")
    fields = {name: texts.pop(name) for name in _FIELDS if name in texts}
    cluster = {} if label.cluster == label.item else {"cluster": label.cluster}
    metadata = {"item": label.item, **texts, **cluster}
    return {"id": label.item, "fields": fields, "metadata": metadata, "responses": {}, "suggestions": {}}
