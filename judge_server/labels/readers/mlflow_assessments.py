"""Assessments of MLflow traces, as JSON: ``Trace.to_dict`` and rows of ``search_traces`` (https://mlflow.org/docs).

A feedback's name is the criterion, its source the annotator: ``HUMAN`` a person, ``LLM_JUDGE`` (or ``AI_JUDGE``) a
judge, ``CODE`` a program. Expectations are no labels, and overridden assessments do not count: notes say how many.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.healthbench import conversation_text
from judge_server.labels.readers.records import Record
from judge_server.labels.readers.word import given
from judge_server.util.parsing import read_json

_ROLES: Final = {"HUMAN": "human", "LLM_JUDGE": "judge", "AI_JUDGE": "judge", "CODE": "check"}


def recognizes(record: Mapping[str, Any]) -> bool:
    return isinstance(_assessments(record), list) and given(_trace(record)) is not None


def long_records(rows: Sequence[Record], findings: LabelFindings) -> Iterator[Record]:
    """One record for each feedback that counts."""
    left = {"expectations": 0, "overridden assessments": 0}
    for row, record in rows:
        base = {**_texts(record), "item": str(given(_trace(record), row))}
        for one in _assessments(record) or ():
            if not isinstance(one, Mapping):
                continue
            if one.get("valid") is False:
                left["overridden assessments"] += 1
            elif not isinstance(one.get("feedback"), Mapping):
                left["expectations"] += 1
            else:
                yield row, {**base, **_said(row, one, findings)}
    told = [f"{count} {what}" for what, count in left.items() if count]
    if told:
        findings.notes.append(f"{' and '.join(told)} of MLflow are left out.")


def _said(row: int, one: Mapping[str, Any], findings: LabelFindings) -> dict[str, Any]:
    feedback, source = one["feedback"], one.get("source")
    origin = source if isinstance(source, Mapping) else {}
    name = str(given(one.get("assessment_name"), one.get("name"), default=""))
    value, error = feedback.get("value"), given(feedback.get("error"), one.get("error"))
    if isinstance(value, list | Mapping):
        findings.add(row, name, f"the feedback {name!r} has several values", "A criterion takes one label.")
        value = ""
    kind = str(origin.get("source_type")).upper().rpartition(".")[2]
    why = given(one.get("rationale"), None if error is None else json.dumps(error, default=str), default="")
    return {
        "criterion": name,
        "annotator": str(given(origin.get("source_id"), kind.casefold())),
        "role": _ROLES.get(kind, ""),
        "label": "" if value is None else value,
        "rationale": str(why),
    }


def _info(record: Mapping[str, Any]) -> Mapping[str, Any]:
    info = record.get("info")
    return info if isinstance(info, Mapping) else record


def _assessments(record: Mapping[str, Any]) -> list[Any] | None:
    found = _info(record).get("assessments")
    return found if isinstance(found, list) else None


def _trace(record: Mapping[str, Any]) -> Any:
    info = _info(record)
    return given(info.get("trace_id"), info.get("request_id"))


def _texts(record: Mapping[str, Any]) -> dict[str, str]:
    inner, info = record.get("data"), _info(record)
    data = inner if isinstance(inner, Mapping) else record
    asked = given(data.get("request"), info.get("request_preview"))
    said = given(data.get("response"), info.get("response_preview"))
    shown = {"prompt": asked, "response": said}
    return {name: _text(value) for name, value in shown.items() if value is not None}


def _text(value: Any) -> str:
    """The text of a request or response, whose JSON may stand inside a string."""
    if isinstance(value, str) and value[:1] in '[{"':
        try:
            value = read_json(value)
        except ValueError:
            return str(value)
    if isinstance(value, Mapping):
        messages = value.get("messages")
        return conversation_text(messages) if isinstance(messages, list) else json.dumps(value, ensure_ascii=False)
    return conversation_text(value)
