"""Reading a judge's answer. An answer that cannot be read is unreadable: nothing searches prose for a word."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, fsum
from typing import Any

from judge_server.core.errors import UnusableVerdict
from judge_server.models.protocol import Completion, TokenProbability

REASON_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class LabelReading:
    """``shares``: probability of each label given that one of them is said; ``mass``: probability that one is."""

    shares: tuple[float, ...]
    mass: float


def read_labels(candidates: Sequence[TokenProbability], labels: Sequence[str]) -> LabelReading | None:
    """Probabilities at the answer position; None where no label is among the candidates.

    A word counts in any case and with white space around it ("Yes", " yes"); a single letter only in its own case,
    because "a" is also an English word.
    """
    totals = []
    for label in labels:
        wanted = label if len(label) == 1 else label.casefold()
        totals.append(fsum(exp(c.logprob) for c in candidates if _plain(c.text, len(label) == 1) == wanted))
    mass = fsum(totals)
    if mass <= 0:
        return None
    return LabelReading(tuple(total / mass for total in totals), mass)


def _plain(text: str, exact: bool) -> str:
    stripped = text.strip(" \t\r\n\u2581\u0120")
    return stripped if exact else stripped.casefold()


@dataclass(frozen=True, slots=True)
class Spoken:
    """One verdict of a structured answer."""

    label: str
    reason: str


def verdict_schema(labels: Sequence[Sequence[str]]) -> dict[str, Any]:
    """The JSON Schema of the answer about one criterion, or of an object with one numbered entry for each."""
    entries = [
        {
            "type": "object",
            "properties": {
                "reason": {"type": "string", "minLength": 1, "maxLength": REASON_CHARACTERS},
                "verdict": {"type": "string", "enum": list(words)},
            },
            "required": ["reason", "verdict"],
            "additionalProperties": False,
        }
        for words in labels
    ]
    if len(entries) == 1:
        return entries[0]
    numbers = [str(number) for number in range(1, len(entries) + 1)]
    return {
        "type": "object",
        "properties": dict(zip(numbers, entries, strict=True)),
        "required": numbers,
        "additionalProperties": False,
    }


def read_structured(completion: Completion, labels: Sequence[Sequence[str]]) -> list[Spoken]:
    """The verdicts of a structured answer, one for each criterion. Raises UnusableVerdict for anything else."""
    if completion.truncated:
        raise UnusableVerdict(
            "The answer was cut off at its token limit.",
            remedy="Raise reason_tokens (or thinking_tokens) of the judge.",
        )
    try:
        answer = json.loads(completion.text)
    except (ValueError, RecursionError):
        raise UnusableVerdict(f"The answer is not JSON: {_excerpt(completion.text)}") from None
    if len(labels) == 1:
        return [_entry(answer, labels[0])]
    numbers = [str(number) for number in range(1, len(labels) + 1)]
    if not isinstance(answer, dict) or set(answer) != set(numbers):
        raise UnusableVerdict(
            f"The answer does not hold exactly the criteria 1 to {len(labels)}: {_excerpt(completion.text)}"
        )
    return [_entry(answer[number], words) for number, words in zip(numbers, labels, strict=True)]


def _entry(entry: Any, labels: Sequence[str]) -> Spoken:
    if not isinstance(entry, dict) or set(entry) != {"reason", "verdict"}:
        raise UnusableVerdict("The answer does not hold exactly a reason and a verdict.")
    label, reason = entry["verdict"], entry["reason"]
    if not isinstance(reason, str) or label not in labels:
        raise UnusableVerdict(f"The verdict {_excerpt(str(label))} is none of {', '.join(labels)}.")
    return Spoken(label, reason[: 2 * REASON_CHARACTERS])


def _excerpt(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
