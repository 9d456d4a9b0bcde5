"""Checks of structure: ``tags`` (XML-like elements), ``json`` and ``tool_call``."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from judge_server.core.check import JsonCheck, TagsCheck, ToolCallCheck, ToolSchemaCheck
from judge_server.core.tool_call import ToolCall
from judge_server.judging.checks import schema
from judge_server.judging.checks.interface import CheckFailed, CheckFinding, CheckInput, counted, passed, quoted
from judge_server.util.canonical import canonical_json
from judge_server.util.parsing import MOST_LEVELS, begins_too_deep


def find_tags(spec: TagsCheck, check_input: CheckInput) -> CheckFinding:
    fault = _tag_fault(spec, check_input.text)
    return passed(fault is None, fault or "the elements are as required: " + ", ".join(f"<{n}>" for n in spec.required))


def _tag_fault(spec: TagsCheck, text: str) -> str | None:
    elements: list[str] = []
    outside: list[str] = []
    opened: str | None = None
    position = 0
    for match in _markers(spec.required).finditer(text):
        closing, name = match.groups()
        if opened is None:
            outside.append(text[position : match.start()])
        if not closing and opened is None:
            opened = name
        elif closing and opened == name:
            elements.append(name)
            opened = None
        else:
            return f"{match.group()} is misplaced"
        position = match.end()
    if opened is not None:
        return f"<{opened}> is not closed"
    outside.append(text[position:])
    return _disorder(spec, elements) or _stray(spec, outside)


def _disorder(spec: TagsCheck, elements: list[str]) -> str | None:
    times = Counter(elements)
    for name in spec.required:
        if not times[name]:
            return f"<{name}> is missing"
        if spec.once and times[name] > 1:
            return f"<{name}> occurs {times[name]} times"
    if spec.order and list(dict.fromkeys(elements)) != list(dict.fromkeys(spec.required)):
        return "the elements are in another order: " + ", ".join(f"<{name}>" for name in dict.fromkeys(elements))
    return None


def _stray(spec: TagsCheck, outside: list[str]) -> str | None:
    return "there is text outside the elements" if spec.exclusive and any(piece.strip() for piece in outside) else None


@lru_cache(maxsize=1_024)
def _markers(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"<(/?)({'|'.join(sorted(map(re.escape, set(names)), key=len, reverse=True))})>")


MOST_BRACES = 20
_FENCE = re.compile(r"^[ \t]{0,3}```[^\n`]{0,100}$", re.MULTILINE)


class NotJson(ValueError):
    """The text is not JSON; the message says why in one short sentence."""


def prepare_json(spec: JsonCheck) -> None:
    if spec.json_schema is not None:
        schema.check(spec.json_schema)


def find_json(spec: JsonCheck, check_input: CheckInput) -> CheckFinding:
    try:
        value = _EXTRACTORS[spec.extract](check_input.text)
    except NotJson as problem:
        return passed(False, str(problem))
    if spec.schema_text is None:
        return passed(True, "valid JSON")
    fault = schema.fault(spec.schema_text, value)
    return passed(fault is None, f"the JSON does not fit the schema: {fault}" if fault else "JSON that fits the schema")


def parse(text: str) -> Any:
    """Strict JSON: no NaN, no infinity. Raises NotJson, and CheckFailed for more than ``MOST_LEVELS`` levels."""
    if begins_too_deep(text, MOST_LEVELS):
        raise _too_deep()
    try:
        return _DECODER.decode(text)
    except ValueError as fault:
        raise NotJson(f"not valid JSON: {str(fault)[:120]}") from None


def _too_deep() -> CheckFailed:
    return CheckFailed(f"The JSON is nested too deeply to be read: {MOST_LEVELS} levels are the most.")


def _fenced(text: str) -> Any:
    fences = list(islice(_FENCE.finditer(text), 2))
    if not fences:
        raise NotJson("there is no fenced block")
    end = fences[1].start() if len(fences) > 1 else len(text)
    return parse(text[fences[0].end() : end])


def _unfenced(text: str) -> Any:
    """The whole text, which may stand in one fence."""
    fences = list(islice(_FENCE.finditer(text), 3))
    wrapped = len(fences) == 2 and not (text[: fences[0].start()] + text[fences[1].end() :]).strip()
    return parse(text[fences[0].end() : fences[1].start()] if wrapped else text)


def _first(text: str) -> Any:
    """The first JSON object that starts at one of the first ``MOST_BRACES`` opening braces."""
    for start in islice(_positions(text, "{"), MOST_BRACES):
        if begins_too_deep(text, MOST_LEVELS, start):
            raise _too_deep()
        try:
            return _DECODER.raw_decode(text, start)[0]
        except ValueError:
            continue
    raise NotJson(f"no JSON object starts at the first {MOST_BRACES} opening braces")


def _positions(text: str, wanted: str) -> Iterator[int]:
    position = text.find(wanted)
    while position >= 0:
        yield position
        position = text.find(wanted, position + 1)


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_EXTRACTORS: dict[str, Callable[[str], Any]] = {
    "whole": parse,
    "unfenced": _unfenced,
    "fenced": _fenced,
    "first": _first,
}


MOST_CALLS = 200


def prepare_tool_calls(spec: ToolCallCheck) -> None:
    if spec.arguments is not None:
        schema.check(spec.arguments)


def find_tool_calls(spec: ToolCallCheck, check_input: CheckInput) -> CheckFinding:
    called = [call.function.name for call in check_input.tool_calls]
    banned = next((name for name in called if name in spec.forbidden), None)
    if banned is not None:
        return passed(False, f"the forbidden tool {quoted(banned)} is called")
    calls = [call for call in check_input.tool_calls if not spec.names or call.function.name in spec.names]
    number = _fitting(spec, calls) if spec.schema_texts else len(calls)
    what = " or ".join(sorted(spec.names)) + " calls" if spec.names else "tool calls"
    return counted(number, f"{what} with the arguments asked for" if spec.schema_texts else what, spec.least, spec.max)


def _fitting(spec: ToolCallCheck, calls: Sequence[ToolCall]) -> int:
    """How many calls have fitting arguments; together they share the work budget of one JSON check."""
    if len(calls) > MOST_CALLS:
        raise CheckFailed(
            f"The response makes {len(calls)} such calls; the arguments of at most {MOST_CALLS} are checked."
        )
    steps = schema.MOST_STEPS // max(1, len(calls))
    return sum(_fits(spec, call, steps) for call in calls)


def _fits(spec: ToolCallCheck, call: ToolCall, steps: int) -> bool:
    try:
        arguments = parse(call.function.arguments)
    except NotJson:
        return False
    return all(schema.fault(text, arguments, steps) is None for text in spec.schema_texts)


def find_tool_schema(spec: ToolSchemaCheck, check_input: CheckInput) -> CheckFinding:
    known = _tools(check_input.compared_with(spec, None))
    calls = check_input.tool_calls
    if len(calls) > MOST_CALLS:
        raise CheckFailed(f"The response makes {len(calls)} calls; at most {MOST_CALLS} are checked.")
    steps = schema.MOST_STEPS // max(1, len(calls))
    for call in calls:
        fault = _call_fault(call, known, steps)
        if fault:
            return passed(False, f"the call of {quoted(call.function.name)} {fault}")
    return passed(True, f"{len(calls)} calls fit the tools of the reference")


def _call_fault(call: ToolCall, known: dict[str, str], steps: int) -> str | None:
    if call.function.name not in known:
        return "names no tool of the reference"
    try:
        arguments = parse(call.function.arguments)
    except NotJson:
        return "has arguments that are not JSON"
    fault = schema.fault(known[call.function.name], arguments, steps)
    return f"has arguments that do not fit: {fault}" if fault else None


@lru_cache(maxsize=256)
def _tools(reference: str) -> dict[str, str]:
    """Schemas in canonical form by the tool's name, from OpenAI's, Anthropic's or a plain form of tool definitions."""
    try:
        given = parse(reference)
        listed = given["tools"] if isinstance(given, dict) else given
        found = [tool.get("function", tool) for tool in listed]
        schemas = {str(one["name"]): one.get("parameters", one.get("input_schema", {})) for one in found}
        for one in schemas.values():
            schema.check(one)
    except (NotJson, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise CheckFailed(
            f"The reference holds no list of tools ({str(fault)[:80]}).",
            remedy='Send a JSON list of {"name": …, "parameters": JSON Schema}.',
        ) from None
    return {name: canonical_json(one) for name, one in schemas.items()}
