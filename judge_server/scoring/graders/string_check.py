"""``string_check``: 1 or 0."""

from collections.abc import Callable

from judge_server.core.grader import StringCheck
from judge_server.scoring.graders.grader_input import GraderInput

_OPERATIONS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda given, wanted: given == wanted,
    "ne": lambda given, wanted: given != wanted,
    "like": lambda given, wanted: wanted in given,
    "ilike": lambda given, wanted: wanted.casefold() in given.casefold(),
}


def check_string(grader: StringCheck, material: GraderInput) -> float:
    """Raises GraderFailed where a template cannot be filled."""
    holds = _OPERATIONS[grader.operation](material.text(grader.input), material.text(grader.reference))
    return 1.0 if holds else 0.0
