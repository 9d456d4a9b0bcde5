"""Checklists: questions of equal weight, each met or not.

Sources: WildBench (arXiv 2406.04770), ``{conversation_input, checklist: [question]}``; InFoBench (arXiv 2401.03601),
``{instruction, input, decomposed_questions, question_label}``.
"""

from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.record import wrong_shape
from judge_server.authoring.interchange.row import submission_of as row_submission
from judge_server.authoring.interchange.rows import rubric_of, with_weights
from judge_server.authoring.interchange.tracked import parsed
from judge_server.core.rubric import Rubric

_LISTS = ("checklist", "decomposed_questions", "checklists", "questions")
_SHAPE = "A row holds a list of questions under checklist or decomposed_questions."


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of one row."""
    name = next((one for one in _LISTS if isinstance(record, Mapping) and one in record), None)
    entries = parsed(record, name) if name else None
    if not isinstance(entries, list) or not entries:
        raise wrong_shape(where, "there is no checklist", _SHAPE)
    labels = parsed(record, "question_label") if "question_label" in record else None
    made = [
        {"criterion": entry, "tags": labels[place] if isinstance(labels, list) and place < len(labels) else []}
        if isinstance(entry, str)
        else entry
        for place, entry in enumerate(entries)
    ]
    made = with_weights(made, record, where)
    return rubric_of(made, where, rubric_id or f"checklist/row-{where.rsplit(':', 1)[-1]}")


def submission_of(record: Any) -> dict[str, Any]:
    """As of every row; InFoBench's instruction stands before its input, WildBench's turns under conversation_input."""
    if isinstance(record, Mapping) and "decomposed_questions" in record:
        parts = [record.get(name) for name in ("instruction", "input")]
        found = row_submission(record)
        return found | {"prompt": "\n\n".join(part for part in parts if isinstance(part, str) and part.strip())}
    if isinstance(record, Mapping) and "conversation_input" in record:
        return row_submission({"prompt": record.get("conversation_input")}) | row_submission(record)
    return row_submission(record)
