"""Records of Argilla: ``records.to_json`` of version 2, the same flattened, and feedback data sets of version 1
(https://docs.argilla.io).

A question is a criterion, each user's submitted response a person's label, a suggestion a judge's label (``agent``). A
discarded response abstains; a draft is no answer. A text question called rationale, reason, comment or explanation is
the rationale of the same user's labels.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.healthbench import conversation_text
from judge_server.labels.readers.records import Record
from judge_server.labels.readers.word import given

_RATIONALES: Final = ("rationale", "reason", "comment", "explanation")
_RESPONSES: Final = ".responses"
_TEXTS: Final = {
    "prompt": ("prompt", "question", "instruction", "input"),
    "response": ("response", "answer", "completion", "output", "text"),
    "reference": ("reference",),
    "writer": ("writer", "model"),
    "language": ("language",),
    "cluster": ("cluster", "prompt_id"),
}
Answer = tuple[str, str, Any, str]  # question, user, value, status


def recognizes(record: Mapping[str, Any]) -> bool:
    if any(name.endswith(f"{_RESPONSES}.users") for name in record):
        return True
    answers = record.get("responses")
    return isinstance(record.get("fields"), Mapping) and isinstance(answers, Mapping | list)


def long_records(rows: Sequence[Record], findings: LabelFindings) -> Iterator[Record]:
    """One record for each answer of a user, and for each suggestion."""
    drafts = 0
    for row, record in rows:
        base = _base(row, record)
        answers = list(_answers(record))
        reasons = {(user, name): str(value) for name, user, value, _ in answers if name in _RATIONALES}
        for question, user, value, status in answers:
            if question in _RATIONALES:
                continue
            if status == "draft":
                drafts += 1
                continue
            reason = given(*(reasons.get((user, name)) for name in _RATIONALES), default="")
            said = {"annotator": user, "role": "human", "rationale": reason}
            label = "" if status == "discarded" else _label(row, question, value, findings)
            yield row, {**base, **said, "criterion": question, "label": label}
        for question, value, agent, score in _suggestions(record):
            said = {"annotator": agent, "role": "judge", "probability": score}
            yield row, {**base, **said, "criterion": question, "label": _label(row, question, value, findings)}
    if drafts:
        findings.notes.append(f"{drafts} Argilla responses are drafts and are left out.")


def _label(row: int, question: str, value: Any, findings: LabelFindings) -> Any:
    if isinstance(value, list | Mapping):
        if isinstance(value, list) and len(value) <= 1:
            return value[0] if value else ""
        advice = "A criterion takes one label: use a label or rating question."
        findings.add(row, question, f"the answer to {question!r} has several values", advice)
        return ""
    return value


def _answers(record: Mapping[str, Any]) -> Iterator[Answer]:
    given_ = record.get("responses")
    if isinstance(given_, Mapping):
        for question, answers in given_.items():
            for one in answers if isinstance(answers, list) else ():
                if isinstance(one, Mapping):
                    yield str(question), _user(one), one.get("value"), str(given(one.get("status"), "submitted"))
    elif isinstance(given_, list):
        for one in given_:
            values = one.get("values") if isinstance(one, Mapping) else None
            for question, value in values.items() if isinstance(values, Mapping) else ():
                said = value.get("value") if isinstance(value, Mapping) else value
                yield str(question), _user(one), said, str(given(one.get("status"), "submitted"))
    else:
        yield from _flat_answers(record)


def _flat_answers(record: Mapping[str, Any]) -> Iterator[Answer]:
    for name, values in record.items():
        if not name.endswith(_RESPONSES) or not isinstance(values, list):
            continue
        users = record.get(f"{name}.users")
        statuses = record.get(f"{name}.status")
        for place, value in enumerate(values):
            user = users[place] if isinstance(users, list) and place < len(users) else f"user-{place + 1}"
            status = statuses[place] if isinstance(statuses, list) and place < len(statuses) else "submitted"
            yield name.removesuffix(_RESPONSES), str(user), value, str(status)


def _suggestions(record: Mapping[str, Any]) -> Iterator[tuple[str, Any, str, Any]]:
    """Question, value, agent and score."""
    found = record.get("suggestions")
    if isinstance(found, Mapping):
        listed = [(str(name), one) for name, one in found.items() if isinstance(one, Mapping)]
    elif isinstance(found, list):
        listed = [(str(one.get("question_name")), one) for one in found if isinstance(one, Mapping)]
    else:
        names = [name for name in record if name.endswith(".suggestion") and record[name] is not None]
        listed = [
            (name.removesuffix(".suggestion"), {"value": record[name], "agent": record.get(f"{name}.agent")})
            for name in names
        ]
    for name, one in listed:
        if one.get("value") is not None:
            score = one.get("score")
            yield name, one["value"], str(given(one.get("agent"), "suggestion")), score if _share(score) else None


def _share(score: Any) -> bool:
    return isinstance(score, int | float) and not isinstance(score, bool) and 0 <= score <= 1


def _user(answer: Mapping[str, Any]) -> str:
    return str(given(answer.get("user_id"), answer.get("username"), "user"))


def _base(row: int, record: Mapping[str, Any]) -> dict[str, Any]:
    inner, meta = record.get("fields"), record.get("metadata")
    fields = inner if isinstance(inner, Mapping) else record
    about = meta if isinstance(meta, Mapping) else {}
    item = given(about.get("item"), record.get("external_id"), record.get("id"), row)
    base: dict[str, Any] = {"item": str(item)}
    for field, names in _TEXTS.items():
        value = given(*(source.get(name) for source in (fields, about) for name in names))
        if value is not None:
            base[field] = conversation_text(value)
    return base
