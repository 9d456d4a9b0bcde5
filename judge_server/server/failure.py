"""A judgment whose only outcome is failure, as a problem document."""

from fastapi import Response

from judge_server.core.errors import (
    BadInput,
    ContextOverflow,
    DeadlineExceeded,
    JudgeFailure,
    ModelUnavailable,
    UnusableVerdict,
)
from judge_server.core.judgment import Judgment
from judge_server.server.problems import problem_response

_RETRY_AFTER_SECONDS = 5.0
_BY_TYPE: dict[str, type[JudgeFailure]] = {
    fault.type: fault for fault in (DeadlineExceeded, ModelUnavailable, ContextOverflow, UnusableVerdict)
}
_NO_JUDGE_TO_BLAME = frozenset({"nothing_applicable", "undefined_reward", "missing_reference"})


def failure_response(judgment: Judgment) -> Response:
    """504, 503, 502 or 422 by the cause, with the judgment beside the reason. Retry-After except where the same request
    would fail again."""
    cause = judgment.error
    kind = cause.type if cause else UnusableVerdict.type
    detail = cause.detail if cause else "No criterion has a verdict."
    family = BadInput if kind in _NO_JUDGE_TO_BLAME else _BY_TYPE.get(kind, JudgeFailure)
    wait = _RETRY_AFTER_SECONDS if family.status >= 500 else None
    return problem_response(
        family(detail, retry_after_seconds=wait, error_type=kind, judgment=judgment.model_dump(mode="json"))
    )
