"""Judgments of MT-Bench and Chatbot Arena: pairs by people (lmsys/mt_bench_human_judgments) and by judges, and single
scores (``llm_judge`` of FastChat).

A pair is an item ``QUESTION-tTURN/A-vs-B`` with the labels A, B and tie by the place in which an answer was shown; a
judge that saw both orders gives two items, one the mirror of the other. A single score is a rating of its item.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from judge_server.labels.readers.finding import LabelFindings
from judge_server.labels.readers.healthbench import conversation_text
from judge_server.labels.readers.records import Record

_PERSON: Final = re.compile(r"(expert|author|human|annotator|crowd|user)([_ -]?\d+)?", re.IGNORECASE)
_MACHINE: Final = re.compile(r"gpt|claude|gemini|llama|judge|qwen|mistral|deepseek", re.IGNORECASE)
_ADVICE: Final = "The winner is model_a, model_b or tie."


def recognizes(record: Mapping[str, Any]) -> bool:
    pair = {"model_a", "model_b", "winner"} <= set(record) or {"model_1", "model_2", "g1_winner"} <= set(record)
    single = {"question_id", "model", "judge", "score"} <= set(record)
    return "question_id" in record and (pair or single)


def long_records(rows: Sequence[Record], findings: LabelFindings) -> Iterator[Record]:
    """One record for each verdict, in the order in which the answers were shown."""
    for row, record in rows:
        number = f"{record.get('question_id')}-t{record.get('turn', 1)}"
        base = {**_judge(record.get("judge")), "cluster": str(record.get("question_id"))}
        if "score" in record:
            score = "" if record["score"] == -1 else record["score"]  # -1: no score was found in the judge's text
            said = {"item": f"{number}/{record.get('model')}", "criterion": "score", "label": score}
            yield row, {**base, **said, "writer": str(record.get("model")), "rationale": _reason(record, "judgment")}
        else:
            yield from ((row, {**base, **said}) for said in _pairs(row, number, record, findings))


def _pairs(row: int, number: str, record: Mapping[str, Any], findings: LabelFindings) -> Iterator[dict[str, Any]]:
    """A pair shown in one order, or a judge's two verdicts on both orders."""
    if "g1_winner" not in record:
        one, two = str(record.get("model_a")), str(record.get("model_b"))
        label = _label(row, "winner", record.get("winner"), {"model_a": one, "model_b": two}, one, findings)
        item = f"{number}/{one}-vs-{two}"
        yield {**_conversations(record), "item": item, "criterion": "preference", "label": label}
        return
    one, two = str(record.get("model_1")), str(record.get("model_2"))
    for game, first, second in (("g1", one, two), ("g2", two, one)):
        names, field = {"model_1": one, "model_2": two}, f"{game}_winner"
        label = _label(row, field, record.get(field), names, first, findings)
        reason = _reason(record, f"{game}_judgment")
        yield {"item": f"{number}/{first}-vs-{second}", "criterion": "preference", "label": label, "rationale": reason}


def _label(row: int, field: str, winner: Any, names: Mapping[str, str], first: str, findings: LabelFindings) -> str:
    """A or B by the place in which the winner was shown; ``first``: the model shown first."""
    word = str(winner).strip()
    if word in names:
        return "A" if names[word] == first else "B"
    if word.casefold().startswith("tie"):
        return "tie"
    if word.casefold() != "error":  # what FastChat writes if the judge's text could not be read
        findings.add(row, field, f"the winner is {word[:40]!r}", _ADVICE)
    return ""


def _judge(judge: Any) -> dict[str, str]:
    """A list names a model and its prompt. A name that is neither a person's nor a model's needs ``--role``."""
    if isinstance(judge, list):
        return {"annotator": "/".join(map(str, judge)), "role": "judge"}
    name = str(judge)
    role = "human" if _PERSON.fullmatch(name) else "judge" if _MACHINE.search(name) else ""
    return {"annotator": name, "role": role}


def _reason(record: Mapping[str, Any], field: str) -> str:
    text = record.get(field)
    return text if isinstance(text, str) else ""


def _conversations(record: Mapping[str, Any]) -> dict[str, str]:
    both = [record.get(f"conversation_{side}") for side in "ab"]
    shown = [conversation_text(one) for one in both if isinstance(one, list)]
    if len(shown) < 2:
        return {}
    return {"response": f"Conversation A:\n{shown[0]}\n\nConversation B:\n{shown[1]}"}
