"""Items of OpenAI's Responses API as messages.

Source: the ``openai`` package's ``types/responses`` (2.x). Supported items: messages, function calls with their
outputs, and reasoning.
"""

from typing import Any

from judge_server.core.errors import BadSubmission

_TEXT_PARTS = frozenset({"input_text", "output_text", "text", "reasoning_text", "summary_text", "refusal"})


def messages_of(items: Any, where: str) -> list[dict[str, Any]]:
    """Messages in order; reasoning is attached to the assistant message that follows it. Raises BadSubmission that
    names the item at fault."""
    if isinstance(items, str):
        return [{"role": "user", "content": items}]
    if not isinstance(items, list):
        raise _unreadable(where, "it is neither text nor a list of items")
    messages: list[dict[str, Any]] = []
    thoughts: list[str] = []
    for place, item in enumerate(items):
        if not isinstance(item, dict):
            raise _unreadable(f"{where}[{place}]", "it is no object")
        kind = item.get("type", "message")
        if kind == "reasoning":
            thoughts.append(_text(item.get("content") or item.get("summary"), f"{where}[{place}]"))
            continue
        message = _message(kind, item, f"{where}[{place}]")
        if thoughts and message["role"] == "assistant":
            message["reasoning"], thoughts = "\n\n".join(thoughts), []
        messages.append(message)
    if thoughts:
        messages.append({"role": "assistant", "content": "", "reasoning": "\n\n".join(thoughts)})
    return messages


def _message(kind: Any, item: dict[str, Any], where: str) -> dict[str, Any]:
    match kind:
        case "message":
            return {"role": item.get("role"), "content": _text(item.get("content"), where)}
        case "function_call":
            function = {"name": item.get("name"), "arguments": item.get("arguments") or "{}"}
            call = {"id": item.get("call_id"), "function": function}
            return {"role": "assistant", "content": "", "tool_calls": [call]}
        case "function_call_output":
            return {"role": "tool", "content": _text(item.get("output"), where), "tool_call_id": item.get("call_id")}
    raise _unreadable(where, f"items of type {str(kind)[:40]!r} are not known")


def _text(content: Any, where: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        raise _unreadable(where, "its content is neither text nor a list of parts")
    return "".join(_part(part, where) for part in content)


def _part(part: Any, where: str) -> str:
    kind = part.get("type") if isinstance(part, dict) else None
    text = part.get("refusal" if kind == "refusal" else "text") if isinstance(part, dict) else None
    if not (isinstance(kind, str) and kind in _TEXT_PARTS and isinstance(text, str)):
        raise _unreadable(where, "a part of its content is no text, and the judge reads text only")
    return text


def _unreadable(where: str, why: str) -> BadSubmission:
    return BadSubmission(
        f"{where}: {why}.", remedy="Send messages, function calls, their outputs and reasoning, as text."
    )
