"""A judge that also compares: it finds the responses of a prompt by their fences, and knows a worth for each."""

import json
import re
from collections.abc import Callable
from typing import Any

from tests.stub_judge import Behaviour, Reply, faithful, labels, text, wants_schema

_CANDIDATE = re.compile(r"\[BEGIN RESPONSE ([A-P]) ([0-9a-f]{12})\]\n(.*?)\n\[END RESPONSE \1 \2\]", re.DOTALL)
Worth = Callable[[str], float]


def shown(body: dict[str, Any]) -> dict[str, str]:
    """The responses that are compared, by their letters; none where a single one is judged."""
    said = "\n".join(message["content"] for message in body["messages"])
    return {letter: response for letter, _, response in _CANDIDATE.findall(said)}


def comparing(worth: Worth, *, bias: float = 0.0, otherwise: Behaviour | None = None) -> Behaviour:
    """``worth`` in [0, 1] of a response; ``bias`` is added to what stands first."""
    single = otherwise or faithful()

    def behave(body: dict[str, Any]) -> Reply:
        candidates = shown(body)
        if not candidates:
            return single(body)
        worths = {letter: worth(said) for letter, said in candidates.items()}
        worths["A"] += bias
        schema = wants_schema(body)
        if schema is None:
            first = min(max(0.5 + worths["A"] - worths["B"], 0.01), 0.99)
            return labels(A=first, B=1 - first)
        if "verdict" in schema["properties"]:
            verdict = "tie" if worths["A"] == worths["B"] else max(worths, key=lambda letter: worths[letter])
            return text(json.dumps({"reason": "because", "verdict": verdict}))
        scores = {letter: 5 * round(20 * min(max(value, 0.0), 1.0)) for letter, value in worths.items()}
        return text(json.dumps({letter: {"reason": "because", "score": score} for letter, score in scores.items()}))

    return behave


def by_number(response: str) -> float:
    """The worth that a response names: ``Answer worth 0.3 …``."""
    found = re.search(r"worth (\d\.\d+)", response)
    return float(found.group(1)) if found else 0.5
