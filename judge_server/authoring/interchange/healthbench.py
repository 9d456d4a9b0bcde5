"""HealthBench rows: ``{prompt, rubrics: [{criterion, points, tags}], prompt_id?, example_tags?}``.

The score is the sum of points met over the sum of the positive points, unclipped for a single row.
"""

import re
from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.entry import criterion_of
from judge_server.authoring.interchange.identity import DESCRIPTIVE, identified, identity_of
from judge_server.authoring.interchange.record import first_given, losses_of, slug, wrong_shape
from judge_server.authoring.interchange.tracked import parsed
from judge_server.authoring.parsing import from_data
from judge_server.core.criterion import AnyLeaf
from judge_server.core.rubric import Rubric

_KEPT = frozenset(("statements", "tags", "negative points", "aggregate points"))
_SHAPE = "A row is {prompt, rubrics: [{criterion, points, tags}]}."
_ID = re.compile(r"[a-z0-9][a-z0-9_-]*\Z")


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of one row. Raises BadInput for another structure, BadRubric for content that is not valid in a
    rubric."""
    rows = parsed(record, "rubrics") if isinstance(record, Mapping) else None
    if not isinstance(rows, list) or not rows:
        raise wrong_shape(where, "there is no list of rubrics", _SHAPE)
    taken: set[str] = set()
    name = rubric_id or f"healthbench/{_name(record, where)}"
    title = f"HealthBench {name.rsplit('/', 1)[-1]}"
    data: dict[str, Any] = {
        **identified(record, rubric_id, id=name, version="1.0.0", title=title, domain="medical"),
        "aggregate": {"kind": "points"},
        "criteria": [_criterion(row, taken, where) for row in rows],
    }
    return from_data(data, file=where).rubric


def _name(record: Mapping[str, Any], where: str) -> str:
    given = str(first_given(record.get("prompt_id"), default="")).lower()
    return given if _ID.match(given) else f"row-{where.rsplit(':', 1)[-1]}"


def _criterion(row: Any, taken: set[str], where: str) -> dict[str, Any]:
    if not isinstance(row, Mapping) or not isinstance(row.get("criterion"), str) or "points" not in row:
        raise wrong_shape(where, "an entry of rubrics lacks criterion or points", _SHAPE)
    return criterion_of(row, taken, where, default_weight=None)


def write(rubric: Rubric) -> dict[str, Any]:
    """One row, without a prompt: a rubric has none."""
    taken: set[str] = set()
    return {
        "prompt_id": rubric.id.removeprefix("healthbench/"),
        "prompt": [],
        "rubrics": [_written(leaf, taken) for leaf in rubric.leaves],
        "example_tags": [],
        **identity_of(rubric),
    }


def _written(leaf: AnyLeaf, taken: set[str]) -> dict[str, Any]:
    """An entry; with its id if that is not the one that reading makes of the statement."""
    entry = {"criterion": leaf.statement, "points": leaf.points, "tags": list(leaf.tags)}
    return entry if slug(leaf.statement, taken) == leaf.id else {**entry, "id": leaf.id}


def losses(rubric: Rubric) -> list[str]:
    return losses_of(rubric, _KEPT | DESCRIPTIVE)
