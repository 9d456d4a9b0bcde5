"""Messages in the shapes of other interfaces, as our own: one shape for whatever client wrote them.

Read are OpenAI's chat messages (with ``function_call`` and role ``function``), items of its Responses API, Anthropic's
blocks (``text``, ``thinking``, ``tool_use``, ``tool_result``), calls written flat, and custom calls. A ``refusal`` is
what the assistant says. Known fields of metadata are left out.

Any other field is metadata or content by what it holds. Metadata is a single value beside content that is read: a
number, true, false or null, or a text of one line, at most 100 characters and no address of a file; or an object of
numbers. It is left out, and its name stays with the message under ``LEFT_OUT``. Anything else may be content and stays,
and so does a name that is nearly one of ours: validation then refuses it with its name.
"""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

LEFT_OUT: Final = object()
"""The key, which no message from outside can have, of the names of metadata that were left out of a message."""

_OURS = frozenset(("role", "content", "reasoning", "reasoning_content", "tool_calls", "tool_call_id", "name"))
_METADATA = frozenset(
    (
        "annotations", "cache_control", "channel", "citations", "created", "created_at", "finish_reason", "id", "index",
        "logprobs", "loss", "loss_weight", "metadata", "model", "object", "provider_specific_fields", "status",
        "stop_reason", "stop_sequence", "timestamp", "trainable", "type", "usage", "weight",
    )
)  # fmt: skip
_BLOCKS = frozenset(("tool_use", "tool_result", "thinking", "redacted_thinking"))
_ARGUMENTS = ("arguments", "input", "args", "parameters")
_CONTENT = frozenset(("content", "reasoning", "reasoning_content", "tool_calls", "refusal", "audio", "text"))
_LONGEST_NAME = 100
_NEARLY = 0.8
_OF_A_CALL = frozenset(
    ("id", "call_id", "type", "index", "name", "status", "provider_specific_fields", "extra_content")
)


def in_our_shape(given: Any) -> Any:
    """The messages of a conversation; anything that is no list, or no object in it, as it is. Raises ValueError that
    names an item of the Responses API which is not read."""
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        return given
    if all(_is_ours(message) for message in given):
        return given
    return [one for message in given for one in _messages(message)]


def _is_ours(message: Any) -> bool:
    return not isinstance(message, Mapping) or (
        _OURS.issuperset(message) and not message.get("tool_calls") and isinstance(message.get("content"), str)
        and message.get("role") != "function"
    )  # fmt: skip


def _messages(message: Any) -> Iterator[Any]:
    if not isinstance(message, Mapping):
        yield message
        return
    if "role" not in message and _kind(message) not in (None, "message"):
        yield _of_item(message)
        return
    kept = {name: value for name, value in message.items() if name not in _METADATA}
    if kept.get("role") == "function":
        kept["role"] = "tool"
    calls = [_call(call) for call in _listed(kept.get("tool_calls"))]
    if isinstance(called := kept.pop("function_call", None), Mapping):
        calls.append(_call(called))
    thoughts = _thoughts(kept.pop("thinking_blocks", None)) or _thoughts(kept.pop("reasoning_details", None))
    kept.pop("reasoning_details", None)
    if isinstance(kept.get("refusal"), str) and not kept.get("content"):
        kept["content"] = kept.pop("refusal")
    content = kept.get("content")
    if isinstance(content, list) and any(_kind(one) in _BLOCKS for one in content):
        yield from _results(content)
        thoughts += _thoughts([one for one in content if _kind(one) == "thinking"])
        calls += [_call(one) for one in content if _kind(one) == "tool_use"]
        rest = [one for one in content if _kind(one) not in _BLOCKS]
        if not rest and not calls and not thoughts:
            return  # a turn of results alone
        kept["content"] = [_without_metadata(one) for one in rest]
    if calls:
        kept["tool_calls"] = [call for call, _ in calls]
    if thoughts and not kept.get("reasoning") and not kept.get("reasoning_content"):
        kept["reasoning"] = "\n\n".join(thoughts)
    yield _without_unknown(kept, [name for _, names in calls for name in names])


def _without_unknown(message: dict[Any, Any], left: list[str]) -> dict[Any, Any]:
    """The message without unknown metadata, with its names after those in ``left``."""
    if any(message.get(name) for name in ("content", "reasoning", "reasoning_content", "tool_calls")):
        unknown = [name for name in message if name not in _OURS and name not in _CONTENT]
        for name in unknown:
            misspelt = get_close_matches(str(name), _OURS, 1, _NEARLY)
            if _is_metadata(message[name]) and not misspelt:
                del message[name]
                left.append(str(name))
    return message | {LEFT_OUT: tuple(left)} if left else message


def _is_metadata(value: Any) -> bool:
    """Whether an unknown field says something about a message, and is no part of what is said."""
    if isinstance(value, str):
        one_line = len(value) <= _LONGEST_NAME and "\n" not in value
        return one_line and "://" not in value and not value.startswith("data:")
    if isinstance(value, Mapping):
        return all(one is None or isinstance(one, bool | int | float) for one in value.values())
    return value is None or isinstance(value, bool | int | float) or value in ([], ())


def _kind(given: Any) -> str | None:
    """The ``type`` of a block or an item, if it is a text."""
    kind = given.get("type") if isinstance(given, Mapping) else None
    return kind if isinstance(kind, str) else None


def _listed(given: Any) -> Sequence[Any]:
    """A list, or nothing for any other value, which validation then refuses."""
    return given if isinstance(given, list | tuple) else ()


def _of_item(item: Mapping[str, Any]) -> dict[Any, Any]:
    """A message of one item of the Responses API."""
    match item["type"]:
        case "function_call" | "custom_tool_call":
            call, left = _call(item)
            return {"role": "assistant", "content": "", "tool_calls": [call], LEFT_OUT: tuple(left)}
        case "reasoning":
            parts = [*_listed(item.get("content")), *_listed(item.get("summary"))]
            return {"role": "assistant", "content": "", "reasoning": "\n\n".join(_thoughts(parts))}
        case "function_call_output" | "custom_tool_call_output":
            return {"role": "tool", "content": item.get("output"), "tool_call_id": item.get("call_id")}
        case kind:
            raise ValueError(f"an item of type {kind!r} is not read: it may be content")


def _call(call: Any) -> tuple[Any, list[str]]:
    """A tool call with its function's name and arguments, whatever wrote it, and the names of unknown metadata that
    was left out. A field that may hold the arguments stays, and is refused."""
    if not isinstance(call, Mapping):
        return call, []
    held = next((name for name in ("function", "custom") if isinstance(call.get(name), Mapping)), None)
    inner = call if held is None else call[held]
    given = next((inner[name] for name in _ARGUMENTS if inner.get(name) is not None), None)
    arguments = "{}" if given is None else given
    called = next((call[name] for name in ("call_id", "id") if isinstance(call.get(name), str)), None)
    known = _OF_A_CALL.union(_ARGUMENTS, () if held is None else (held,))
    unknown = {name: value for part in (call, inner) for name, value in part.items() if name not in known and value}
    left = [] if given is None else [f"tool_calls.{name}" for name, value in unknown.items() if _is_metadata(value)]
    kept = {name: value for name, value in unknown.items() if given is None or not _is_metadata(value)}
    function = {"name": inner.get("name"), "arguments": "{}" if arguments == "" else arguments}
    return {"id": called, "function": function, **kept}, left


def _results(content: Sequence[Any]) -> Iterator[dict[str, Any]]:
    """Anthropic writes the results of tools into a user's turn."""
    for block in content:
        if isinstance(block, Mapping) and _kind(block) == "tool_result":
            said = block.get("content")
            parts = [_without_metadata(one) for one in said] if isinstance(said, list) else said
            yield {"role": "tool", "content": parts, "tool_call_id": block.get("tool_use_id")}


def _thoughts(blocks: Any) -> list[str]:
    found = (one.get("thinking") or one.get("text") for one in _listed(blocks) if isinstance(one, Mapping))
    return [text for text in found if isinstance(text, str) and text]


def _without_metadata(part: Any) -> Any:
    if not isinstance(part, Mapping):
        return part
    return {name: value for name, value in part.items() if name == "type" or name not in _METADATA}
