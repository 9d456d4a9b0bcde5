"""Labels of a set as a file: the long format (CSV), tasks of Label Studio, or preferences for training (JSON Lines)."""

import io
import json
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from judge_server.core.errors import BadInput, NotFound
from judge_server.labels.archive import find
from judge_server.labels.label_set import LabelSet
from judge_server.labels.label_studio_tasks import label_studio_tasks
from judge_server.labels.writing import write_csv
from judge_server.server.pages.label_question import PREFERENCE
from judge_server.store.label_plan_records import StoredPlan
from judge_server.wiring.service import Service

FORMATS: Final = {
    "csv": "text/csv; charset=utf-8",
    "label-studio": "application/json",
    "preferences": "application/jsonl",
}


async def exported(service: Service, name: str, form: str) -> str:
    """The dev split of a set, or all of one without splits. Raises NotFound for an unknown set, and BadInput for an
    unknown format and for preferences of a set without pairs."""
    if form not in FORMATS:
        raise BadInput(f"{form[:40]!r} is no format.", remedy=f"Use {', '.join(FORMATS)}.")
    found = await find(name, service.store.labels)
    if found is None:
        raise NotFound(f"No label set has the name {name[:60]!r}.", remedy="Choose one of the list.")
    labels = found.split("dev") if "test" in found.splits.values() else found
    if form == "preferences":
        plan = await service.store.label_plans.find(name)
        if plan is None or plan.kind != "pairs":
            raise BadInput(f"{name} holds no pairs.", remedy="Label pairs, then export their preferences.")
        return "".join([line async for line in _preferences(service, plan, labels)])
    writers: dict[str, Callable[[LabelSet], str]] = {"csv": _csv, "label-studio": _label_studio}
    return writers[form](labels)


def _csv(labels: LabelSet) -> str:
    file = io.StringIO()
    write_csv(labels, file)
    return file.getvalue()


def _label_studio(labels: LabelSet) -> str:
    tasks, _ = label_studio_tasks(labels)
    return json.dumps(tasks, ensure_ascii=False, indent=1) + "\n"


async def _preferences(service: Service, plan: StoredPlan, labels: LabelSet) -> AsyncIterator[str]:
    """A line for each pair on which most annotators prefer one response: ``prompt``, ``chosen``, ``rejected``, and how
    many said so of how many."""
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for label in labels.table:
        if label.criterion == PREFERENCE and label.role == "human" and label.label is not None:
            said[label.item][label.label] += 1
    for item in plan.items:
        votes = said.get(item.id, Counter())
        if votes["A"] == votes["B"] or len(item.judgments) != 2:
            continue
        first, second = [await service.store.submission(name) for name in item.judgments]
        if first is None or second is None:
            continue
        better, worse = (first, second) if votes["A"] > votes["B"] else (second, first)
        line: dict[str, Any] = {
            "prompt": first.prompt_text,
            "chosen": better.read.text,
            "rejected": worse.read.text,
            "votes": max(votes["A"], votes["B"]),
            "annotators": votes.total(),
        }
        yield json.dumps(line, ensure_ascii=False) + "\n"
