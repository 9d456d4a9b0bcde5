"""Decision models of hosted providers through LiteLLM: ``decide:PROVIDER/NAME``.

LiteLLM translates the questions into the format that the provider speaks, so one form is enough here.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import Field

from judge_server.core.errors import BadConfiguration, DeadlineExceeded, ModelUnavailable
from judge_server.core.price import Price
from judge_server.models.decision_parts import asked_in_parts, halves_of, parts_of
from judge_server.models.decision_wire import MASS_UNKNOWN, PROBE, completion_in, decision_body, labelled, typed
from judge_server.models.litellm_provider import FormRefused, LiteLLMOptions, LiteLLMProvider, price_on
from judge_server.models.protocol import Capabilities, Completion, Decisions, Request, TypedAnswer, TypedQuestion
from judge_server.models.registry import read_options

_LOG = logging.getLogger(__name__)
ROUTE: Final = "decisions"


class HostedDecisionOptions(LiteLLMOptions):
    """Those of a hosted model. ``max_questions``: of one request."""

    max_questions: int = Field(64, ge=1, le=1_000)


def create(rest: str, options: Mapping[str, Any]) -> "HostedDecisions":
    """A model from ``PROVIDER/NAME``. Raises BadConfiguration."""
    name = rest.strip()
    if not name:
        raise BadConfiguration(
            "The decision model has no name.", remedy="Write decide:NAME@http://HOST:PORT/v1 or decide:PROVIDER/NAME."
        )
    return HostedDecisions(name, read_options(HostedDecisionOptions, "decide", options))


def listed_price(rest: str) -> Price | None:
    """Of ``PROVIDER/NAME`` in LiteLLM's table. Raises MissingDependency."""
    return price_on(ROUTE, rest)


class HostedDecisions(LiteLLMProvider):
    """A Model that answers ``Decisions``, and ``Labels`` as a choice among the words. It generates no text."""

    route = ROUTE

    def __init__(self, name: str, options: HostedDecisionOptions) -> None:
        super().__init__(name, options)
        self._most = options.max_questions

    async def _learn(self) -> tuple[Capabilities, str]:
        deadline = time.monotonic() + self._options.start_timeout_seconds
        try:
            completion = await self._complete(PROBE, deadline)
        except DeadlineExceeded:
            raise ModelUnavailable(
                f"{self.name!r} did not answer two questions within {self._options.start_timeout_seconds:g} s.",
                remedy="Check whether the provider is reachable from here, or raise start_timeout_seconds.",
            ) from None
        faults = (one.unusable if isinstance(one, TypedAnswer) else one.detail for one in completion.decisions)
        unusable = next(filter(None, faults), None)
        if unusable:
            raise ModelUnavailable(f"The answers of {self.name!r} cannot be used: {unusable}.")
        if not self.capabilities.limits:
            _LOG.warning("%s: %s", self.name, MASS_UNKNOWN)
        able = Capabilities(True, False, self._options.context_tokens, limits=(MASS_UNKNOWN,), decisions=self._most)
        return able, completion.origin

    async def _complete(self, request: Request, deadline: float | None) -> Completion:
        """From as many requests as the limit demands; each waits for the provider's rate limit by itself."""
        questions = typed(request).questions
        parts = parts_of(questions, self._most)
        if len(parts) == 1:
            try:
                return await super()._complete(request, deadline)
            except FormRefused:
                if len(questions) == 1:
                    raise
                parts = halves_of(questions)

        async def asked(part: Sequence[TypedQuestion]) -> Completion:
            return await self._complete(replace(request, answer=Decisions(tuple(part))), deadline)

        return await asked_in_parts(asked, parts)

    async def _ask(self, router: Any, request: Request, seconds: float) -> Completion:
        questions = typed(request).questions
        body = decision_body(request, questions, "judge", "decisions", self._strings)
        answer = (await router.adecisions(**body, timeout=seconds)).model_dump(mode="json", warnings=False)
        found = completion_in(answer, questions, "decisions", self._strings)
        return found if isinstance(request.answer, Decisions) else labelled(found, questions[0].options)
