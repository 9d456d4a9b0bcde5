"""Read a judge's answer. Prose is never searched for a verdict: what does not parse is unusable."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import exp, fsum
from typing import Any, NoReturn

from judge_server.core.errors import UnusableVerdict
from judge_server.models.protocol import Completion, TokenProbability

REASON_CHARACTERS = 600
_ROUNDING = 0.01


@dataclass(frozen=True, slots=True)
class LabelReading:
    """``shares``: probability of each label, given that one of them is said; ``mass``: probability that one of them
    is said, at most 1."""

    shares: tuple[float, ...]
    mass: float


def read_labels(candidates: Sequence[TokenProbability], labels: Sequence[str]) -> LabelReading | None:
    """Probabilities of the labels at the answer position; None if no label is among the candidates.

    A word counts in any case and with white space around it ("Yes", " yes"); a single letter only in its own case,
    because "a" is also an English word. Raises UnusableVerdict for what is not a distribution: log-probabilities that
    are NaN or above 0, or labels whose probabilities sum to more than 1.
    """
    places = {label if len(label) == 1 else label.casefold(): place for place, label in enumerate(labels)}
    found: list[list[float]] = [[] for _ in labels]
    for candidate in candidates:
        if not candidate.logprob <= _ROUNDING:  # also true of NaN
            raise UnusableVerdict(f"A token's log-probability is {candidate.logprob}, which no probability has.")
        word = _plain(candidate.text)
        place = places.get(word if len(word) == 1 else word.casefold())
        if place is not None:
            found[place].append(exp(candidate.logprob))
    totals = [fsum(probabilities) for probabilities in found]
    mass = fsum(totals)
    if mass > 1 + _ROUNDING:
        raise UnusableVerdict(f"The labels have {mass:.3f} of the probability, more than there is.")
    return LabelReading(tuple(total / mass for total in totals), min(mass, 1.0)) if mass > 0 else None


@lru_cache(maxsize=4_096)
def _plain(text: str) -> str:
    """A token's text without white space or the marks that tokenizers write for it."""
    return text.strip(" \t\r\n\u2581\u0120\u010a")


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
    answer = whole_json(completion)
    if len(labels) == 1:
        return [_entry(answer, labels[0])]
    numbers = [str(number) for number in range(1, len(labels) + 1)]
    if not isinstance(answer, dict) or set(answer) != set(numbers):
        raise UnusableVerdict(
            f"The answer does not hold exactly the criteria 1 to {len(labels)}: {_excerpt(completion.text)}"
        )
    return [_entry(answer[number], words) for number, words in zip(numbers, labels, strict=True)]


def score_schema(lowest: float, highest: float) -> dict[str, Any]:
    """The JSON Schema of an answer that gives a reason and then a number within the bounds."""
    low, high = (int(bound) if bound.is_integer() else bound for bound in (lowest, highest))
    return {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "minLength": 1, "maxLength": REASON_CHARACTERS},
            "score": {"type": "number", "minimum": low, "maximum": high},
        },
        "required": ["reason", "score"],
        "additionalProperties": False,
    }


def read_score(completion: Completion, lowest: float, highest: float) -> tuple[float, str]:
    """The number and the reason of a structured answer. Raises UnusableVerdict for anything else, a number outside the
    bounds included."""
    answer = whole_json(completion)
    if not isinstance(answer, dict) or set(answer) != {"reason", "score"}:
        raise UnusableVerdict("The answer does not hold exactly a reason and a score.")
    score, reason = answer["score"], answer["reason"]
    if not isinstance(reason, str) or isinstance(score, bool) or not isinstance(score, int | float):
        raise UnusableVerdict(f"The score {_excerpt(str(score))} is no number.")
    if not lowest <= score <= highest:
        raise UnusableVerdict(f"The score {_excerpt(str(score))} is not within {lowest:g} and {highest:g}.")
    return float(score), _text(reason[: 2 * REASON_CHARACTERS])


def whole_json(completion: Completion) -> Any:
    """A structured answer as JSON in which no key stands twice. Raises UnusableVerdict for anything else."""
    if completion.truncated:
        where = "in its thinking" if completion.thinking and not completion.text.strip() else "at its token limit"
        raise UnusableVerdict(
            f"The answer was cut off {where}.", remedy="Raise reason_tokens (or thinking_tokens) of the judge."
        )
    return _strict_json(completion.text)


def _strict_json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_each_key_once, parse_constant=_no_json)
    except _TwiceTheSameKey as fault:
        raise UnusableVerdict(f"The answer gives {_excerpt(str(fault))} twice: {_excerpt(text)}") from None
    except (ValueError, RecursionError):
        raise UnusableVerdict(f"The answer is not JSON: {_excerpt(text)}") from None


class _TwiceTheSameKey(Exception):
    """A key occurs twice. Python's JSON would keep the last value, but two verdicts are not a verdict."""


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceTheSameKey(key)
        found[key] = value
    return found


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _entry(entry: Any, labels: Sequence[str]) -> Spoken:
    if not isinstance(entry, dict) or set(entry) != {"reason", "verdict"}:
        raise UnusableVerdict("The answer does not hold exactly a reason and a verdict.")
    label, reason = entry["verdict"], entry["reason"]
    if not isinstance(reason, str) or label not in labels:
        raise UnusableVerdict(f"The verdict {_excerpt(str(label))} is none of {', '.join(labels)}.")
    return Spoken(label, _text(reason[: 2 * REASON_CHARACTERS]))


def _text(reason: str) -> str:
    """Replaces lone surrogates, which JSON can escape but UTF-8 cannot encode."""
    return reason.encode("utf-8", "replace").decode("utf-8")


def _excerpt(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
