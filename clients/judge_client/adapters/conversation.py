"""Messages of any library, as plain ones that a judge can read, taken apart into the prompt and the response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from judge_client.sample import require_message

_MEMBERS = ("role", "content", "reasoning", "reasoning_content", "tool_call_id", "name")
_OF_THE_MODEL = ("assistant", "tool")


def plain(message: Any) -> dict[str, Any]:
    """One message, of pydantic or a mapping, with the members that the server knows."""
    given = _mapping(message)
    found = {name: given[name] for name in _MEMBERS if given.get(name) is not None}
    calls = [_call(_mapping(call)) for call in given.get("tool_calls") or ()]
    return {**found, "tool_calls": calls} if calls else found


def parted(messages: Sequence[Any], first: int = 0) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What went before, and the model's last turns with their tool results. ``first``: the place of the first message
    that the model wrote itself; those before it are in the prompt, whoever speaks in them. Raises BadSample for what
    is no message."""
    given = [_mapping(message) for message in messages]
    for place, message in enumerate(given):
        require_message(message, "messages", place)
    told = [plain(message) for message in given]
    start = len(told)
    while start > first and told[start - 1]["role"] in _OF_THE_MODEL:
        start -= 1
    return told[:start], told[start:]


def _mapping(given: Any) -> Mapping[str, Any]:
    found: Mapping[str, Any] = given.model_dump() if hasattr(given, "model_dump") else given
    return found


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    """``{"function": {…}}`` of chat APIs, ``{"custom": {…}}``, or name and arguments side by side."""
    inner = call.get("function") or call.get("custom") or call
    arguments = inner.get("arguments", inner.get("input")) or ""
    found = {"type": "function", "function": {"name": inner["name"], "arguments": arguments}}
    return found if call.get("id") is None else {**found, "id": call["id"]}
