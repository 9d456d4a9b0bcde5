"""Scores in inspect_ai's evaluation logs, as JSON or packed (``.eval``): each scorer of each sample is a label.

Source: inspect_ai's log format. A sample's ``scores`` hold ``{value, answer, explanation}`` by scorer; C, P and I stand
for correct, partially correct and incorrect, N for no answer, which abstains. Scorers are judges: ``--role`` says
otherwise. A value of several parts is a finding.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from judge_server.authoring.interchange import inspect_scorer
from judge_server.core.errors import BadInput
from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.healthbench import conversation_text
from judge_server.labels.readers.records import Record

_GRADES: Final = {"C": "correct", "P": "partially correct", "I": "incorrect", "N": ""}


def recognizes(record: Mapping[str, Any]) -> bool:
    samples = record.get("samples")
    return isinstance(record.get("eval"), Mapping) and isinstance(samples, list)


def long_records(rows: Sequence[Record], findings: LabelFindings) -> Iterator[Record]:
    """One record for each score; samples without any are counted in a note."""
    without = 0
    for row, log in rows:
        for place, sample in enumerate(log.get("samples") or (), 1):
            scores = sample.get("scores") if isinstance(sample, Mapping) else None
            if not isinstance(scores, Mapping) or not scores:
                without += 1
                continue
            base = _base(row, place, sample, findings)
            for name, score in scores.items():
                yield row, {**base, "criterion": str(name), "annotator": str(name), **_said(row, name, score, findings)}
    if without:
        findings.notes.append(f"{without} samples of inspect_ai have no scores and are left out.")


def _base(row: int, place: int, sample: Mapping[str, Any], findings: LabelFindings) -> dict[str, Any]:
    try:
        found = inspect_scorer.submission_of({inspect_scorer.SAMPLE: sample})
    except BadInput as fault:
        findings.add(row, None, str(fault.detail), "Write the log again.")
        found = {}
    name, epoch = str(found.get("id", place)), sample.get("epoch")
    prompt = conversation_text(found.get("prompt"))
    texts: dict[str, Any] = {field: found[field] for field in ("response", "reference") if field in found}
    item = name if epoch in (None, 1) else f"{name}/{epoch}"
    return {**texts, "prompt": prompt, "item": item, "cluster": name, "role": "judge"}


def _said(row: int, name: Any, score: Any, findings: LabelFindings) -> dict[str, Any]:
    value = score.get("value") if isinstance(score, Mapping) else score
    why = score.get("explanation") if isinstance(score, Mapping) else None
    if isinstance(value, list | Mapping):
        findings.add(row, str(name), f"the score {name!r} has several values", "A criterion takes one label.")
        value = ""
    label = _GRADES.get(value, value) if isinstance(value, str) else value
    return {"label": "" if label is None else label, "rationale": why if isinstance(why, str) else ""}
