"""A judgment whose only outcome is failure, as a problem document."""

from typing import Any

from fastapi import Response

from judge_server.core.errors import (
    BadInput,
    ContextOverflow,
    DeadlineExceeded,
    GraderFailed,
    GraderUnavailable,
    JudgeFailure,
    JudgeServerError,
    ModelUnavailable,
    UnusableVerdict,
)
from judge_server.core.judgment import Judgment
from judge_server.core.verdict import Failure
from judge_server.server.problems import problem_response

_RETRY_AFTER_SECONDS = 5.0
_BY_TYPE: dict[str, type[JudgeFailure]] = {
    fault.type: fault
    for fault in (
        DeadlineExceeded,
        ModelUnavailable,
        ContextOverflow,
        UnusableVerdict,
        GraderFailed,
        GraderUnavailable,
    )
}
_NO_JUDGE_TO_BLAME = frozenset({"nothing_applicable", "undefined_reward", "missing_reference"})


def failure_response(judgment: Judgment) -> Response:
    """504, 503, 502 or 422 by the cause, with the judgment beside the reason. Retry-After except where the same request
    would fail again."""
    cause = judgment.error or Failure(type=UnusableVerdict.type, detail="No criterion has a verdict.")
    return failure_problem(cause, judgment=judgment.model_dump(mode="json"))


def failure_problem(cause: Failure, remedy: str | None = None, **extensions: Any) -> Response:
    """The same for a cause alone."""
    return problem_response(failure_of(cause, remedy, **extensions))


def failure_of(cause: Failure, remedy: str | None = None, **extensions: Any) -> JudgeServerError:
    """The error that a cause is answered with; ``extensions`` go into the problem document."""
    family = BadInput if cause.type in _NO_JUDGE_TO_BLAME else _BY_TYPE.get(cause.type, JudgeFailure)
    wait = _RETRY_AFTER_SECONDS if family.status >= 500 else None
    return family(cause.detail, remedy=remedy, retry_after_seconds=wait, error_type=cause.type, **extensions)
