"""A call of a tool, as a model wrote it."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator

from judge_server.core.model import Frozen
from judge_server.util.canonical import as_json, canonical_json


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
