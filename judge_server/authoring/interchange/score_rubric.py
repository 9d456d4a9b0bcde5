"""One scale, usually of 1 to 5, with a description of each level: Prometheus and BiGGen Bench.

Sources: Prometheus' feedback collection (arXiv 2310.08491), ``{orig_instruction, orig_criteria,
orig_score1_description, …}``; BiGGen Bench (arXiv 2406.05761), ``{input, score_rubric: {criteria, …}}``. The level is
the score; the lowest is worth 0, the highest 1, those between in even steps.
"""

import re
from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.record import first_given, slug, wrong_shape
from judge_server.authoring.interchange.tracked import parsed
from judge_server.authoring.parsing import from_data
from judge_server.core.rubric import Rubric

_NAME = re.compile(r"(?P<prefix>orig_)?score(?P<level>\d{1,2})_description")
_SHAPE = "A row holds criteria and score1_description to score5_description, perhaps below score_rubric or with orig_."
_FEWEST = 2


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of one row: a single criterion on its levels, which have to follow each other."""
    holder = levels_of(record)
    if holder is None:
        raise wrong_shape(where, "there are no described levels", _SHAPE)
    fields, prefix, levels = holder
    if levels != list(range(levels[0], levels[0] + len(levels))):
        raise wrong_shape(where, f"between the levels {', '.join(map(str, levels))} one is missing", _SHAPE)
    told = {level: fields.get(f"{prefix}score{level}_description") for level in levels}
    if not all(isinstance(text, str) for text in told.values()):
        raise wrong_shape(where, "a level has no description", _SHAPE)
    statement = str(first_given(fields.get(f"{prefix}criteria"), default="The quality of the response.")).strip()
    span = levels[-1] - levels[0]
    options = [
        {"label": str(level), "value": (level - levels[0]) / span, "description": told[level]} for level in levels
    ]
    data: dict[str, Any] = {
        "id": rubric_id or f"score-rubric/row-{where.rsplit(':', 1)[-1]}",
        "version": "1.0.0",
        "title": statement[:200],
        "criteria": [{"id": slug(statement, set()), "kind": "scale", "statement": statement, "options": options}],
    }
    return from_data(data, file=where).rubric


def levels_of(record: Any) -> tuple[Mapping[str, Any], str, list[int]] | None:
    """Where the levels stand, the prefix of their names, and the levels in order."""
    if not isinstance(record, Mapping):
        return None
    inner = parsed(record, "score_rubric") if "score_rubric" in record else None
    for fields in (record, inner):
        for prefix in ("", "orig_"):
            names = fields if isinstance(fields, Mapping) else {}
            found = [match for name in names if (match := _NAME.fullmatch(str(name)))]
            levels = sorted(int(match["level"]) for match in found if (match["prefix"] or "") == prefix)
            if isinstance(fields, Mapping) and len(levels) >= _FEWEST:
                return fields, prefix, levels
    return None
