"""DeepEval's G-Eval metrics: ``{name, criteria | evaluation_steps, rubric?, threshold?}``.

Source: deepeval's GEval. Its rubric lists ``{score_range: [low, high], expected_outcome}`` on 0 to 10: each is a level
of a scale, worth the middle of its range. Without a rubric each step, or the criteria as a whole, is met or not.
"""

from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.record import slug, wrong_shape
from judge_server.authoring.interchange.rows import rubric_of
from judge_server.authoring.parsing import from_data
from judge_server.core.rubric import Rubric

_SHAPE = "A metric holds name, and criteria or evaluation_steps."


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of one metric."""
    if not isinstance(record, Mapping):
        raise wrong_shape(where, "a metric is not an object", _SHAPE)
    name = str(record.get("name") or "G-Eval metric")
    made_id = rubric_id or f"geval/{slug(name, set())}"
    criteria, steps = record.get("criteria"), record.get("evaluation_steps") if "evaluation_steps" in record else None
    levels = record.get("rubric") if "rubric" in record else None
    if isinstance(levels, list) and levels and isinstance(criteria, str):
        scale = {"id": slug(name, set()), "kind": "scale", "statement": criteria, "options": [*map(_level, levels)]}
        if isinstance(steps, list) and steps:
            scale["guidance"] = "\n".join(map(str, steps))
        data = {"id": made_id, "version": "1.0.0", "title": name[:200], "criteria": [scale]}
        return from_data(data, file=where).rubric
    entries = steps if isinstance(steps, list) and steps else [criteria] if isinstance(criteria, str) else []
    if not entries:
        raise wrong_shape(where, "a metric has neither criteria nor evaluation_steps", _SHAPE)
    return rubric_of(list(entries), where, made_id, title=name[:200])


def _level(level: Any) -> dict[str, Any]:
    low, high = level.get("score_range")
    outcome = str(level.get("expected_outcome"))
    return {"label": f"{low}-{high}" if low != high else str(low), "value": (low + high) / 20, "description": outcome}
