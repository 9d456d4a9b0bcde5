"""DeepEval's G-Eval metrics: ``{name, criteria | evaluation_steps, rubric?, threshold?}``.

Source: deepeval's GEval. Its rubric lists ``{score_range: [low, high], expected_outcome}`` on 0 to 10: each is a level
of a scale, worth the middle of its range. Without a rubric each step, or the criteria as a whole, is met or not.
"""

from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.entry import number_of
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
        scale = {"id": slug(name, set()), "kind": "scale", "statement": criteria, "options": _options(levels, where)}
        if isinstance(steps, list) and steps:
            scale["guidance"] = "\n".join(map(str, steps))
        data = {"id": made_id, "version": "1.0.0", "title": name[:200], "criteria": [scale]}
        return from_data(data, file=where).rubric
    entries = steps if isinstance(steps, list) and steps else [criteria] if isinstance(criteria, str) else []
    if not entries:
        raise wrong_shape(where, "a metric has neither criteria nor evaluation_steps", _SHAPE)
    return rubric_of(list(entries), where, made_id, title=name[:200])


def _options(levels: list[Any], where: str) -> list[dict[str, Any]]:
    """From worst to best, in whatever order they were given."""
    return sorted((_level(level, where) for level in levels), key=lambda option: float(option["value"]))


def _level(level: Any, where: str) -> dict[str, Any]:
    bounds = level.get("score_range") if isinstance(level, Mapping) else None
    outcome = level.get("expected_outcome") if isinstance(level, Mapping) else None
    numbers = [number_of(one) for one in bounds] if isinstance(bounds, list) and len(bounds) == 2 else []
    low, high = numbers if len(numbers) == 2 else (None, None)
    if low is None or high is None or not 0 <= low <= high <= 10 or not isinstance(outcome, str):
        raise wrong_shape(where, "a level lacks score_range [low, high] within 0 and 10 or expected_outcome", _SHAPE)
    return {"label": f"{low}-{high}" if low != high else str(low), "value": (low + high) / 20, "description": outcome}
