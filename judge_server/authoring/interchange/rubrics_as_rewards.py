"""Lists in the manner of Rubrics as Rewards (2507.17746): ``{title, description, weight}`` or a category each.

The explicit score is the weighted share of what is met. A category without a number stands for Essential 1.0, Important
0.7, Optional 0.3, Pitfall 0.9, pitfalls being phrased positively. A number given is kept, negative ones too.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.record import losses_of, slug, wrong_shape
from judge_server.authoring.parsing import from_data
from judge_server.core.rubric import Rubric

WEIGHTS = {"essential": 1.0, "important": 0.7, "optional": 0.3, "pitfall": 0.9}
_KEPT = frozenset(("statements", "negative points", "aggregate weighted_mean", "aggregate points"))
_SHAPE = "A list holds {title, description, weight} or {description, category: Essential|Important|Optional|Pitfall}."
_PREFIX = re.compile(r"\s*(essential|important|optional|pitfall)(?: criteri(?:a|on))?\s*:\s*", re.IGNORECASE)
_TAG = "importance:"


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of a list, or of a row with a list under rubric, rubrics or rubric_list."""
    entries = _entries(record)
    if not isinstance(entries, list) or not entries:
        raise wrong_shape(where, "there is no list of rubric entries", _SHAPE)
    taken: set[str] = set()
    criteria = [_criterion(entry, taken, where) for entry in entries]
    signed = any(isinstance(one["points"], int | float) and one["points"] < 0 for one in criteria)
    question = record.get("question") if isinstance(record, Mapping) else None
    data: dict[str, Any] = {
        "id": rubric_id or f"rubrics-as-rewards/row-{where.rsplit(':', 1)[-1]}",
        "version": "1.0.0",
        "title": str(question).strip()[:200] if question else "Imported rubric",
        "aggregate": {"kind": "points" if signed else "weighted_mean"},
        "criteria": criteria,
    }
    return from_data(data, file=where).rubric


def _entries(record: Any) -> Any:
    if isinstance(record, Mapping):
        record = next((record[name] for name in ("rubric", "rubrics", "rubric_list") if name in record), None)
    if isinstance(record, str):  # data sets keep the list as JSON in a text column
        try:
            return json.loads(record)
        except (ValueError, RecursionError):
            return None
    return record


def _criterion(entry: Any, taken: set[str], where: str) -> dict[str, Any]:
    if not isinstance(entry, Mapping):
        raise wrong_shape(where, "an entry is not an object", _SHAPE)
    title = str(entry.get("title") or entry.get("name") or "")
    text = next((str(entry[name]) for name in ("description", "criterion", "text") if entry.get(name)), title)
    category = str(entry.get("category") or entry.get("importance") or "").strip().lower()
    if prefix := _PREFIX.match(text):
        category, text = category or prefix.group(1).lower(), text[prefix.end() :]
    weight = next((entry[name] for name in ("weight", "points") if entry.get(name) is not None), WEIGHTS.get(category))
    if not text.strip() or weight is None:
        raise wrong_shape(where, "an entry lacks a description, or both weight and category", _SHAPE)
    criterion = {"id": slug(title or text, taken), "statement": text.strip(), "points": weight}
    return {**criterion, "tags": [f"{_TAG}{category}"]} if category in WEIGHTS else criterion


def write(rubric: Rubric) -> list[dict[str, Any]]:
    """The list; the category where an ``importance:`` tag names one."""
    written = []
    for leaf in rubric.leaves:
        entry = {"title": leaf.id.replace("_", " "), "description": leaf.statement, "weight": leaf.points}
        category = next((tag.removeprefix(_TAG) for tag in leaf.tags if tag.startswith(_TAG)), None)
        written.append({**entry, "category": category.capitalize()} if category else entry)
    return written


def losses(rubric: Rubric) -> list[str]:
    kept = set(_KEPT)
    if all(tag.startswith(_TAG) for leaf in rubric.leaves for tag in leaf.tags):
        kept.add("tags")
    return losses_of(rubric, kept)
