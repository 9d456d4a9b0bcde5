"""Probe a server with small requests: it may obey, ignore or refuse each request field."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from judge_server.core.errors import DeadlineExceeded, JudgeFailure, ModelUnavailable, UnusableVerdict
from judge_server.models.failover import CallLimits, backoff_seconds
from judge_server.models.openai_fault import ABOUT_THE_REQUEST, ServerFault, probe_refused
from judge_server.models.openai_options import OpenAIOptions, StructuredStyle
from judge_server.models.openai_reply import completion_of, fingerprint_of, merged
from judge_server.models.openai_wire import Dialect, Relisting, chat_body, favouring
from judge_server.models.protocol import (
    Completion,
    Labels,
    Prompt,
    Request,
    Sampling,
    Segment,
    Structured,
    TokenProbability,
    Turn,
)
from judge_server.models.server_quirks import barest, each_alone, named_in, plainer_schemas

RETRY_SECONDS = 4.0  # report a missing server early; a slow one gets the whole start_timeout_seconds

logger = logging.getLogger(__name__)

_WHITE_SPACE = (
    "%s fills structured answers with white space up to their token limit. Let its server forbid that; vLLM does with "
    """--structured-outputs-config '{"backend": "xgrammar", "disable_any_whitespace": true}'."""
)
_ALL_ON_ONE = (
    "it gives one token the whole probability and others none, so its probabilities are those after sampling and not "
    'those of the model: the values of mode direct would be 0 or 1. Let it report raw ones, or use mode = "reason".'
)
_NO_LABEL = (
    "asked for one word, Yes or No, it begins with {!r}. Mode direct reads the first token, and abstains "
    "(low_label_mass) where that is no label: switch off what comes before the answer, such as thinking, or use "
    'mode = "reason" or fallback = "reason".'
)
_MOST_OTHERS = 0.5  # of the probability, for tokens that are no label
_WORD = "quartz-41"
_STYLES: tuple[StructuredStyle, ...] = ("json_schema", "structured_outputs", "guided_json", "json_object")


def _prompt(text: str) -> Prompt:
    told: tuple[tuple[Literal["system", "user"], str], ...] = (("system", "Answer as you are asked."), ("user", text))
    return Prompt(tuple(Turn(role, (Segment(said, "instructions", trusted=True),)) for role, said in told))


# Judging sends a system's message, a temperature and a seed, and schemas that bound their strings: so do the probes.
SAMPLING = Sampling(0.0, seed=0)
LABELS = ("Yes", "No")
ONE_TOKEN = Request(_prompt("Is water wet? Answer with exactly one word: Yes or No."), Labels(LABELS), SAMPLING)

# The prompt does not mention what the schema demands, so only an enforced constraint produces the word.
CONSTRAINED = Request(
    _prompt("Say hello."),
    Structured(
        {
            "type": "object",
            "properties": {"canary": {"type": "string", "enum": [_WORD], "minLength": 1, "maxLength": 600}},
            "required": ["canary"],
            "additionalProperties": False,
        },
        max_tokens=64,
        name="canary",
    ),
    SAMPLING,
)

Ask = Callable[[bytes, CallLimits], Awaitable[bytes | ServerFault]]
TokenIds = Callable[[Sequence[str]], Awaitable[tuple[int, ...]]]
REFUSALS = frozenset([400, 403, 422, 501])
NAMED_REFUSALS = ABOUT_THE_REQUEST | {500, 501}
RELISTINGS: tuple[Relisting, ...] = ("logprob_token_ids", "structured_outputs", "guided_choice", "logit_bias")
BY_TOKEN_ID = frozenset(["logprob_token_ids", "logit_bias"])
_OPEN = 0.01


@dataclass(frozen=True, slots=True)
class LearnedServer:
    """How to write requests to the server, and what it can do."""

    dialect: Dialect
    logprobs: bool
    structured: bool
    fingerprint: str
    limits: tuple[str, ...] = ()


class CapabilityProbe:
    """Sends the probes through ``ask``; ``token_ids`` gives the tokens of words, none if the server does not report
    them."""

    def __init__(self, ask: Ask, token_ids: TokenIds, model: str, options: OpenAIOptions) -> None:
        self._ask = ask
        self._token_ids = token_ids
        self._model = model
        self._options = options
        self._deadline = time.monotonic() + options.start_timeout_seconds

    async def learn(self) -> LearnedServer:
        """Raises ModelUnavailable if nothing usable answers."""
        try:
            dialect, raw, completion = await self._settle(first_dialect(self._options))
        except UnusableVerdict as error:
            raise ModelUnavailable(
                f"The server answers, but not as an OpenAI-compatible server does. {error.detail}",
                remedy="Check the address of the model: it usually ends with /v1.",
            ) from None
        except DeadlineExceeded:
            raise ModelUnavailable(
                f"The server did not answer one token within {self._options.start_timeout_seconds:g} s.",
                remedy="Start it first, or raise start_timeout_seconds.",
            ) from None
        dialect, structured = await self._constrain(dialect)
        dialect, completion = await self._plain(dialect, completion)
        dialect, limits = await self._relist(dialect, completion)
        limits += doubts(completion)
        for limit in limits:
            logger.warning("%s: %s", self._model, limit)
        return LearnedServer(dialect, bool(completion.candidates), structured, fingerprint_of(raw, self._model), limits)

    async def _settle(self, dialect: Dialect) -> tuple[Dialect, bytes, Completion]:
        """The richest dialect that is not refused, and the answer to it. If a refusal names a feature, that one is
        dropped; otherwise each feature is left out alone, and finally all of them."""
        answer = await self._try(ONE_TOKEN, dialect)
        while isinstance(answer, ServerFault) and answer.status in NAMED_REFUSALS:
            less = named_in(answer.complaint, dialect)
            if less is None:
                break
            dialect, answer = less, await self._try(ONE_TOKEN, less)
        first = answer
        if isinstance(answer, ServerFault) and _is_refusal(answer):
            for less in (*each_alone(dialect), barest(dialect)):
                answer = await self._try(ONE_TOKEN, less)
                if not isinstance(answer, ServerFault):
                    return less, *answer
        if isinstance(first, ServerFault):
            raise probe_refused(first, self._options.api_key)
        return dialect, *first

    async def _plain(self, dialect: Dialect, completion: Completion) -> tuple[Dialect, Completion]:
        """With label questions at temperature 1, if the server lists what temperature 0 makes of the probabilities."""
        if not all_on_one(completion) or "temperature" in dialect.omit:
            return dialect, completion
        plain = replace(dialect, plain_labels=True)
        try:
            answer = await self._try(ONE_TOKEN, plain)
        except JudgeFailure:
            return dialect, completion
        if isinstance(answer, ServerFault) or not answer[1].candidates or all_on_one(answer[1]):
            return dialect, completion
        return plain, answer[1]

    async def _relist(self, dialect: Dialect, completion: Completion) -> tuple[Dialect, tuple[str, ...]]:
        """How to ask for labels that the server does not list, if its first answer shows that it lists too few."""
        listed = len(completion.candidates)
        if not listed or not lists_too_few(completion, dialect.top_logprobs):
            return dialect, ()
        for relisting in RELISTINGS:
            token_ids = await self._token_ids(LABELS) if relisting in BY_TOKEN_ID else ()
            if relisting in BY_TOKEN_ID and not token_ids:
                continue
            favoured = favouring(relisting, LABELS, token_ids)
            try:
                answer = await self._try(ONE_TOKEN, dialect, favoured)
            except JudgeFailure:
                continue
            if not isinstance(answer, ServerFault) and says_all(merged(completion, answer[1]), LABELS):
                return replace(dialect, relisting=relisting), ()
        limit = (
            f"it listed {listed} of the {dialect.top_logprobs} token probabilities that were asked for. Mode direct "
            "abstains (labels_not_listed) if a label is missing: raise the server's limit of log-probabilities, or "
            'use mode = "reason" or fallback = "reason".'
        )
        return dialect, (limit,)

    async def _constrain(self, dialect: Dialect) -> tuple[Dialect, bool]:
        accepted: list[Dialect] = []
        for style in structured_styles(self._options):
            styled = replace(dialect, structured=style)
            try:
                styled, answer = await self._try_schema(styled)
            except UnusableVerdict:
                accepted.append(styled)
                continue
            except JudgeFailure:
                continue
            if not isinstance(answer, ServerFault):
                accepted.append(styled)
                if obeyed(answer[1]):
                    if answer[1].truncated:
                        logger.warning(_WHITE_SPACE, self._model)
                    return styled, True
        # Nothing constrains: ask in a way that is at least accepted; the judge parses the answer strictly.
        return accepted[0] if accepted else replace(dialect, structured="none"), False

    async def _try_schema(self, dialect: Dialect) -> tuple[Dialect, tuple[bytes, Completion] | ServerFault]:
        """The answer to CONSTRAINED, with fewer schema keywords if the server refuses some."""
        answer = await self._try(CONSTRAINED, dialect)
        while isinstance(answer, ServerFault) and answer.status in NAMED_REFUSALS:
            less = named_in(answer.complaint, dialect) or plainer_schemas(dialect)
            if less == dialect:
                break
            dialect, answer = less, await self._try(CONSTRAINED, less)
        return dialect, answer

    async def _try(
        self, request: Request, dialect: Dialect, favoured: Mapping[str, Any] | None = None
    ) -> tuple[bytes, Completion] | ServerFault:
        body = chat_body(request, self._model, dialect, self._options.extra_body, favoured)
        attempts = self._options.transport_attempts
        bounds = CallLimits(attempts, self._deadline, time.monotonic() + RETRY_SECONDS)
        for attempt in range(attempts - 1):
            try:
                return await self._answer(body, bounds)
            except UnusableVerdict:
                await asyncio.sleep(backoff_seconds(attempt))
        return await self._answer(body, bounds)

    async def _answer(self, body: bytes, bounds: CallLimits) -> tuple[bytes, Completion] | ServerFault:
        """Raises UnusableVerdict."""
        answer = await self._ask(body, bounds)
        if not isinstance(answer, ServerFault):
            return answer, completion_of(answer, thinking=False)
        if isinstance(answer.error, UnusableVerdict):
            raise answer.error
        return answer


def says_all(completion: Completion, words: Sequence[str]) -> bool:
    """Whether each of ``words`` is among the candidates, in any case and with white space around it."""
    said = {_word_of(candidate) for candidate in completion.candidates}
    return all(word.casefold() in said for word in words)


def _word_of(candidate: TokenProbability) -> str:
    return candidate.text.strip(" \t\r\n\u2581\u0120\u010a").casefold()


def lists_too_few(completion: Completion, asked: int) -> bool:
    """Whether the server lists fewer tokens than it was asked for, and so much probability is missing that a label may
    be among the rest."""
    rest = 1.0 - math.fsum(math.exp(c.logprob) for c in completion.candidates if not math.isnan(c.logprob))
    return len(completion.candidates) < asked and (rest > _OPEN or not says_all(completion, LABELS))


def all_on_one(completion: Completion) -> bool:
    """Whether one token has the whole probability and others none at all, as sampling leaves them but no model."""
    first, *others = completion.candidates or (None,)
    return first is not None and first.logprob == 0.0 and all(math.exp(one.logprob) == 0.0 for one in others)


def doubts(completion: Completion) -> tuple[str, ...]:
    """Why label questions may not be answered with the probabilities of labels, by the answer to ONE_TOKEN."""
    if not completion.candidates:
        return ()
    if all_on_one(completion):
        return (_ALL_ON_ONE,)
    labels = {word.casefold() for word in LABELS}
    others = [c.logprob for c in completion.candidates if _word_of(c) not in labels and not math.isnan(c.logprob)]
    if math.fsum(map(math.exp, others)) <= _MOST_OTHERS:
        return ()
    return (_NO_LABEL.format(completion.candidates[0].text),)


def _is_refusal(fault: ServerFault) -> bool:
    """Whether the form of the request may be at fault, and not its length, its content or the key."""
    about_form = fault.status in REFUSALS - {403} or (fault.status == 404 and "parameter" in fault.complaint)
    return about_form and isinstance(fault.error, ModelUnavailable)


def first_dialect(options: OpenAIOptions) -> Dialect:
    """The dialect tried first: every feature."""
    return Dialect(
        thinking="chat_template_kwargs" if options.thinking_control == "auto" else options.thinking_control,
        structured="json_schema" if options.structured == "auto" else options.structured,
        top_logprobs=options.top_logprobs,
        limit_field="max_tokens" if options.limit_field == "auto" else options.limit_field,
        least_tokens=options.least_tokens,
        omit=options.omit,
        effort_off=options.effort_without_thinking,
        effort_on=options.effort_with_thinking,
        priority=options.send_priority,
    )


def structured_styles(options: OpenAIOptions) -> tuple[StructuredStyle, ...]:
    """The ways to ask for a structured answer, in the order in which they are tried."""
    if options.structured == "auto":
        return _STYLES
    return () if options.structured == "none" else (options.structured,)


def obeyed(completion: Completion) -> bool:
    """Whether the answer to CONSTRAINED is the one that only a constraint produces, or the beginning of it if the model
    filled its token limit with white space that the constraint allows."""
    text, wanted = "".join(completion.text.split()), f'{{"canary":"{_WORD}"}}'
    return text == wanted or (completion.truncated and text.startswith('{"canary"') and wanted.startswith(text))
