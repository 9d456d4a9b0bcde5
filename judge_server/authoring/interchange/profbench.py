"""ProfBench rows: ``{task_id, domain, prompt, rubrics: [{criterion_description, criterion_weight, criterion_type}]}``.

Source: NVIDIA's ProfBench (arXiv 2510.18941) and its scorer: the weights Critical, Major, Minor and Additional count 4,
3, 2 and 1, and the score is the weighted share of what is met.
"""

from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.record import wrong_shape
from judge_server.authoring.interchange.rows import entries_of, rubric_of
from judge_server.core.rubric import Rubric

WEIGHTS = {"critical": 4, "major": 3, "minor": 2, "additional": 1}
_SHAPE = "An entry is {criterion_description, criterion_weight: Critical|Major|Minor|Additional, criterion_type}."


def fits(record: Any) -> bool:
    """Whether each entry has a description and one of the four weights in words."""
    entries = entries_of(record)
    return bool(entries) and all(isinstance(one, Mapping) and _weight(one) is not None for one in entries)


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of one row; the types of a criterion become tags."""
    entries = entries_of(record)
    if not entries:
        raise wrong_shape(where, "there are no rubrics", _SHAPE)
    made = [_entry(entry, where) for entry in entries]
    return rubric_of(made, where, rubric_id or f"profbench/row-{where.rsplit(':', 1)[-1]}")


def _entry(entry: Any, where: str) -> dict[str, Any]:
    text = entry.get("criterion_description") if isinstance(entry, Mapping) else None
    weight = _weight(entry) if isinstance(entry, Mapping) else None
    if not isinstance(text, str) or weight is None:
        raise wrong_shape(where, "an entry lacks a description or one of the four weights", _SHAPE)
    entry.get("criterion_weight")
    kinds = entry.get("criterion_type") if "criterion_type" in entry else None
    tags = [str(kind) for kind in (kinds if isinstance(kinds, list) else [kinds]) if kind]
    return {"criterion": text, "weight": weight, "tags": tags}


def _weight(entry: Mapping[str, Any]) -> int | None:
    given = entry.get("criterion_weight")
    return WEIGHTS.get(given.strip().lower()) if isinstance(given, str) else None
