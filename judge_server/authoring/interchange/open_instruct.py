"""open-instruct rows: ``{messages, ground_truth, dataset}``, the rubric in ``ground_truth`` as an object or JSON text.

Source: the ground truths of its rubric verifier, ``{query, rubrics: [{description, weight, title?}], types?}``, one or
a list of one.
"""

from collections.abc import Mapping
from typing import Any

from judge_server.authoring.interchange.record import wrong_shape
from judge_server.authoring.interchange.row import submission_of as row_submission
from judge_server.authoring.interchange.rows import are_criteria, entries_of, rubric_of
from judge_server.authoring.interchange.tracked import parsed, unpacked
from judge_server.core.rubric import Rubric

_SHAPE = "A row is {messages, ground_truth: {query, rubrics: [{description, weight}]}}; the truth may be JSON text."


def read(record: Any, where: str, rubric_id: str = "") -> Rubric:
    """The rubric of one row."""
    entries = entries_of(_truth(record))
    if not entries:
        raise wrong_shape(where, "ground_truth holds no list of rubrics", _SHAPE)
    return rubric_of(entries, where, rubric_id or f"open-instruct/row-{where.rsplit(':', 1)[-1]}")


def holds_rubrics(record: Any) -> bool:
    """Whether the ground truth of a row is a rubric."""
    truth = _truth(record)
    return are_criteria(truth) if isinstance(truth, list) else bool(entries_of(truth))


def submission_of(record: Any) -> dict[str, Any]:
    """As of every row; the ground truth is the rubric, no reference."""
    found = row_submission(record)
    found.pop("reference", None)
    truth = _truth(record)
    query = truth.get("query") if isinstance(truth, Mapping) else None
    return {"prompt": query, **found} if isinstance(query, str) and query else found


def _truth(record: Any) -> Any:
    truth = parsed(record, "ground_truth") if isinstance(record, Mapping) else None
    for _ in range(2):  # text of a list of text
        if isinstance(truth, list) and len(truth) == 1:
            truth[0] = unpacked(truth[0])
            truth = truth[0]
    return truth
