"""Counts what a model would be asked, without one: the calls, and the tokens of prompts and answers.

A token is taken as four bytes of UTF-8, which is close for English and for scripts of three bytes a character. Answers
are counted at their limit. Every answer is undecided, so that a cascade asks its second judge too: the counts are upper
bounds, but for repeats of unreadable answers.
"""

from collections.abc import Mapping
from contextlib import suppress
from math import ceil, log
from typing import Any

from judge_server.core.errors import MissingDependency
from judge_server.core.judgment import Usage
from judge_server.core.price import Price
from judge_server.models.baseline import LexicalBaseline
from judge_server.models.protocol import (
    IMPOSSIBLE_LOGPROB,
    Capabilities,
    Completion,
    Decisions,
    Labels,
    Request,
    TokenProbability,
    TypedAnswer,
    TypedQuestion,
)
from judge_server.models.registry import listed_price

BYTES_A_TOKEN = 4
QUESTIONS_A_DECISION = 64


class EstimatingModel:
    """Implements ``Model`` and ``Priced`` in the place of the model ``specification`` with its ``options``."""

    revision = "estimate"
    notice: str | None = None
    capacity = 256

    def __init__(self, specification: str, options: Mapping[str, Any]) -> None:
        self.name = specification
        self.price: Price | None = None
        self._has_fallbacks = bool(options.get("fallbacks"))
        decisions = QUESTIONS_A_DECISION if specification.startswith("decide:") else 0
        self.capabilities = Capabilities(logprobs=True, structured=True, decisions=decisions)
        self._baseline = LexicalBaseline()

    async def start(self) -> None:
        """Look up the price. Fallbacks have prices of their own, so with them none is known."""
        with suppress(MissingDependency):
            self.price = None if self._has_fallbacks else listed_price(self.name)

    async def complete(self, request: Request) -> Completion:
        """An undecided answer with the tokens that it would cost."""
        shown = sum(_tokens(turn.text) for turn in request.prompt.turns)
        if isinstance(request.answer, Decisions):
            shown += sum(_tokens(part.text) for one in request.answer.questions for part in one.instructions)
            answers = tuple(_undecided(question) for question in request.answer.questions)
            return Completion("", usage=Usage(calls=1, prompt_tokens=shown), decisions=answers)
        if isinstance(request.answer, Labels):
            words = request.answer.words
            found = tuple(TokenProbability(word, -log(len(words))) for word in words)
            usage = Usage(calls=1, prompt_tokens=shown, completion_tokens=1)
            return Completion(words[0], found, usage=usage, unlisted_logprob=IMPOSSIBLE_LOGPROB)
        answered = await self._baseline.complete(request)
        most = request.structured.max_tokens + (request.thinking_tokens or 0)
        return Completion(answered.text, usage=Usage(calls=1, prompt_tokens=shown, completion_tokens=most))

    async def healthy(self) -> bool:
        return True

    async def close(self) -> None:
        """Nothing to free."""


def _tokens(text: str) -> int:
    return ceil(len(text.encode("utf-8", "replace")) / BYTES_A_TOKEN)


def _undecided(question: TypedQuestion) -> TypedAnswer:
    count = len(question.options) or 2
    return TypedAnswer(shares=(1 / count,) * count, label_mass=1.0)
