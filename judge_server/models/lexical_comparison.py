"""The baseline's answer where several responses stand beside each other: the one that shares more words is better."""

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Any

from judge_server.models.lexical import Said, overlap


def merit(wanted: Sequence[Said], unwanted: Sequence[Said], candidate: Said) -> float:
    """The mean over statements of the probability that the candidate says them, or of what is unwanted that it does
    not; in [0, 1], and 0.5 where there is no statement."""
    good = [overlap(statement, candidate).probability for statement in wanted]
    good += [1 - overlap(statement, candidate).probability for statement in unwanted]
    return fsum(good) / len(good) if good else 0.5


def first_better(merits: Sequence[float]) -> float:
    """The probability that the first of two is the better one, of their odds."""
    first, second = merits[0] * (1 - merits[1]), merits[1] * (1 - merits[0])
    return first / (first + second) if first + second > 0 else 0.5


def compared(schema: Mapping[str, Any], merits: Sequence[float]) -> dict[str, Any]:
    """The JSON that a comparison asks for: a verdict on two, or a score for each letter in order."""
    properties = schema.get("properties", {})
    if "verdict" in properties:
        better = first_better(merits)
        verdict = "tie" if better == 0.5 else ("A" if better > 0.5 else "B")
        shown = " and ".join(f"{value:.2f}" for value in merits)
        return {"reason": f"lexical coverage {shown}", "verdict": verdict}
    return {
        letter: {
            "reason": f"lexical coverage {value:.2f}",
            "score": min(inner["properties"]["score"]["enum"], key=lambda score: abs(score - 100 * value)),
        }
        for (letter, inner), value in zip(properties.items(), merits, strict=True)
    }
