"""``tool_call``: which tools the response calls, with what arguments, and how often."""

from collections.abc import Sequence

from judge_server.core.check import ToolCallCheck
from judge_server.core.message import ToolCall
from judge_server.judging.checks import schema
from judge_server.judging.checks.check_input import CheckInput
from judge_server.judging.checks.finding import CheckFailed, Finding, counted, passed, quoted
from judge_server.judging.checks.json_text import NotJson, parse

MOST_CALLS = 200


def prepare(spec: ToolCallCheck) -> None:
    if spec.arguments is not None:
        schema.check(spec.arguments)


def find(spec: ToolCallCheck, material: CheckInput) -> Finding:
    called = [call.function.name for call in material.tool_calls]
    banned = next((name for name in called if name in spec.forbidden), None)
    if banned is not None:
        return passed(False, f"the forbidden tool {quoted(banned)} is called")
    calls = [call for call in material.tool_calls if not spec.names or call.function.name in spec.names]
    number = _fitting(spec, calls) if spec.schema_texts else len(calls)
    what = " or ".join(sorted(spec.names)) + " calls" if spec.names else "tool calls"
    return counted(number, f"{what} with the arguments asked for" if spec.schema_texts else what, spec.least, spec.max)


def _fitting(spec: ToolCallCheck, calls: Sequence[ToolCall]) -> int:
    """The calls whose arguments fit; together they have the work of one JSON check."""
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
