"""Conversations in the common format of chat APIs."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AliasChoices, Field, field_validator, model_validator

from judge_server.core.model import Frozen
from judge_server.util.canonical import as_json, canonical_json

Role = Literal["system", "developer", "user", "assistant", "tool"]


def encodable(text: str) -> str:
    """``text`` itself. Raises ValueError if it holds half a surrogate pair, which UTF-8 cannot encode."""
    try:
        text.encode()
    except UnicodeEncodeError as fault:
        raise ValueError(f"a text is not valid Unicode ({fault.reason}): replace the character") from fault
    return text


class FunctionCall(Frozen):
    """``arguments`` is the JSON text that the model wrote, valid or not."""

    name: str = Field(min_length=1, max_length=200)
    arguments: str = "{}"

    @field_validator("arguments", mode="before")
    @classmethod
    def _keep_as_text(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            return canonical_json(as_json(dict(given)))
        return given


class ToolCall(Frozen):
    id: str | None = None
    type: Literal["function"] = "function"
    function: FunctionCall


_FOREIGN = frozenset({"annotations", "audio", "function_call", "reasoning", "reasoning_content", "refusal"})


class Message(Frozen):
    """One turn. Text parts in ``content`` are joined; other parts are refused."""

    role: Role
    content: str = ""
    reasoning: str | None = Field(default=None, validation_alias=AliasChoices("reasoning", "reasoning_content"))
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _drop_what_says_nothing(cls, given: Any) -> Any:
        """Client libraries write every field of their message type (``refusal: null``, ``annotations: []``)."""
        if not isinstance(given, Mapping):
            return given
        kept = {key: value for key, value in given.items() if key not in _FOREIGN or value not in (None, [], ())}
        if kept.get("reasoning") is not None and kept.get("reasoning") == kept.get("reasoning_content"):
            del kept["reasoning_content"]
        return kept

    @field_validator("content", mode="before")
    @classmethod
    def _join_text_parts(cls, given: Any) -> Any:
        if given is None:
            return ""
        if isinstance(given, Sequence) and not isinstance(given, str | bytes):
            return "".join(_text_of_part(part) for part in given)
        return given

    @field_validator("tool_calls", mode="before")
    @classmethod
    def _none_is_empty(cls, given: Any) -> Any:
        return () if given is None else given


def _text_of_part(part: Any) -> str:
    if isinstance(part, Mapping) and part.get("type") in ("text", "input_text", "output_text"):
        text = part.get("text")
        if isinstance(text, str):
            return text
    raise ValueError("a content part must be {type: text, text: ...}: the judge reads text only")


Conversation = Annotated[tuple[Message, ...], Field(min_length=1, max_length=10_000)]
