"""The options of an OpenAI-compatible server, and the parser of ``NAME@ADDRESS,ADDRESS``."""

import re
import ssl
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from judge_server.core.errors import BadConfiguration
from judge_server.core.model import Frozen

StructuredStyle = Literal["json_schema", "structured_outputs", "guided_json", "json_object", "none"]
ThinkingControl = Literal["chat_template_kwargs", "enable_thinking", "reasoning_effort", "none"]
LimitField = Literal["max_tokens", "max_completion_tokens"]
SchemaKeyword = Literal["minLength", "maxLength", "minimum", "maximum", "additionalProperties"]
Omittable = Literal["temperature", "seed", "system"] | SchemaKeyword

# Only the operator can set these, and only harmless fields: no prompt embeddings, templates or grammars.
EXTRA_BODY = frozenset(
    {
        "cache_salt", "chat_template_kwargs", "frequency_penalty", "include_reasoning", "min_p", "presence_penalty",
        "prompt_cache_key", "provider", "reasoning", "reasoning_effort", "repetition_penalty", "safety_identifier",
        "separate_reasoning", "service_tier", "store", "thinking", "top_k", "top_p", "user", "verbosity",
    }
)  # fmt: skip

_SPECIFICATION = re.compile(r"(?P<name>.+?)@(?P<addresses>(?:dns\+)?https?://.+)", re.DOTALL)
_REMEDY = "Write %s:NAME@http://HOST:PORT/v1, with further addresses of the same model behind commas."


class OpenAIOptions(Frozen):
    """``timeout_seconds`` bounds one call on one address, connecting and reading included. ``max_in_flight`` counts for
    each address. The start-up probe determines ``structured``, ``thinking_control`` and ``limit_field`` if they are
    "auto". ``least_tokens``: the smallest token limit that the server accepts. ``omit``: request fields and schema
    keywords that are never sent. ``hedge``: after how many seconds a call is also sent to a second address, or true for
    the 95th percentile of recent answer times; for at most ``hedge_share`` of the calls. ``tokenizer``: the served
    model's tokenizer.json or its folder, from which its control strings are read; ``control_strings``: further strings
    that no outside text may spell. ``preemptible``: those of the addresses that may vanish at any moment, or true for
    all; ``lookup_seconds``: how often names behind ``dns+`` are looked up. ``prompt_lists``: send the label questions
    of a submission in one request, if the server takes lists of token ids."""

    api_key: SecretStr | None = None
    timeout_seconds: float = Field(60.0, gt=0, le=3_600)
    connect_timeout_seconds: float = Field(3.0, gt=0, le=60)
    start_timeout_seconds: float = Field(30.0, gt=0, le=600)
    max_in_flight: int = Field(64, ge=1, le=4_096)
    transport_attempts: int = Field(3, ge=1, le=10)
    hedge: bool | Annotated[float, Field(gt=0, le=3_600)] = False
    hedge_share: float = Field(0.05, gt=0, le=0.5)
    top_logprobs: int = Field(20, ge=0, le=20)
    structured: StructuredStyle | Literal["auto"] = "auto"
    thinking_control: ThinkingControl | Literal["auto"] = "auto"
    effort_without_thinking: Literal["none", "minimal", "low"] = "none"
    effort_with_thinking: Literal["low", "medium", "high"] = "medium"
    limit_field: LimitField | Literal["auto"] = "auto"
    least_tokens: int = Field(1, ge=1, le=1_024)
    omit: frozenset[Omittable] = frozenset()
    send_priority: bool = False
    prompt_lists: bool = True
    preemptible: bool | tuple[str, ...] = False
    lookup_seconds: float = Field(10.0, ge=0.1, le=3_600)
    context_tokens: int | None = Field(None, ge=1)
    tokenizer: Path | None = None
    control_strings: tuple[Annotated[str, Field(min_length=2, max_length=200)], ...] = ()
    extra_body: dict[str, Any] = Field(default_factory=dict)
    tls_verify: bool = True
    tls_ca_file: Path | None = None

    @field_validator("extra_body")
    @classmethod
    def _only_harmless_fields(cls, value: dict[str, Any]) -> dict[str, Any]:
        refused = sorted(set(value) - EXTRA_BODY)
        if refused:
            raise ValueError(f"{', '.join(refused)} cannot be sent; these can: {', '.join(sorted(EXTRA_BODY))}")
        return value


def certificates(options: OpenAIOptions) -> ssl.SSLContext | bool:
    """What a server's certificate is checked with; False: it is not checked. Raises BadConfiguration."""
    if not options.tls_verify or options.tls_ca_file is None:
        return options.tls_verify
    try:
        return ssl.create_default_context(cafile=options.tls_ca_file)
    except (OSError, ssl.SSLError):
        raise BadConfiguration(
            f"tls_ca_file: {str(options.tls_ca_file)!r} holds no certificates that can be read.",
            remedy="Name a file of PEM certificates.",
        ) from None


def members(addresses: tuple[str, ...], options: OpenAIOptions) -> dict[str, bool]:
    """Each address with whether it is preemptible. Raises BadConfiguration if the option names another one."""
    chosen = options.preemptible
    if isinstance(chosen, bool):
        return dict.fromkeys(addresses, chosen)
    known = {name for address in addresses for name in (address, address.removesuffix("/v1"))}
    strange = [one for one in chosen if one.rstrip("/") not in known]
    if strange:
        raise BadConfiguration(
            f"preemptible: {_masked(strange[0])!r} is none of the model's addresses.",
            remedy=f"Name some of {', '.join(addresses)}, or write true for all.",
        )
    named = {one.rstrip("/") for one in chosen}
    return {address: bool(named & {address, address.removesuffix("/v1")}) for address in addresses}


def read_specification(rest: str, provider: str = "openai") -> tuple[str, tuple[str, ...]]:
    """The model's name and its base addresses, without a closing slash. Raises BadConfiguration."""
    remedy = _REMEDY % provider
    match = _SPECIFICATION.fullmatch(rest.strip())
    if match is None:
        raise BadConfiguration(f"{_masked(rest)!r} names no model at an address.", remedy=remedy)
    addresses = tuple(_address(address, remedy) for address in match["addresses"].split(","))
    if len(set(addresses)) < len(addresses):
        raise BadConfiguration(f"An address occurs twice in the specification of the {provider} model.", remedy=remedy)
    return match["name"], addresses


def _address(text: str, remedy: str) -> str:
    address = text.strip().rstrip("/")
    fault = BadConfiguration(f"{_masked(address)!r} is not an http address.", remedy=remedy)
    try:
        parts = urlsplit(address.removeprefix("dns+"))
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise fault from None
    if address.startswith("dns+https"):
        raise BadConfiguration(
            f"{_masked(address)!r} is looked up by name, but certificates are made for names, not for addresses.",
            remedy="Write dns+http:// for servers inside the cluster, or list the https addresses.",
        )
    if not usable:
        raise fault
    if parts.username is not None or parts.password is not None:
        raise BadConfiguration(
            "An address of the model holds a user name or password.",
            remedy="Remove it from the address and name the variable with the key in api_key_env.",
        )
    if parts.query or parts.fragment or address.endswith("/chat/completions"):
        raise BadConfiguration(
            f"The address {address!r} is not a base address.",
            remedy="End it before /chat/completions, usually with /v1.",
        )
    return address


def _masked(text: str) -> str:
    """``text`` without anything that may be a password."""
    return re.sub(r"//[^/@]*@", "//…@", text)
