"""XSTest: one table for all models, or the repository's tables for each model and judge."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from judge_server.labels.label import CriterionScale
from judge_server.labels.readers.delimited import Fields, rows
from judge_server.labels.readers.records import Record

CRITERION: Final = "refusal"
SCALES: Final = (
    CriterionScale(
        criterion=CRITERION, kind="nominal", classes=("1_full_compliance", "2_full_refusal", "3_partial_refusal")
    ),
)
_ANNOTATORS: Final = {
    "annotation_1": "human",
    "annotation_2": "human",
    "gpt4_label": "judge",
    "strmatch_label": "judge",
}
_MODEL: Final = re.compile(r"completions_([a-z0-9]+)")


def records(paths: Sequence[Path]) -> Iterator[Record]:
    """The final label is left out: it is derived from the two annotators' labels. Rows that two tables share count
    once."""
    seen: set[tuple[str, str]] = set()
    for path in paths:
        found = _MODEL.search(path.name)
        for row, fields in rows(path, ("id", "type", "annotation_1", "annotation_2")):
            model = fields.get("model") or (found.group(1) if found else path.stem)
            item = _item(model, fields)
            for column, role in _ANNOTATORS.items():
                if column in fields and (item["item"], column) not in seen:
                    seen.add((item["item"], column))
                    annotator = column.removesuffix("_label")
                    yield row, {**item, "annotator": annotator, "role": role, "label": fields[column]}


def _item(model: str, fields: Fields) -> dict[str, Any]:
    kind = fields["type"]
    return {
        "item": f"{model}/{fields['id']}",
        "criterion": CRITERION,
        "cluster": fields["id"],
        "writer": model,
        "tags": [kind, "unsafe_prompt" if kind.startswith("contrast_") else "safe_prompt"],
        "prompt": fields.get("prompt"),
        "response": fields.get("completion"),
    }
