"""One scale of 1 to 5 with a description of each level: Prometheus and BiGGen Bench.

Sources: Prometheus' feedback collection (arXiv 2310.08491), ``{orig_instruction, orig_criteria,
orig_score1_description, …}``; BiGGen Bench (arXiv 2406.05761), ``{input, score_rubric: {criteria, …}}``. The level is
the score, and (score - 1) / 4 its value.
"""

from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.record import first_given, slug, wrong_shape
from judge_server.authoring.parsing import from_data
from judge_server.core.rubric import Rubric

_LEVELS = range(1, 6)
_SHAPE = "A row holds criteria and score1_description to score5_description, perhaps below score_rubric or with orig_."


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of one row: a single criterion on five levels."""
    holder = levels_of(record)
    if holder is None:
        raise wrong_shape(where, "there are no five described levels", _SHAPE)
    fields, prefix = holder
    statement = str(first_given(fields.get(f"{prefix}criteria"), default="The quality of the response.")).strip()
    told = {level: str(fields.get(f"{prefix}score{level}_description")) for level in _LEVELS}
    options = [{"label": str(level), "value": (level - 1) / 4, "description": told[level]} for level in _LEVELS]
    data: dict[str, Any] = {
        "id": rubric_id or f"score-rubric/row-{where.rsplit(':', 1)[-1]}",
        "version": "1.0.0",
        "title": statement[:200],
        "criteria": [{"id": slug(statement, set()), "kind": "scale", "statement": statement, "options": options}],
    }
    return from_data(data, file=where).rubric


def levels_of(record: Any) -> tuple[Mapping[str, Any], str] | None:
    """Where the levels stand, and the prefix of their names."""
    if not isinstance(record, Mapping):
        return None
    inner = record.get("score_rubric") if "score_rubric" in record else None
    for fields in (record, inner):
        for prefix in ("", "orig_"):
            if isinstance(fields, Mapping) and all(f"{prefix}score{level}_description" in fields for level in _LEVELS):
                return fields, prefix
    return None
