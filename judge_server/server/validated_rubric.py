"""A rubric's text as an author sends it: parsed, checked and linted."""

import asyncio
from collections.abc import Callable
from typing import Final, TypeVar

from judge_server.authoring.finding import RubricFinding, Severity
from judge_server.authoring.lint import errors, lint
from judge_server.authoring.parsing import Parsed, parse
from judge_server.core.caller import current_caller
from judge_server.core.errors import BadRubric
from judge_server.judging import checks
from judge_server.util.apart import NotDone, apart

T = TypeVar("T")
_AT_ONCE_CHARACTERS: Final = 20_000


async def unblocking(work: Callable[[bytes | str], T], text: bytes | str) -> T:
    """The result of ``publishable`` or ``validated``; of a long text in the process for those, in which callers take
    turns. Raises BadRubric."""
    if len(text) <= _AT_ONCE_CHARACTERS:
        return await asyncio.to_thread(work, text)
    try:
        return await apart(current_caller.get().name, work, text)
    except NotDone as fault:
        raise BadRubric(f"The rubric cannot be read: {fault}.", remedy="Split it into several.") from None


def read_rubric(text: bytes | str) -> tuple[Parsed, list[RubricFinding]]:
    """Parse and lint. Raises BadRubric. A large rubric takes a noticeable part of a second, so call it in a thread."""
    parsed = parse(text)
    checks.check_specifications(parsed.rubric)
    return parsed, lint(parsed)


def publishable(text: bytes | str) -> tuple[Parsed, list[RubricFinding]]:
    """Parse and lint. Raises BadRubric for what is no valid rubric, and for findings that prevent publication."""
    parsed, findings = read_rubric(text)
    if faults := errors(findings):
        shown = [fault.model_dump(mode="json") for fault in faults]
        raise BadRubric(f"{faults[0]}", remedy="Correct the findings, then try again.", findings=shown)
    return parsed, findings


def validated(text: bytes | str) -> tuple[Parsed | None, list[RubricFinding]]:
    """None with the errors of a text that is no valid rubric; else the rubric with the advice about it."""
    try:
        return read_rubric(text)
    except BadRubric as fault:
        found = [RubricFinding.model_validate(finding) for finding in fault.extensions.get("findings", ())]
        return None, found or [
            RubricFinding(rule="invalid", severity=Severity.ERROR, message=fault.detail, suggestion=fault.remedy)
        ]
