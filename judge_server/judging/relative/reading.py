"""Reading what a judge says of several responses: a score for each, or which of two is better."""

from typing import Any

from judge_server.core.errors import UnusableVerdict
from judge_server.judging.reading import read_labels, read_structured, verdict_schema, whole_json
from judge_server.models.protocol import Completion

PAIR = ("A", "B")
_PAIR_OR_TIE = (*PAIR, "tie")
_STEP = 5
_SCORES = tuple(range(0, 101, _STEP))
_REASON_CHARACTERS = 300
PAIR_SCHEMA = verdict_schema([_PAIR_OR_TIE])


def list_schema(labels: tuple[str, ...]) -> dict[str, Any]:
    """The JSON Schema of the answer about a list: for each label a reason and then a score."""
    entry = {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "minLength": 1, "maxLength": _REASON_CHARACTERS},
            "score": {"type": "integer", "enum": list(_SCORES)},
        },
        "required": ["reason", "score"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": dict.fromkeys(labels, entry),
        "required": list(labels),
        "additionalProperties": False,
    }


def read_list(completion: Completion, labels: tuple[str, ...]) -> tuple[float, ...]:
    """A score in [0, 1] for each label. Raises UnusableVerdict for anything but exactly what was asked for."""
    answer = whole_json(completion)
    if not isinstance(answer, dict) or set(answer) != set(labels):
        raise UnusableVerdict(f"The answer does not score exactly the responses {', '.join(labels)}.")
    return tuple(_score(label, answer[label]) for label in labels)


def _score(label: str, entry: Any) -> float:
    if not isinstance(entry, dict) or set(entry) != {"reason", "score"} or not isinstance(entry["reason"], str):
        raise UnusableVerdict(f"The answer does not hold exactly a reason and a score for response {label}.")
    score = entry["score"]
    if isinstance(score, bool) or score not in _SCORES:
        raise UnusableVerdict(f"The score of response {label} is none of 0, {_STEP}, … 100.")
    return float(score / 100)


def read_pair_labels(completion: Completion) -> tuple[float, float, float]:
    """P(first better), P(second better), and the probability that one of the labels is said. Raises UnusableVerdict."""
    if not completion.candidates:
        raise UnusableVerdict(
            "The answer came without token probabilities.", remedy="Use mode reason, or fallback = reason."
        )
    found = read_labels(completion.candidates, PAIR)
    return (found.shares[0], found.shares[1], found.mass) if found else (0.5, 0.5, 0.0)


def read_pair(completion: Completion) -> tuple[float, float]:
    """Shares of the first and the second response: all, none, or a half each. Raises UnusableVerdict."""
    (said,) = read_structured(completion, [_PAIR_OR_TIE])
    first = {"A": 1.0, "B": 0.0, "tie": 0.5}[said.label]
    return first, 1.0 - first
