"""A judgment whose only outcome is failure, as a problem document."""

from fastapi import Response

from judge_server.core.errors import BadInput, ContextOverflow, DeadlineExceeded, JudgeFailure, ModelUnavailable
from judge_server.core.judgment import Judgment
from judge_server.server.problems import problem_response

_RETRY_AFTER_SECONDS = 5.0
_BY_TYPE: dict[str, type[JudgeFailure]] = {
    fault.type: fault for fault in (DeadlineExceeded, ModelUnavailable, ContextOverflow)
}
_NO_JUDGE_TO_BLAME = frozenset({"nothing_applicable", "undefined_reward", "missing_reference"})


def failure_response(judgment: Judgment) -> Response:
    """504, 503, 422 or 502 by the cause, with the judgment beside the reason. Retry-After where waiting helps."""
    cause = judgment.error
    kind = cause.type if cause else "unusable_verdict"
    detail = cause.detail if cause else "No criterion has a verdict."
    body = judgment.model_dump(mode="json")
    if kind in _NO_JUDGE_TO_BLAME:
        return problem_response(BadInput(detail, error_type=kind, judgment=body))
    family = _BY_TYPE.get(kind, JudgeFailure)
    wait = _RETRY_AFTER_SECONDS if family in (DeadlineExceeded, ModelUnavailable) else None
    fault = family(detail, retry_after_seconds=wait, error_type=kind, judgment=body)
    return problem_response(fault)
