"""Probe what a server really does with small requests of our own: a field may be obeyed, ignored or refused."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from judge_server.core.errors import DeadlineExceeded, JudgeFailure, ModelUnavailable, UnusableVerdict
from judge_server.models.failover import CallLimits, backoff_seconds
from judge_server.models.openai_fault import ServerFault
from judge_server.models.openai_options import OpenAIOptions, StructuredStyle
from judge_server.models.openai_reply import completion_of, fingerprint_of
from judge_server.models.openai_wire import Dialect, chat_body
from judge_server.models.protocol import Completion, Labels, Prompt, Request, Segment, Structured, Turn

RETRY_SECONDS = 4.0  # report a missing server soon; a slow one gets the whole start_timeout_seconds

logger = logging.getLogger(__name__)

_WHITE_SPACE = (
    "%s fills structured answers with white space up to their token limit. Let its server forbid that; vLLM does with "
    """--structured-outputs-config '{"backend": "xgrammar", "disable_any_whitespace": true}'."""
)
_WORD = "quartz-41"
_STYLES: tuple[StructuredStyle, ...] = ("json_schema", "structured_outputs", "guided_json", "json_object")


def _prompt(text: str) -> Prompt:
    return Prompt((Turn("user", (Segment(text, "instructions", trusted=True),)),))


ONE_TOKEN = Request(_prompt("Is water wet? Answer with exactly one word: Yes or No."), Labels(("Yes", "No")))

# The prompt does not mention what the schema demands, so only an enforced constraint produces the word.
CONSTRAINED = Request(
    _prompt("Say hello."),
    Structured(
        {
            "type": "object",
            "properties": {"canary": {"type": "string", "enum": [_WORD]}},
            "required": ["canary"],
            "additionalProperties": False,
        },
        max_tokens=64,
        name="canary",
    ),
)

Ask = Callable[[bytes, CallLimits], Awaitable[bytes | ServerFault]]


@dataclass(frozen=True, slots=True)
class LearnedServer:
    """How to write requests to the server, and what it can do."""

    dialect: Dialect
    logprobs: bool
    structured: bool
    fingerprint: str


class CapabilityProbe:
    """Sends the probes through ``ask``."""

    def __init__(self, ask: Ask, model: str, options: OpenAIOptions) -> None:
        self._ask = ask
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
                remedy="Check the address of the model: it mostly ends with /v1.",
            ) from None
        except DeadlineExceeded:
            raise ModelUnavailable(
                f"The server did not answer one token within {self._options.start_timeout_seconds:g} s.",
                remedy="Start it first, or raise start_timeout_seconds.",
            ) from None
        dialect, structured = await self._constrain(dialect)
        return LearnedServer(dialect, bool(completion.candidates), structured, fingerprint_of(raw))

    async def _settle(self, dialect: Dialect) -> tuple[Dialect, bytes, Completion]:
        """The richest dialect that is not refused, and the answer to it."""
        while True:
            answer = await self._try(ONE_TOKEN, dialect)
            if not isinstance(answer, ServerFault):
                return dialect, *answer
            less = concede(dialect, answer.complaint) if answer.status in {400, 422} else None
            if less is None:
                raise self._refused(answer)
            dialect = less

    async def _constrain(self, dialect: Dialect) -> tuple[Dialect, bool]:
        accepted: list[Dialect] = []
        for style in structured_styles(self._options):
            styled = replace(dialect, structured=style)
            try:
                answer = await self._try(CONSTRAINED, styled)
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
        # Nothing constrains: ask in a way that is at least accepted; the judge reads whatever comes back.
        return accepted[0] if accepted else replace(dialect, structured="none"), False

    async def _try(self, request: Request, dialect: Dialect) -> tuple[bytes, Completion] | ServerFault:
        body = chat_body(request, self._model, dialect, self._options.extra_body)
        attempts = self._options.transport_attempts
        bounds = CallLimits(attempts, self._deadline, time.monotonic() + RETRY_SECONDS)
        for attempt in range(attempts - 1):
            answer = await self._ask(body, bounds)
            try:
                return answer if isinstance(answer, ServerFault) else (answer, completion_of(answer, thinking=False))
            except UnusableVerdict:
                await asyncio.sleep(backoff_seconds(attempt))
        answer = await self._ask(body, bounds)
        return answer if isinstance(answer, ServerFault) else (answer, completion_of(answer, thinking=False))

    def _refused(self, fault: ServerFault) -> ModelUnavailable:
        """The fault with the server's own message, which answers our own text; the key is removed from it."""
        key = self._options.api_key.get_secret_value() if self._options.api_key else ""
        words = fault.complaint.replace(key, "…") if key else fault.complaint
        words = " ".join("".join(char if char.isprintable() else " " for char in words).split())
        detail = fault.error.detail
        if fault.status in {400, 422} and words:
            detail = f"{detail} It says: {words[:200]}"
        return ModelUnavailable(detail, remedy=fault.error.remedy, retry_after_seconds=fault.error.retry_after_seconds)


def first_dialect(options: OpenAIOptions) -> Dialect:
    """What is tried first: every feature."""
    return Dialect(
        thinking="chat_template_kwargs" if options.thinking_control == "auto" else options.thinking_control,
        structured="json_schema" if options.structured == "auto" else options.structured,
        top_logprobs=options.top_logprobs,
        effort_off=options.effort_without_thinking,
        effort_on=options.effort_with_thinking,
        priority=options.send_priority,
    )


def concede(dialect: Dialect, complaint: str) -> Dialect | None:
    """The dialect with one feature fewer: what the complaint names, else the likeliest; None if nothing is left."""
    steps: list[tuple[str, Dialect]] = []
    if dialect.thinking != "none":
        steps.append((dialect.thinking, replace(dialect, thinking="none")))
    if dialect.limit_field == "max_tokens":
        steps.append(("max_tokens", replace(dialect, limit_field="max_completion_tokens")))
    if dialect.top_logprobs:
        steps.append(("logprobs", replace(dialect, top_logprobs=5 if dialect.top_logprobs > 5 else 0)))
    if dialect.temperature:
        steps.append(("temperature", replace(dialect, temperature=False)))
    named = [less for word, less in steps if word in complaint]
    return next(iter(named or [less for _, less in steps]), None)


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
