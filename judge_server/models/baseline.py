"""The embedded baseline: word overlap behind the Model Protocol. Deterministic and fast, but not a real judge.

It answers the requests that judges get: a distribution over the labels, or JSON of the schema with the likeliest label
and the coverage as its reason. docs/baseline.md reports its agreement with people.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import comb, fsum, log
from time import monotonic
from typing import Any

from judge_server.core.errors import BadConfiguration, DeadlineExceeded
from judge_server.core.judgment import Usage
from judge_server.models.lexical import Overlap, Said, overlap
from judge_server.models.protocol import (
    IMPOSSIBLE_LOGPROB,
    Capabilities,
    Completion,
    Labels,
    Part,
    Prompt,
    Request,
    TokenProbability,
)
from judge_server.util.concurrency import in_long_work


def merit(wanted: Sequence[Said], unwanted: Sequence[Said], candidate: Said) -> float:
    """The mean over statements of the probability that the candidate says them, or for unwanted ones that it does not;
    in [0, 1], and 0.5 if there is no statement."""
    good = [overlap(statement, candidate).probability for statement in wanted]
    good += [1 - overlap(statement, candidate).probability for statement in unwanted]
    return fsum(good) / len(good) if good else 0.5


def first_better(merits: Sequence[float]) -> float:
    """The probability that the first of two is the better one, from their odds."""
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


REVISION = "lexical-1"
NOTICE = (
    "This verdict comes from the embedded lexical baseline. It counts shared words and understands nothing: "
    "good for trying out, not for judging."
)
LEAST_PROBABILITY = 1e-6
_AT_ONCE_CHARACTERS = 50_000  # longer prompts are compared in a thread, so as not to block the event loop
# questions about a conversation: their last answer is that it cannot be told, which is all that counting words can tell
_CANNOT_TELL = Overlap(coverage=1.0, pairs=1.0, contradicted=False)
_WANTED: tuple[Part, ...] = ("criterion", "reference")
_AFFIRMATIVE, _NEGATIVE = frozenset(["yes", "true", "met"]), frozenset(["no", "false", "unmet"])


class LexicalBaseline:
    """Implements ``Model``."""

    name = "baseline"
    revision = REVISION
    notice: str | None = NOTICE
    capacity = 256
    capabilities = Capabilities(logprobs=True, structured=True)

    def __init__(self) -> None:
        self._said = lru_cache(maxsize=256)(Said.in_text)

    async def start(self) -> None:
        """Nothing to load."""

    async def complete(self, request: Request) -> Completion:
        """Raises DeadlineExceeded if the deadline has already passed."""
        if request.deadline is not None and monotonic() >= request.deadline:
            raise DeadlineExceeded("The deadline passed before the baseline was asked.")
        if sum(len(turn.text) for turn in request.prompt.turns) > _AT_ONCE_CHARACTERS:
            return await in_long_work(self._completion, request)
        return self._completion(request)

    def _completion(self, request: Request) -> Completion:
        merits, wanted = self._merits(request.prompt), request.answer
        if merits:
            if isinstance(wanted, Labels):
                first = first_better(merits)
                return _spoken_label(wanted.words, (first, 1 - first))
            return Completion(json.dumps(compared(request.structured.schema, merits)), usage=Usage(calls=1))
        overlaps = self._overlaps(request.prompt)
        if isinstance(wanted, Labels):
            return _spoken_label(wanted.words, shares(wanted.words, overlaps[0].probability))
        answer = _filled(request.structured.schema, overlaps[0], overlaps)
        return Completion(json.dumps(answer, ensure_ascii=False), usage=Usage(calls=1))

    async def healthy(self) -> bool:
        return True

    async def close(self) -> None:
        """Nothing to free."""

    def _merits(self, prompt: Prompt) -> list[float]:
        """One for each compared response; empty if a single response is judged."""
        wanted = [self._said(text) for part in _WANTED for text in _texts(prompt, part)]
        unwanted = [self._said(text) for text in _texts(prompt, "pitfall")]
        return [merit(wanted, unwanted, self._said(text)) for text in _texts(prompt, "candidate")]

    def _overlaps(self, prompt: Prompt) -> list[Overlap]:
        """One for each criterion of the prompt. If there is a reference, its coverage counts equally."""
        response = self._said((_texts(prompt, "response") or [""])[-1])  # a step comes after its response
        criteria = _texts(prompt, "criterion")
        if not criteria and (questions := _texts(prompt, "question")):
            return [_CANNOT_TELL] * len(questions)
        references = [self._said(text) for text in _texts(prompt, "reference")]
        found = []
        for statement in criteria or [""]:
            own = overlap(self._said(statement), response)
            found.append(_mean(own, overlap(references[0], response)) if references else own)
        return found


def create(rest: str, options: Mapping[str, Any]) -> LexicalBaseline:
    """The baseline takes neither a name nor options."""
    if rest or options:
        given = rest or ", ".join(sorted(options))
        raise BadConfiguration(
            f"The baseline takes no name and no options, but was given {given}.", remedy="Write baseline."
        )
    return LexicalBaseline()


def _texts(prompt: Prompt, part: Part) -> list[str]:
    return [
        segment.text
        for turn in prompt.turns
        for segment in turn.segments
        if segment.part == part and not segment.trusted and segment.text.strip()
    ]


def _mean(first: Overlap, second: Overlap) -> Overlap:
    return Overlap(
        (first.coverage + second.coverage) / 2,
        (first.pairs + second.pairs) / 2,
        first.contradicted or second.contradicted,
    )


def shares(labels: Sequence[str], probability: float) -> tuple[float, ...]:
    """The probability of each label: Yes and No by meaning, ordered options (worst to best) binomially."""
    meant = [label.strip().casefold() for label in labels]
    if len(meant) == 2 and set(meant) & _AFFIRMATIVE and set(meant) & _NEGATIVE:
        return tuple(probability if label in _AFFIRMATIVE else 1 - probability for label in meant)
    best = len(labels) - 1
    return tuple(
        comb(best, place) * probability**place * (1 - probability) ** (best - place) for place in range(best + 1)
    )


def _likeliest(labels: Sequence[str], probability: float) -> str:
    chances = shares(labels, probability)
    return labels[chances.index(max(chances))]


def _spoken_label(words: Sequence[str], chances: Sequence[float]) -> Completion:
    candidates = tuple(
        TokenProbability(word, log(max(share, LEAST_PROBABILITY))) for word, share in zip(words, chances, strict=True)
    )
    likeliest = words[chances.index(max(chances))]
    return Completion(likeliest, candidates, usage=Usage(calls=1), unlisted_logprob=IMPOSSIBLE_LOGPROB)


def _filled(schema: Mapping[str, Any], found: Overlap, overlaps: Sequence[Overlap]) -> Any:
    """A value of ``schema``. Properties named by numbers are about the criterion of that number."""
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return _likeliest(schema["enum"], found.probability)
    fill = _FILLERS.get(schema.get("type", "string"))
    return fill(schema, found, overlaps) if fill else None


def _filled_object(schema: Mapping[str, Any], found: Overlap, overlaps: Sequence[Overlap]) -> dict[str, Any]:
    return {
        name: _filled(inner, _about(name, found, overlaps), overlaps)
        for name, inner in schema.get("properties", {}).items()
    }


def _about(name: str, found: Overlap, overlaps: Sequence[Overlap]) -> Overlap:
    return overlaps[int(name) - 1] if name.isdecimal() and 0 < int(name) <= len(overlaps) else found


def _filled_array(schema: Mapping[str, Any], found: Overlap, overlaps: Sequence[Overlap]) -> list[Any]:
    """One item for each criterion, within the bounds of the schema."""
    wanted = max(schema.get("minItems", 0), min(len(overlaps), schema.get("maxItems", len(overlaps))))
    items = schema.get("items", {})
    return [_filled(items, overlaps[min(place, len(overlaps) - 1)], overlaps) for place in range(wanted)]


def _filled_string(schema: Mapping[str, Any], found: Overlap, overlaps: Sequence[Overlap]) -> str:
    return f"lexical coverage {found.coverage:.2f}"[: schema.get("maxLength")]


def _filled_number(schema: Mapping[str, Any], found: Overlap, overlaps: Sequence[Overlap]) -> float:
    low, high = schema.get("minimum", 0), schema.get("maximum", 1)
    return float(low + (high - low) * found.probability)


_FILLERS: dict[str, Callable[[Mapping[str, Any], Overlap, Sequence[Overlap]], Any]] = {
    "object": _filled_object,
    "array": _filled_array,
    "string": _filled_string,
    "number": _filled_number,
    "integer": lambda schema, found, overlaps: round(_filled_number(schema, found, overlaps)),
    "boolean": lambda schema, found, overlaps: found.probability >= 0.5,
}
