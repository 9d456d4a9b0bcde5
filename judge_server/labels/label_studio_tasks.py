"""Label sets as tasks of Label Studio (format JSON), which ``calibrate import`` reads back.

A person is an annotation by ``completed_by``, a judge a prediction by ``model_version``; a label is a single choice
from the control that is called like its criterion, the rationale a text area ``CRITERION_rationale``. Labels that were
given after seeing what a judge said have a text area ``CRITERION_saw_judge``.
"""

from collections.abc import Iterator
from typing import Any

from judge_server.labels.label import Item, Label
from judge_server.labels.label_set import LabelSet
from judge_server.labels.readers.layout import SAW_JUDGE


def label_studio_tasks(labels: LabelSet) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The tasks, and what the format cannot carry, with counts."""
    by_item: dict[str, dict[tuple[str, str], list[Label]]] = {}
    lost = {"abstentions": 0, "invalid labels": 0, "probabilities of judges": 0, "labels by programs": 0}
    for label in labels.table:
        people = by_item.setdefault(label.item, {})
        if label.role == "check":
            lost["labels by programs"] += 1
        elif label.label is None:
            lost["invalid labels" if label.status == "invalid" else "abstentions"] += 1
        else:
            lost["probabilities of judges"] += label.probability is not None or label.probabilities is not None
            people.setdefault((label.role, label.annotator), []).append(label)
    tasks = [_task(labels, name, people) for name, people in by_item.items()]
    return tasks, {what: count for what, count in lost.items() if count}


def _task(labels: LabelSet, name: str, people: dict[tuple[str, str], list[Label]]) -> dict[str, Any]:
    annotations = [
        {"completed_by": {"username": annotator}, "result": list(_results(given))}
        for (role, annotator), given in people.items()
        if role == "human"
    ]
    predictions = [
        {"model_version": annotator, "result": list(_results(given))}
        for (role, annotator), given in people.items()
        if role == "judge"
    ]
    return {"data": _data(labels, name, people), "annotations": annotations, "predictions": predictions}


def _data(labels: LabelSet, name: str, people: dict[tuple[str, str], list[Label]]) -> dict[str, Any]:
    item = labels.items.get(name, Item(id=name))
    data = item.model_dump(exclude={"id"}, exclude_defaults=True, mode="json")
    cluster = next((label.cluster for given in people.values() for label in given), name)
    return {"item": name, **data, **({} if cluster == name else {"cluster": cluster})}


def _results(given: list[Label]) -> Iterator[dict[str, Any]]:
    for label in given:
        base = {"from_name": label.criterion, "to_name": "response"}
        yield {**base, "type": "choices", "value": {"choices": [label.label]}}
        if label.rationale:
            named = {**base, "from_name": f"{label.criterion}_rationale"}
            yield {**named, "type": "textarea", "value": {"text": [label.rationale]}}
        if label.saw_judge:
            named = {**base, "from_name": f"{label.criterion}_{SAW_JUDGE}"}
            yield {**named, "type": "textarea", "value": {"text": ["true"]}}
