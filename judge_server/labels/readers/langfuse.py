"""Scores of Langfuse, as JSON (also of ``/api/public/scores``) or CSV (https://langfuse.com/docs/scores).

The score's name is the criterion, its trace (or observation) the item. ``ANNOTATION`` is a person, by ``authorUserId``;
``EVAL`` a judge. What came by ``API`` can be either: ``--role`` says which.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.healthbench import conversation_text
from judge_server.labels.readers.records import Record
from judge_server.labels.readers.word import given

_ROLES: Final = {"ANNOTATION": "human", "EVAL": "judge"}
_NAMES: Final = {"ANNOTATION": "annotator", "EVAL": "langfuse-eval"}
_BOOLEANS: Final = {"1": "true", "0": "false", "1.0": "true", "0.0": "false"}


def recognizes(record: Mapping[str, Any]) -> bool:
    """One score, or the page of scores that the API gives."""
    page = record.get("data")
    if isinstance(page, list) and page and isinstance(page[0], Mapping):
        return recognizes(page[0])
    return {"traceId", "name", "source"} <= set(record) and bool({"value", "stringValue"} & set(record))


def long_records(rows: Sequence[Record], findings: LabelFindings) -> Iterator[Record]:
    """One record for each score of a trace; scores of sessions are counted in a note."""
    without = 0
    for row, score in _scores(rows):
        trace = given(score.get("traceId"))
        if trace is None:
            without += 1
            continue
        source = str(score.get("source")).upper()
        part = given(score.get("observationId"))
        author = given(score.get("authorUserId"), _NAMES.get(source), "api")
        yield (
            row,
            {
                **_texts(score),
                "item": str(trace) if part is None else f"{trace}/{part}",
                "cluster": str(trace),
                "criterion": str(given(score.get("name"), default="")),
                "annotator": str(author),
                "role": _ROLES.get(source, ""),
                "label": _label(score),
                "rationale": str(given(score.get("comment"), default="")),
            },
        )
    if without:
        findings.notes.append(f"{without} scores of Langfuse belong to no trace and are left out.")


def _scores(rows: Sequence[Record]) -> Iterator[Record]:
    for row, record in rows:
        page = record.get("data")
        if isinstance(page, list):
            yield from ((place, one) for place, one in enumerate(page, 1) if isinstance(one, Mapping))
        else:
            yield row, record


def _label(score: Mapping[str, Any]) -> Any:
    """The class of a categorical score, true or false of a boolean one, else the number."""
    kind = str(score.get("dataType")).upper()
    text, value = given(score.get("stringValue")), given(score.get("value"), default="")
    if kind == "BOOLEAN":
        return text if text is not None else _BOOLEANS.get(str(value), value)
    return text if kind == "CATEGORICAL" and text is not None else value


def _texts(score: Mapping[str, Any]) -> dict[str, Any]:
    trace = score.get("trace")
    if not isinstance(trace, Mapping):
        return {}
    asked, said = trace.get("input"), trace.get("output")
    shown = {"prompt": asked, "response": said}
    tags = trace.get("tags")
    texts = {name: conversation_text(text) for name, text in shown.items() if given(text) is not None}
    return {**texts, **({"tags": tags} if isinstance(tags, list) else {})}
