"""Decision models behind HTTP servers: ``decide:NAME@URL[,URL…]``. One request carries all questions on a material.

The start finds out which of the two formats the server speaks. More questions than a request may hold are split over
several requests; a server that names a smaller limit in a refusal is obeyed.
"""

import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from pydantic import Field

from judge_server.core.errors import (
    ContextOverflow,
    DeadlineExceeded,
    JudgeFailure,
    JudgeRefused,
    ModelUnavailable,
    UnusableVerdict,
)
from judge_server.core.price import Price
from judge_server.models.decision_parts import asked_in_parts, halves_of, parts_of
from judge_server.models.decision_wire import (
    FORMATS,
    MASS_UNKNOWN,
    PROBE,
    PROBE_QUESTIONS,
    Format,
    answer_in,
    completion_in,
    decision_bytes,
    decisions_in,
    labelled,
    typed,
)
from judge_server.models.failover import CallLimits
from judge_server.models.model_server import ModelServer
from judge_server.models.openai_fault import ServerFault, probe_refused
from judge_server.models.openai_options import OpenAIOptions, read_specification
from judge_server.models.openai_reply import ModelListing
from judge_server.models.protocol import (
    Capabilities,
    Completion,
    Decisions,
    Model,
    Request,
    TypedQuestion,
)
from judge_server.models.registry import read_options
from judge_server.models.reserved import UNKNOWN

_LOG = logging.getLogger(__name__)
_NO_SUCH_ROUTE = frozenset([404, 405, 501])
_REFUSED_FORM = frozenset([400, 413, 422])
_AT_MOST = re.compile(r"questions?\D{0,40}?at most (\d{1,4})|at most (\d{1,4})\D{0,20}questions?", re.IGNORECASE)


class DecisionOptions(OpenAIOptions):
    """Those of an OpenAI-compatible server, as far as they concern transport. ``format``: found out at the start if it
    is "auto". ``max_questions``: of one request."""

    format: Format | Literal["auto"] = "auto"
    max_questions: int = Field(64, ge=1, le=1_000)


def create(rest: str, options: Mapping[str, Any]) -> Model:
    """A model from ``NAME@ADDRESS,ADDRESS``. Raises BadConfiguration."""
    if "@" not in rest:
        from judge_server.models.litellm_decisions import create as hosted  # a hosted model: its import is slow

        return hosted(rest, options)
    name, addresses = read_specification(rest, "decide")
    bases = tuple(address if address.endswith("/v1") else f"{address}/v1" for address in addresses)
    return DecisionServer(name, bases, read_options(DecisionOptions, "decide", options))


def listed_price(rest: str) -> Price | None:
    """Of a hosted model, in LiteLLM's table; None for one with an address. Raises MissingDependency."""
    if "@" in rest:
        return None
    from judge_server.models.litellm_decisions import listed_price as hosted  # its import is slow

    return hosted(rest)


def _about_questions(refused: ServerFault, request: Request, questions: Sequence[TypedQuestion]) -> bool:
    """Whether fewer questions may be taken. What is too long may be the material: then each part would be refused, so
    the refusal has to speak of questions, or these are no small part of the request."""
    if refused.status not in _REFUSED_FORM:
        return False
    if isinstance(refused.error, ContextOverflow):
        return "question" in refused.complaint.lower() or 4 * _length(questions) >= request.prompt.characters
    return isinstance(refused.error, ModelUnavailable)


def _length(questions: Sequence[TypedQuestion]) -> int:
    """Characters."""
    said = sum(len(segment.text) for question in questions for segment in question.instructions)
    options = [option for question in questions for option in question.options]
    return said + sum(len(option.name) + len(option.description or "") for option in options)


@dataclass(frozen=True, slots=True)
class _Learned:
    form: Format
    masses: bool
    revision: str


class DecisionServer(ModelServer):
    """A Model that answers ``Decisions``, and ``Labels`` as a choice among the words. It generates no text."""

    def __init__(self, name: str, addresses: tuple[str, ...], options: DecisionOptions) -> None:
        super().__init__(name, addresses, options)
        self._most = options.max_questions
        self._form: Format | None = None if options.format == "auto" else options.format
        self._start_seconds = options.start_timeout_seconds
        self._strings = UNKNOWN

    async def relearn(self) -> None:
        """Find out the format, what the server says of the model, and its control strings. Raises ModelUnavailable."""
        listing = ModelListing.merged([found for found in await self._listings() if found])
        learned = await self._learn()
        self._strings = await self._control_strings()
        self._form, self.path = learned.form, f"/{learned.form}"
        broken = f"strings {self._strings.digest[:12]}" if self._strings.digest != UNKNOWN.digest else ""
        self.revision = " ".join(filter(None, (*listing.identity, learned.form, learned.revision, broken)))
        limits = () if learned.masses else (MASS_UNKNOWN,)
        if limits and self.capabilities.limits != limits:
            _LOG.warning("%s: %s", self.name, MASS_UNKNOWN)
        context_tokens = self._options.context_tokens or listing.context_tokens
        self.capabilities = Capabilities(True, False, context_tokens, limits=limits, decisions=self._most)

    async def complete(self, request: Request) -> Completion:
        questions = typed(request).questions
        found = await self._asked(request, questions)
        return found if isinstance(request.answer, Decisions) else labelled(found, questions[0].options)

    async def _asked(self, request: Request, questions: Sequence[TypedQuestion]) -> Completion:
        """The answers to questions in order, from as many requests as the limit demands."""
        parts = parts_of(questions, self._most)
        if len(parts) > 1:
            return await asked_in_parts(partial(self._asked, request), parts)
        form = self._form or FORMATS[0]
        body = decision_bytes(request, questions, self.name, form, self._strings)
        raw = await self._answer(body, request.prompt, request.deadline)
        if not isinstance(raw, ServerFault):
            return completion_in(answer_in(raw), questions, form, self._strings)
        if len(questions) == 1 or not _about_questions(raw, request, questions):
            raise raw.error
        named = _AT_MOST.search(raw.complaint)
        if named is None:  # so that a question which the server refuses costs no other its answer
            return await asked_in_parts(partial(self._asked, request), halves_of(questions))
        self._most = max(min(int(named[1] or named[2]), len(questions) - 1), 1)
        _LOG.warning("%s takes at most %d questions a request", self.name, self._most)
        return await self._asked(request, questions)

    async def _learn(self) -> _Learned:
        """The first format whose route answers the probe."""
        deadline = time.monotonic() + self._start_seconds
        forms = FORMATS if self._form is None else (self._form,)
        refusals: list[ServerFault] = []
        for form in forms:
            self.path = f"/{form}"
            body = decision_bytes(PROBE, PROBE_QUESTIONS, self.name, form)
            try:
                answer = await self._probed(body, deadline)
                if isinstance(answer, ServerFault):
                    refusals.append(answer)
                    if answer.status not in _NO_SUCH_ROUTE:
                        raise probe_refused(answer, self._options.api_key)
                    continue
                return self._learned(answer, form)
            except DeadlineExceeded:
                raise ModelUnavailable(
                    f"The decision server did not answer two questions within {self._start_seconds:g} s.",
                    remedy="Start it first, or raise start_timeout_seconds.",
                ) from None
        raise self._no_route(refusals, forms)

    async def _probed(self, body: bytes, deadline: float) -> bytes | ServerFault:
        """A good answer of any address, or the fault of the last attempt. Every address is asked, because one that has
        no such route would fail a part of all verdicts later."""
        if len(self._fleet.addresses) > 1:
            found = await self._ask_each(body, deadline)
            good = [answer for answer in found.values() if not isinstance(answer, ServerFault)]
            if good:
                for url, answer in found.items():
                    if isinstance(answer, ServerFault) and answer.status in _NO_SUCH_ROUTE:
                        _LOG.error("%s has no %s, which other addresses of %s have", url, self.path, self.name)
                return good[0]
        return await self._failover.ask(body, None, CallLimits(self._options.transport_attempts, deadline))

    def _learned(self, raw: bytes, form: Format) -> _Learned:
        try:
            answer = answer_in(raw)
            found = decisions_in(answer, PROBE_QUESTIONS, form)
        except UnusableVerdict as fault:
            raise ModelUnavailable(
                f"The server answers /{form}, but not in that format. {fault.detail}",
                remedy="Check the address, or set the engine option format.",
            ) from None
        unusable = [one.unusable for one in found if one.unusable]
        if unusable:
            raise ModelUnavailable(f"The decision server's answers cannot be used: {unusable[0]}.")
        told = answer.get("system_fingerprint")
        return _Learned(form, all(one.label_mass is not None for one in found), told if isinstance(told, str) else "")

    def _no_route(self, refusals: Sequence[ServerFault], forms: Sequence[Format]) -> JudgeFailure:
        routes = " and ".join(f"/v1/{form}" for form in forms)
        if any(fault.status == 501 for fault in refusals):
            return JudgeRefused(
                f"The server has the route but {self.name!r} cannot answer typed questions (HTTP 501 on {routes}).",
                remedy=f"Serve a model that supports it, or use this one by its labels: openai:{self.name}@URL.",
            )
        return ModelUnavailable(
            f"The server has neither of the routes of decision models ({routes}), or does not serve {self.name!r}.",
            remedy=f"Check name and address; a chat model is used as openai:{self.name}@URL.",
        )
