"""A rubric's text as an author sends it: parsed, checked and linted."""

from judge_server.authoring.finding import RubricFinding, Severity
from judge_server.authoring.lint import errors, lint
from judge_server.authoring.parsing import Parsed, parse
from judge_server.core.errors import BadRubric
from judge_server.judging import checks


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
