"""LLM-Rubric: human ratings of conversations, and a judge's probability of each answer."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from judge_server.labels.label import CriterionScale
from judge_server.labels.readers.delimited import Fields, rows
from judge_server.labels.readers.records import Record
from judge_server.labels.readers.word import number_of

JUDGE: Final = "gpt-3.5-turbo-16k"
SCALES: Final = (CriterionScale(criterion="Q0", kind="ordinal", classes=("1", "2", "3", "4")),)
_QUESTION: Final = re.compile(r"Q\d+")
_SHARE: Final = re.compile(r"answer(\d+)_prob")


def records(paths: Sequence[Path]) -> Iterator[Record]:
    """The judge's label is its most likely answer, with the probability of each answer; the judge's sampled answers
    count as a separate judge."""
    for path in paths:
        for row, fields in rows(path, ("text_id",)):
            item = {"item": fields["text_id"]}
            if fields.get("dialogue_system"):
                item["writer"] = f"system_{fields['dialogue_system']}"
            if "annotator_id" in fields:
                who = {**item, "annotator": f"person_{fields['annotator_id']}", "role": "human"}
                for name, label in fields.items():
                    if _QUESTION.fullmatch(name):
                        yield row, {**who, "criterion": name, "label": label}
            yield from ((row, {**item, **said}) for said in _judged(fields))


def _judged(fields: Fields) -> Iterator[dict[str, object]]:
    shares = {
        found.group(1): share
        for name, text in fields.items()
        if (found := _SHARE.fullmatch(name)) and (share := number_of(text)) is not None
    }
    about = {"criterion": fields.get("criterion", "Q0"), "role": "judge"}
    if shares:
        likeliest = max(shares, key=lambda answer: shares[answer])
        yield {**about, "annotator": JUDGE, "label": likeliest, "probabilities": shares}
    if "sample_llm" in fields:
        yield {**about, "annotator": f"{JUDGE}/sampled", "label": fields["sample_llm"]}
