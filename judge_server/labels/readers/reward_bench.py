"""RewardBench 2 (allenai/reward-bench-2): a prompt with right (``chosen``) and wrong (``rejected``) completions.

Each completion is an item, ``correct`` the criterion, yes or no the label, and the data set the one human annotator:
its makers decided. A judge's labels on the same items are compared with these.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.healthbench import conversation_text
from judge_server.labels.readers.records import Record
from judge_server.labels.readers.word import given
from judge_server.util.canonical import digest

_SIDES: Final = (("chosen", "yes"), ("rejected", "no"))
_ANNOTATOR: Final = "reward-bench-2"


def recognizes(record: Mapping[str, Any]) -> bool:
    """Both sides are lists of completions; ``subset`` names the part of the benchmark."""
    sides = all(isinstance(record.get(side), list) for side, _ in _SIDES)
    return sides and "prompt" in record and "subset" in record


def long_records(rows: Sequence[Record], findings: LabelFindings) -> Iterator[Record]:
    """One record for each completion."""
    unnamed = 0
    for row, record in rows:
        sides = [(record.get(side), label) for side, label in _SIDES]
        if not all(isinstance(texts, list) for texts, _ in sides):
            findings.add(row, "chosen", "chosen and rejected are not lists", "Use a file of RewardBench 2 as it is.")
            continue
        prompt = conversation_text(record.get("prompt"))
        name = str(given(record.get("id"), digest(prompt)[7:23]))
        base = {"annotator": _ANNOTATOR, "role": "human", "criterion": "correct", "cluster": name, "prompt": prompt}
        tags = [str(record["subset"])] if isinstance(record.get("subset"), str) else []
        unnamed += isinstance(record.get("models"), list)
        place = 0
        for texts, label in sides:
            for text in texts if isinstance(texts, list) else ():
                place += 1
                shown = {"item": f"{name}/{place}", "response": conversation_text(text), "tags": tags}
                yield row, {**base, **shown, "label": label}
    if unnamed:
        findings.notes.append("The models of RewardBench 2 are not read: they are listed by prompt.")
