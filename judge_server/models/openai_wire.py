"""Requests as bodies of ``/chat/completions``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import orjson

from judge_server.core.caller import current_caller
from judge_server.models.openai_options import LimitField, Omittable, StructuredStyle, ThinkingControl
from judge_server.models.protocol import LabelBatch, Labels, Prompt, Request, Segment, Structured
from judge_server.models.reserved import UNKNOWN, ControlStrings
from judge_server.util.apart import apart
from judge_server.util.parsing import writable

# All criteria on one response share its texts. Only the last few long texts are kept.
_SHORT_CHARACTERS = 16_384
_broken = lru_cache(maxsize=2_048)(ControlStrings.broken)
_broken_long = lru_cache(maxsize=8)(ControlStrings.broken)


Relisting = Literal["logprob_token_ids", "structured_outputs", "guided_choice", "logit_bias", "none"]
_BIAS = 50
_AT_ONCE_CHARACTERS = 20_000  # breaking control strings takes 0.3 ms for each 1,000


@dataclass(frozen=True, slots=True)
class Dialect:
    """How requests to this server are written. ``top_logprobs``: 0 if it gives no probabilities; ``relisting``: how it
    is asked for the probabilities of labels that it did not list; ``strings``: what is broken in outside text;
    ``plain_labels``: it lists probabilities as the temperature changes them, so label questions are asked at 1."""

    thinking: ThinkingControl = "chat_template_kwargs"
    structured: StructuredStyle = "json_schema"
    limit_field: LimitField = "max_tokens"
    least_tokens: int = 1
    top_logprobs: int = 20
    omit: frozenset[Omittable] = frozenset()
    relisting: Relisting = "none"
    effort_off: str = "none"
    effort_on: str = "medium"
    priority: bool = False
    strings: ControlStrings = UNKNOWN
    plain_labels: bool = False

    def temperature(self, request: Request) -> float:
        """At which the request is sent. That of a label question changes no answer: nothing is drawn."""
        labels = isinstance(request.answer, Labels | LabelBatch)
        return 1.0 if self.plain_labels and labels else request.sampling.temperature


def plain_text(segments: Iterable[Segment], strings: ControlStrings = UNKNOWN) -> str:
    """The text of segments, in which no outside text spells a control string of a chat template."""
    return "".join([one.text if one.trusted else broken(one.text, strings) for one in segments])


def messages_of(prompt: Prompt, strings: ControlStrings = UNKNOWN) -> list[dict[str, str]]:
    """The turns as messages."""
    return [{"role": turn.role, "content": plain_text(turn.segments, strings)} for turn in prompt.turns]


def _messages(prompt: Prompt, dialect: Dialect) -> list[dict[str, str]]:
    """The messages; without a system's, what it would say begins the user's."""
    messages = messages_of(prompt, dialect.strings)
    if "system" not in dialect.omit:
        return messages
    return [{"role": "user", "content": "\n\n".join(message["content"] for message in messages)}]


_Written = tuple[str, Dialect, Mapping[str, Any], Mapping[str, Any] | None]


def chat_body(
    request: Request, model: str, dialect: Dialect, extra: Mapping[str, Any], favoured: Mapping[str, Any] | None = None
) -> bytes:
    """The JSON body. The request's own fields take precedence over ``extra``, the fields set by the operator.
    ``favoured``: the fields of ``favouring``, added to a label question."""
    body: dict[str, Any] = {
        **extra,
        "model": model,
        "messages": _messages(request.prompt, dialect),
        "stream": False,
    }
    if "temperature" not in dialect.omit:
        body["temperature"] = dialect.temperature(request)
    if request.sampling.seed is not None and "seed" not in dialect.omit:
        body["seed"] = request.sampling.seed
    if dialect.priority:
        body["priority"] = int(request.priority)
    if isinstance(request.answer, Labels):
        _ask_labels(body, dialect)
    else:
        _ask_structured(body, request.structured, request.thinking_tokens, dialect)
    return _encode({**body, **(favoured or {})})


async def unblocking_chat_body(request: Request, *written: *_Written) -> bytes:
    """``chat_body``, of long texts in a process of its own."""
    if request.prompt.characters <= _AT_ONCE_CHARACTERS:
        return chat_body(request, *written)
    return await apart(current_caller.get().name, chat_body, request, *written)


def favouring(relisting: Relisting, words: Sequence[str], token_ids: Sequence[int]) -> dict[str, Any]:
    """The fields by which a server lists the probabilities of ``words``, whose tokens are ``token_ids``: asked for by
    id, or the only answers allowed, or with the same bias on each, which keeps their odds."""
    match relisting:
        case "logprob_token_ids":
            return {"logprob_token_ids": list(token_ids)}
        case "structured_outputs":
            return {"structured_outputs": {"choice": list(words)}}
        case "guided_choice":
            return {"guided_choice": list(words)}
        case "logit_bias":
            return {"logit_bias": {str(token_id): _BIAS for token_id in token_ids}}
        case "none":
            return {}


def _without(schema: Any, omitted: frozenset[Omittable]) -> Any:
    """``schema`` without the ``omitted`` keywords; names of properties are not keywords."""
    if not omitted or not isinstance(schema, dict):
        return schema
    return {
        name: {key: _without(inner, omitted) for key, inner in value.items()}
        if name == "properties"
        else _without(value, omitted)
        for name, value in schema.items()
        if name not in omitted
    }


def _ask_labels(body: dict[str, Any], dialect: Dialect) -> None:
    body[dialect.limit_field] = dialect.least_tokens
    if dialect.top_logprobs:
        body["logprobs"] = True
        body["top_logprobs"] = dialect.top_logprobs
    _control_thinking(body, False, dialect)  # one token leaves no room for thinking


def _ask_structured(body: dict[str, Any], answer: Structured, thinking_tokens: int | None, dialect: Dialect) -> None:
    body[dialect.limit_field] = max(answer.max_tokens + (thinking_tokens or 0), dialect.least_tokens)
    schema = _without(answer.schema, dialect.omit)
    _control_thinking(body, thinking_tokens is not None, dialect)
    match dialect.structured:
        case "json_schema":
            wanted = {"name": answer.name, "schema": schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": wanted}
        case "structured_outputs":
            body["structured_outputs"] = {"json": schema}
        case "guided_json":
            body["guided_json"] = schema
        case "json_object":
            body["response_format"] = {"type": "json_object", "schema": schema}
        case "none":
            pass


def _control_thinking(body: dict[str, Any], on: bool, dialect: Dialect) -> None:
    match dialect.thinking:
        case "chat_template_kwargs":  # model families use one of these two names; a template ignores the other
            given = body.get("chat_template_kwargs")
            switches = {"enable_thinking": on, "thinking": on}
            body["chat_template_kwargs"] = {**given, **switches} if isinstance(given, dict) else switches
        case "enable_thinking":
            body["enable_thinking"] = on
        case "reasoning_effort":
            body["reasoning_effort"] = dialect.effort_on if on else dialect.effort_off
        case "none":
            pass


def broken(text: str, strings: ControlStrings = UNKNOWN) -> str:
    """``text`` with its control strings broken."""
    return _broken(strings, text) if len(text) <= _SHORT_CHARACTERS else _broken_long(strings, text)


def _encode(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body)
    except TypeError:  # a lone surrogate, which JSON can escape but UTF-8 cannot encode
        for message in body["messages"]:
            message["content"] = writable(message["content"])
        return orjson.dumps(body)
