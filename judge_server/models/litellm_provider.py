"""Judge models of hosted providers through LiteLLM, with fallback models. The only importer of litellm, and only
when a model starts, because the import takes seconds.

LiteLLM's router owns the transport retries; the provider SDKs below it make a single attempt.
"""

import asyncio
import logging
import os
import time
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, SecretStr, field_validator

from judge_server.core.errors import (
    BadConfiguration,
    ContentFiltered,
    ContextOverflow,
    DeadlineExceeded,
    JudgeFailure,
    JudgeRefused,
    MissingDependency,
    ModelUnavailable,
    UnusableVerdict,
)
from judge_server.core.extra import installing
from judge_server.core.model import Frozen
from judge_server.core.price import Price
from judge_server.models.capability_probe import CONSTRAINED, ONE_TOKEN, obeyed
from judge_server.models.control_strings import strings_of_files
from judge_server.models.failover import CallLimits, Failover
from judge_server.models.fleet import Address, Fleet
from judge_server.models.openai_fault import CallOutcome, ServerFault, retry_after_seconds
from judge_server.models.openai_reply import completion_in
from judge_server.models.openai_wire import messages_of
from judge_server.models.protocol import Capabilities, Completion, Labels, Request
from judge_server.models.registry import read_options
from judge_server.models.reserved import UNKNOWN, ControlStrings
from judge_server.util.time_limit import until


class Fallback(Frozen):
    """Another model, asked if the first one failed."""

    model: str = Field(min_length=1)
    api_key: SecretStr | None = None
    api_base: str | None = None


class LiteLLMOptions(Frozen):
    """``timeout_seconds`` bounds one attempt. Without a key here, LiteLLM uses the one that it finds for the provider.
    A fallback is a model name, or a name with its own key and address. ``tokenizer``: the model's tokenizer.json or its
    folder, from which its control strings are read; ``control_strings``: further strings that no outside text may
    spell."""

    api_key: SecretStr | None = None
    api_base: str | None = None
    fallbacks: tuple[Fallback, ...] = ()
    num_retries: int = Field(2, ge=0, le=10)
    timeout_seconds: float = Field(60.0, gt=0, le=3_600)
    start_timeout_seconds: float = Field(30.0, gt=0, le=600)
    max_in_flight: int = Field(32, ge=1, le=4_096)
    top_logprobs: int = Field(20, ge=0, le=20)
    effort_without_thinking: str | None = None
    effort_with_thinking: str = "medium"
    context_tokens: int | None = Field(None, ge=1)
    tokenizer: Path | None = None
    control_strings: tuple[Annotated[str, Field(min_length=2, max_length=200)], ...] = ()
    mock_response: str | None = None

    @field_validator("fallbacks", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if not isinstance(value, list | tuple):
            return value
        return [{"model": entry} if isinstance(entry, str) else entry for entry in value]

    @property
    def strings(self) -> ControlStrings:
        """What is broken in outside text. Raises BadConfiguration if the tokenizer cannot be read."""
        known = None if self.tokenizer is None else strings_of_files(self.tokenizer)
        return ControlStrings(known, self.control_strings) if known or self.control_strings else UNKNOWN

    @property
    def fallback_names(self) -> str:
        return ", ".join(fallback.model for fallback in self.fallbacks)


_MILLION = 1_000_000
_FAILURES_UNTIL_UNHEALTHY = 5
_UNHEALTHY_SECONDS = 30.0


def create(rest: str, options: Mapping[str, Any]) -> "LiteLLMProvider":
    """A model from ``PROVIDER/NAME``. Raises BadConfiguration."""
    name = rest.strip()
    if not name:
        raise BadConfiguration("The litellm model has no name.", remedy="Write litellm:PROVIDER/NAME.")
    return LiteLLMProvider(name, read_options(LiteLLMOptions, "litellm", options))


def listed_price(rest: str) -> Price | None:
    """The price of ``PROVIDER/NAME`` in LiteLLM's table, without asking the provider. Raises MissingDependency."""
    return price_on("", rest)


def price_on(route: str, rest: str) -> Price | None:
    """``listed_price`` on one route of the provider."""
    return price_in(_import().model_cost, rest.strip(), route)


class LiteLLMProvider:
    """A Model of a hosted provider. ``route``: see ``price_in``."""

    route = ""

    def __init__(self, name: str, options: LiteLLMOptions) -> None:
        self.name = name
        self._strings = options.strings
        self.revision = _revision(options, self._strings)
        self.notice = self._notice(options)
        self.capabilities = Capabilities(logprobs=False, structured=False)
        self._options = options
        self._litellm: Any = None
        self._router: Any = None
        self._failures = 0
        self._failed_at = 0.0
        self._fleet = Fleet([name])
        self._failover: Failover[Request, Completion] = Failover(self._fleet, self._attempt)

    @property
    def capacity(self) -> int:
        """``max_in_flight``, and fewer while the provider refuses calls for load."""
        return int(min(self._options.max_in_flight, self._fleet.addresses[0].limit))

    async def start(self) -> None:
        """Import LiteLLM and find out what the model can do. Raises MissingDependency or ModelUnavailable."""
        if self._router is not None:
            return
        self._litellm = await asyncio.to_thread(_import)
        self._router = self._litellm.Router(**_routes(self.name, self._options), **_router_limits(self._options))
        try:
            await self.relearn()
        except BaseException:
            await self.close()
            raise

    interruptions = severed = 0
    """A provider's addresses are its own matter."""

    def parts(self, *, interrupted: bool = False) -> tuple[Self, ...]:
        """The provider is one address; with fallbacks, answers of several models are expected."""
        return () if interrupted or self._options.fallbacks else (self,)

    @property
    def price(self) -> Price | None:
        """From LiteLLM's table; None for a model that is not in it, and with fallbacks, whose prices differ."""
        if self._litellm is None or self._options.fallbacks:
            return None
        return price_in(self._litellm.model_cost, self.name, self.route)

    barred = False
    """One address is never left out."""

    def bar(self, barred: bool) -> None: ...

    async def declared(self) -> None:
        """Providers say nothing of a model beside its answers."""

    async def relearn(self) -> None:
        """Find out what the model can do. Raises ModelUnavailable."""
        self.capabilities, origin = await self._learn()
        self.revision = " ".join(filter(None, (_revision(self._options, self._strings), origin)))

    async def complete(self, request: Request) -> Completion:
        try:
            completion = await self._complete(request, request.deadline)
        except ModelUnavailable:
            self._failures += 1
            self._failed_at = time.monotonic()
            raise
        self._failures = 0
        return completion

    async def healthy(self) -> bool:
        """Whether recent calls did not all fail. No extra request is made, because providers charge for each one."""
        lately = time.monotonic() - self._failed_at < _UNHEALTHY_SECONDS
        return self._router is not None and not (lately and self._failures >= _FAILURES_UNTIL_UNHEALTHY)

    async def close(self) -> None:
        router, self._router = self._router, None
        if router is not None:
            router.reset()
            await self._litellm.close_litellm_async_clients()

    async def _learn(self) -> tuple[Capabilities, str]:
        """What the model can do, and the name and fingerprint in its answers."""
        deadline = time.monotonic() + self._options.start_timeout_seconds
        refused: ModelUnavailable | None = None
        logprobs = structured = False
        origin = ""
        try:
            first = await self._complete(ONE_TOKEN, deadline)
            logprobs, origin = bool(first.candidates), first.origin
        except FormRefused as error:  # some models refuse one-token answers or probabilities
            refused = error
        except UnusableVerdict:
            pass
        except DeadlineExceeded:
            raise ModelUnavailable(
                f"{self.name!r} did not answer one token within {self._options.start_timeout_seconds:g} s.",
                remedy="Check whether the provider is reachable from here, or raise start_timeout_seconds.",
            ) from None
        try:
            second = await self._complete(CONSTRAINED, deadline)
            structured, origin = obeyed(second), origin or second.origin
        except JudgeFailure:
            if refused is not None:
                raise refused from None
        return Capabilities(logprobs, structured, self._options.context_tokens), origin

    async def _complete(self, request: Request, deadline: float | None) -> Completion:
        """The answer, after as many waits as the provider's rate limit demands until the deadline."""
        answer = await self._failover.ask(request, None, CallLimits(1, deadline))
        if isinstance(answer, ServerFault):
            raise answer.error
        return answer

    async def _attempt(self, _: Address, request: Request, deadline: float | None) -> Completion | ServerFault:
        router = self._router
        if router is None:
            raise ModelUnavailable(f"The model {self.name!r} is not started or was closed.", remedy="Start it first.")
        left = None if deadline is None else deadline - time.monotonic()
        if left is not None and left <= 0:
            raise DeadlineExceeded("The deadline passed before the judge model was asked.")
        timeout = self._options.timeout_seconds if left is None else min(self._options.timeout_seconds, left)
        limit = until(deadline)
        try:
            with limit:
                return await self._ask(router, request, timeout)
        except JudgeFailure:
            raise
        except Exception as error:  # noqa: BLE001 - errors of many providers, not all of them wrapped by LiteLLM
            if limit.expired or (deadline is not None and time.monotonic() >= deadline):
                raise DeadlineExceeded("The judge model did not answer before the deadline.") from None
            failure = _failure(error, self._litellm, self.name)
            if not isinstance(error, self._litellm.exceptions.RateLimitError):
                raise failure from None
            headers = getattr(getattr(error, "response", None), "headers", None) or {}
            wait = retry_after_seconds(headers.get("retry-after"))
            failure.retry_after_seconds = wait
            return ServerFault(failure, CallOutcome.BUSY, again=True, wait_seconds=wait)

    async def _ask(self, router: Any, request: Request, seconds: float) -> Completion:
        answer = await router.acompletion(**_arguments(request, self._options, self._strings), timeout=seconds)
        return completion_in(answer.model_dump(warnings=False), thinking=request.thinking_tokens is not None)

    @staticmethod
    def _notice(options: LiteLLMOptions) -> str | None:
        if options.mock_response is not None:
            return "Every answer is the text set as mock_response: no model was asked."
        if options.fallbacks:
            return f"If the first model failed, one of these answered: {options.fallback_names}."
        return None


def price_in(table: Mapping[str, Any], name: str, route: str = "") -> Price | None:
    """LiteLLM's entry of ``PROVIDER/NAME``, or of the name alone, for a million tokens; None if it names no price.
    ``route``: ends the names of prices that hold for it alone."""
    entry = table.get(name) or table.get(name.partition("/")[2]) or {}
    prompt, completion, cached = (
        _dollars(entry.get(f"{kind}_{route}", entry.get(kind)))
        for kind in ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost")
    )
    if prompt is None or completion is None or not (prompt or completion):
        return None
    return Price(prompt=prompt, cached=cached, completion=completion)


def _dollars(cost: Any) -> float | None:
    known = isinstance(cost, int | float) and not isinstance(cost, bool) and 0 <= cost < 1
    return cost * _MILLION if known else None


def _revision(options: LiteLLMOptions, strings: ControlStrings) -> str:
    fallbacks = f"fallbacks: {options.fallback_names}" if options.fallbacks else ""
    broken = f"strings {strings.digest[:12]}" if strings.digest != UNKNOWN.digest else ""
    return " ".join(filter(None, (fallbacks, broken)))


class FormRefused(ModelUnavailable):
    """The provider does not accept the form of the request."""


def _import() -> Any:
    # Read on import: without it litellm fetches a price list from the network.
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    try:
        litellm: Any = import_module("litellm")
    except ImportError:
        raise MissingDependency("The package litellm is not installed.", remedy=installing("litellm")) from None
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    for logger in ("LiteLLM", "LiteLLM Router"):  # they log provider messages, which quote keys and prompts
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    return litellm


def _routes(name: str, options: LiteLLMOptions) -> dict[str, Any]:
    """The deployments: the model itself, and each fallback under a name of its own."""
    first = Fallback(model=name, api_key=options.api_key, api_base=options.api_base)
    deployments = [_deployment("judge", first)]
    deployments += [_deployment(f"fallback {number}", other) for number, other in enumerate(options.fallbacks, 1)]
    if options.mock_response is not None:
        deployments[0]["litellm_params"]["mock_response"] = options.mock_response
    others = [deployment["model_name"] for deployment in deployments[1:]]
    return {"model_list": deployments, "fallbacks": [{"judge": others}] if others else []}


def _deployment(place: str, model: Fallback) -> dict[str, Any]:
    given = {
        "api_key": model.api_key.get_secret_value() if model.api_key else None,
        "api_base": model.api_base,
    }
    known = {field: value for field, value in given.items() if value is not None}
    return {
        "model_name": place,
        "litellm_params": {"model": model.model, "max_retries": 0, "drop_params": True} | known,
    }


def _router_limits(options: LiteLLMOptions) -> dict[str, Any]:
    # With a single deployment, a cooldown would fail every call after one bad answer.
    return {"num_retries": options.num_retries, "timeout": options.timeout_seconds, "disable_cooldowns": True}


def _arguments(request: Request, options: LiteLLMOptions, strings: ControlStrings) -> dict[str, Any]:
    arguments: dict[str, Any] = {"model": "judge", "messages": messages_of(request.prompt, strings)}
    thinking = request.thinking_tokens is not None and not isinstance(request.answer, Labels)
    effort = options.effort_with_thinking if thinking else options.effort_without_thinking
    if effort is not None:
        arguments["reasoning_effort"] = effort
    if not thinking:  # providers refuse a temperature beside thinking
        arguments["temperature"] = request.sampling.temperature
    if request.sampling.seed is not None:
        arguments["seed"] = request.sampling.seed
    if isinstance(request.answer, Labels):
        probabilities = {"logprobs": True, "top_logprobs": options.top_logprobs} if options.top_logprobs else {}
        return arguments | {"max_tokens": 1} | probabilities
    answer = request.structured
    schema = {"name": answer.name, "schema": answer.schema, "strict": True}
    return arguments | {
        "max_tokens": answer.max_tokens + (request.thinking_tokens or 0),
        "response_format": {"type": "json_schema", "json_schema": schema},
    }


def _failure(error: Exception, litellm: Any, name: str) -> JudgeFailure:
    """Our error for a provider's. Providers quote keys and prompts in messages, so only the kind is passed on."""
    known = litellm.exceptions
    says = f"{name!r} failed with {type(error).__name__}"
    status = getattr(error, "status_code", None)
    says += f" (HTTP {status})." if isinstance(status, int) else "."
    match error:
        case known.ContextWindowExceededError():
            return ContextOverflow(
                f"The prompt does not fit into the context of {name!r}.",
                remedy="Shorten the material or choose a judge with a longer context; nothing is cut silently.",
            )
        case known.ContentPolicyViolationError():
            return ContentFiltered(f"The content filter of {name!r} refused the prompt.")
        case known.AuthenticationError() | known.PermissionDeniedError():
            remedy = "Name the variable with a valid key in api_key_env, or set the one that LiteLLM reads by itself."
            return JudgeRefused(says, remedy=remedy)
        case known.NotFoundError():
            return JudgeRefused(says, remedy="Check the model's name: PROVIDER/NAME as LiteLLM writes it.")
        case known.BadRequestError() | known.UnprocessableEntityError():
            return FormRefused(
                says, remedy="Check the model's name (PROVIDER/NAME) and the options of the judge's model."
            )
        case known.RateLimitError():
            return ModelUnavailable(says, remedy="Lower max_in_flight, or raise the quota with the provider.")
        case known.JSONSchemaValidationError() | known.APIResponseValidationError():
            return UnusableVerdict(f"The answer of {name!r} cannot be read.")
    return ModelUnavailable(says, remedy="Check whether the provider is reachable from here and working.")
