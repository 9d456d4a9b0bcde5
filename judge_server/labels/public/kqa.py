"""K-QA: a statement that a good answer must have, an answer, and the verdicts of three physicians."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from judge_server.labels.label import CriterionScale
from judge_server.labels.readers.delimited import rows
from judge_server.labels.readers.records import Record
from judge_server.util.canonical import digest

CRITERION: Final = "entailment"
SCALES: Final = (
    CriterionScale(criterion=CRITERION, kind="nominal", classes=("Contradiction", "Neutral", "Entailment")),
)
_REQUIRED: Final = ("Question", "llm_x", "answer", "claim", "label_0", "label_1", "label_2")


def records(paths: Sequence[Path]) -> Iterator[Record]:
    """The cluster is the question; the statement is the item's reference. The majority is left out because it is
    derived."""
    for path in paths:
        for row, fields in rows(path, _REQUIRED):
            question = digest(fields["Question"])[7:15]
            item = {
                "item": f"{fields['llm_x']}/{question}/{digest(fields['claim'])[7:15]}",
                "criterion": CRITERION,
                "role": "human",
                "cluster": question,
                "prompt": fields["Question"],
                "response": fields["answer"],
                "reference": fields["claim"],
                "writer": fields["llm_x"],
                "tags": [fields["category_x"]] if fields.get("category_x") else [],
            }
            for place in range(3):
                yield row, {**item, "annotator": f"physician_{place}", "label": fields[f"label_{place}"]}
