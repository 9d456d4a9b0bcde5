"""How one address answers the fixed questions that a model is recognised by."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import exp, isnan
from typing import Final

from judge_server.core.errors import JudgeFailure
from judge_server.core.model_signature import ModelSignature, Reaction, mean_of, noise_of
from judge_server.models.protocol import Completion, Model, Request
from judge_server.util.canonical import digest
from judge_server.util.concurrency import together

_QUESTION_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Round:
    """The reactions of one address to the questions that it was asked, and the names that its answers had. ``worded``:
    they had no probabilities."""

    reactions: tuple[Reaction | None, ...]
    marks: frozenset[str]
    worded: bool

    @property
    def answered(self) -> bool:
        return any(one is not None for one in self.reactions)


async def round_of(part: Model, questions: Sequence[Request], places: Sequence[int]) -> Round:
    """``places``: of the questions to ask."""
    asked = [_answer(part, question) if place in places else _nothing() for place, question in enumerate(questions)]
    answers = await together(asked)
    there = [one for one in answers if one is not None]
    return Round(
        tuple(None if one is None else reaction_of(one) for one in answers),
        frozenset(one.origin for one in there),
        worded=not any(one.candidates or one.decisions for one in there),
    )


async def _answer(part: Model, question: Request) -> Completion | None:
    try:
        return await part.complete(replace(question, deadline=time.monotonic() + _QUESTION_SECONDS))
    except JudgeFailure:
        return None


async def _nothing() -> None:
    return None


def reaction_of(completion: Completion) -> Reaction:
    """The distribution of the first token, or the word itself with probability 1 if there are no probabilities."""
    decision = completion.decisions[0] if completion.decisions else None
    if decision is not None and not isinstance(decision, JudgeFailure):
        return {str(place): share for place, share in enumerate(decision.shares)}
    found: dict[str, float] = {}
    for candidate in completion.candidates:
        if not isnan(candidate.logprob):
            text = candidate.text.strip().casefold()
            found[text] = found.get(text, 0.0) + exp(candidate.logprob)
    return found or {completion.text.strip().casefold(): 1.0}


def signature_of(rounds: Sequence[Round]) -> ModelSignature:
    """What these rounds have in common, and how far they differ."""
    found = [one.reactions for one in rounds]
    noise, mean_noise = noise_of(found)
    reactions = mean_of(found)
    return ModelSignature(
        id=digest(list(reactions)).removeprefix("sha256:")[:12],
        reactions=reactions,
        noise=noise,
        mean_noise=mean_noise,
        worded=all(one.worded for one in rounds),
        since=datetime.now(UTC),
    )
