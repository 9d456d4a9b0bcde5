"""Decision models of hosted providers through LiteLLM: ``decide:PROVIDER/NAME``.

LiteLLM translates the questions into the format that the provider speaks, so one form is enough here.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import Field

from judge_server.core.errors import BadConfiguration, DeadlineExceeded, ModelUnavailable
from judge_server.core.judgment import Usage
from judge_server.models.decision_wire import (
    MASS_UNKNOWN,
    PROBE,
    decision_body,
    decisions_in,
    labelled,
    typed,
    usage_in,
)
from judge_server.models.litellm_provider import LiteLLMOptions, LiteLLMProvider
from judge_server.models.openai_reply import origin_in
from judge_server.models.protocol import Capabilities, Completion, Decisions, Request, TypedAnswer, TypedQuestion
from judge_server.models.registry import read_options


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


class HostedDecisions(LiteLLMProvider):
    """A Model that answers ``Decisions``, and ``Labels`` as a choice among the words. It generates no text."""

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
        unusable = next((one.unusable for one in completion.decisions if one.unusable), None)
        if unusable:
            raise ModelUnavailable(f"The answers of {self.name!r} cannot be used: {unusable}.")
        able = Capabilities(True, False, self._options.context_tokens, limits=(MASS_UNKNOWN,), decisions=self._most)
        return able, completion.origin

    async def _ask(self, router: Any, request: Request, seconds: float) -> Completion:
        questions = typed(request).questions
        parts = [questions[start : start + self._most] for start in range(0, len(questions), self._most)]
        found = await asyncio.gather(*(self._part(router, request, part, seconds) for part in parts))
        decisions = tuple(one for answered, _, _ in found for one in answered)
        usage = Usage.total(spent for _, spent, _ in found)
        origin = " / ".join(sorted({said for _, _, said in found}))
        if isinstance(request.answer, Decisions):
            return Completion("", usage=usage, decisions=decisions, origin=origin)
        return replace(labelled(decisions[0], questions[0].options, usage), origin=origin)

    async def _part(
        self, router: Any, request: Request, questions: Sequence[TypedQuestion], seconds: float
    ) -> tuple[tuple[TypedAnswer, ...], Usage, str]:
        body = decision_body(request, questions, "judge", "decisions", self._strings)
        answer = (await router.adecisions(**body, timeout=seconds)).model_dump(mode="json", warnings=False)
        return decisions_in(answer, questions, "decisions", self._strings), usage_in(answer), origin_in(answer)
