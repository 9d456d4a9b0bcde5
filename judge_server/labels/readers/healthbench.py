"""HealthBench's meta-evaluation: one completion and one criterion a line, with several physicians' verdicts.

The criterion is the row's category, with a digest of the rubric's text if one category has several texts; the cluster
is the conversation.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from judge_server.labels.label import CriterionScale
from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.form import form_of
from judge_server.labels.readers.records import Record
from judge_server.labels.readers.records import records as json_records
from judge_server.labels.readers.scale import EVERY
from judge_server.labels.readers.word import given
from judge_server.util.canonical import digest

SCALES: Final = (CriterionScale(criterion=EVERY, kind="binary", classes=("false", "true"), positive="true"),)


def records(paths: Sequence[Path]) -> Iterator[Record]:
    """Raises BadInput for lines in another format."""
    for path in paths:
        findings = LabelFindings(path.name)
        rows = list(json_records(path, form_of(path), findings))
        long = list(long_records(rows, findings))
        findings.refuse_if_any()
        yield from long


def is_meta_evaluation(record: Mapping[str, Any]) -> bool:
    return isinstance(record.get("binary_labels"), list) and "rubric" in record and "completion" in record


def long_records(rows: Sequence[Record], findings: LabelFindings) -> Iterator[Record]:
    """One record for each physician's verdict."""
    named = criterion_names([record for _, record in rows])
    for row, record in rows:
        labels = record.get("binary_labels")
        if not isinstance(labels, list) or not isinstance(record.get("completion"), str):
            findings.add(row, "binary_labels", "the row has no completion with binary_labels", "Export the file again.")
            continue
        prompt = conversation_text(record.get("prompt"))
        cluster = str(given(record.get("prompt_id"), _short(prompt)))
        base = {
            "item": str(given(record.get("completion_id"), _short([prompt, record["completion"]]))),
            "criterion": named[_category(record), str(record.get("rubric"))],
            "role": "human",
            "cluster": cluster,
            "prompt": prompt,
            "response": record["completion"],
            "tags": [],
        }
        for annotator, label in zip(_physicians(record, len(labels)), labels, strict=True):
            yield row, {**base, "annotator": annotator, "label": label}


def criterion_names(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """The name of each criterion by its category and its text."""
    texts: dict[str, dict[str, None]] = {}
    for record in rows:
        texts.setdefault(_category(record), {})[str(record.get("rubric"))] = None
    return {
        (category, text): category if len(known) == 1 else f"{category}#{_short(text)[:8]}"
        for category, known in texts.items()
        for text in known
    }


def _category(record: Mapping[str, Any]) -> str:
    return str(given(record.get("category"), _short(str(record.get("rubric")))))


def _physicians(record: Mapping[str, Any], count: int) -> list[str]:
    """The given ids, numbered if one appears twice in a row or none is given."""
    known = record.get("anonymized_physician_ids")
    ids = [str(one) for one in known] if isinstance(known, list) else []
    ids += [f"physician-{place}" for place in range(len(ids) + 1, count + 1)]
    seen: dict[str, int] = {}
    names = []
    for one in ids[:count]:
        seen[one] = seen.get(one, 0) + 1
        names.append(one if seen[one] == 1 else f"{one}/{seen[one]}")
    return names


def conversation_text(messages: Any) -> str:
    """A conversation as text, one turn after the other."""
    if not isinstance(messages, list):
        return "" if messages is None else str(messages)
    turns = [turn for turn in messages if isinstance(turn, Mapping)]
    if len(turns) == 1:
        return str(given(turns[0].get("content"), default=""))
    return "\n\n".join(f"{turn.get('role', 'user')}: {turn.get('content', '')}" for turn in turns)


def _short(value: Any) -> str:
    return digest(value)[7:23]
