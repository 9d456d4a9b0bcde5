"""Everything that can go wrong, as one tree.

JudgeClientError
├── BadConfiguration       an argument or an environment variable cannot be used (a ValueError too)
├── BadSample              a sample is no JSON: NaN, or an object that JSON does not know (a ValueError too)
├── JudgeFailed            there is no reward, and the policy is to raise; ``judgments`` say why
├── RewardChanged          the rubric or the judge is another than the first judgment named (``on_change``)
├── Momentary              nothing came of it this time; the same call may succeed later
│   ├── Unreachable              no connection, or it broke, its retries included
│   ├── DeadlineExceeded         the call's deadline passed, or the server's (504)
│   ├── Overloaded          429
│   │   └── Draining        503  the server is stopping
│   ├── ServerFailure       5xx  any other fault of the server, or of a proxy before it
│   └── UnreadableAnswer         what came is not what the protocol promises: no JSON, NaN, a field of another type
└── Refused                4xx  what was sent cannot be used, now or later
    ├── BadInput       400, 422
    │   ├── BadRubric
    │   ├── BadSubmission
    │   ├── BadGrader
    │   ├── GraderFailed         a grader has no value for this sample
    │   ├── UnboundRubric        nothing names a rubric
    │   └── UnsplitText          prompt and response cannot be told apart
    ├── NotFound            404
    │   ├── UnknownRubric
    │   ├── UnknownJudge
    │   ├── UnknownJudgment
    │   └── UnknownJob
    ├── RubricConflict      409
    ├── JobConflict         409
    ├── NotCalibrated       409
    ├── RubricNotAllowed    409
    ├── PrereleaseRefused   409  a rubric version that may still change is refused for training
    ├── TooLarge            413
    ├── UploadStalled       408  an upload of a job sent nothing for too long
    ├── Unauthorized        401
    └── Forbidden           403

Errors of the server are made from its problem documents (RFC 9457): ``slug`` is what follows
``urn:judge-server:error:`` in their type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from judge_client.judgment import Failure, Judgment


class JudgeClientError(Exception):
    """Base of the tree: what happened (``detail``) and what to do about it (``remedy``).

    ``status``: the HTTP status, if the server answered. ``problem``: its whole problem document.
    """

    type: ClassVar[str] = "client_error"

    def __init__(
        self,
        detail: str,
        *,
        remedy: str | None = None,
        slug: str | None = None,
        status: int | None = None,
        retry_after_seconds: float | None = None,
        problem: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy
        self.slug = slug or self.type
        self.status = status
        self.retry_after_seconds = retry_after_seconds
        self.problem = dict(problem or {})

    def __str__(self) -> str:
        return f"{self.detail} {self.remedy}" if self.remedy else self.detail

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuilt, (type(self), self.detail, {k: v for k, v in vars(self).items() if k != "detail"}))


def _rebuilt(kind: type[JudgeClientError], detail: str, state: Mapping[str, Any]) -> JudgeClientError:
    """Errors cross process borders: trainers raise them in workers."""
    error = kind(detail)
    vars(error).update(state)
    return error


class BadConfiguration(JudgeClientError, ValueError):
    type = "bad_configuration"


class BadSample(JudgeClientError, ValueError):
    type = "bad_sample"


class JudgeFailed(JudgeClientError):
    """``judgments``: those without a reward, as far as the server answered."""

    type = "judge_failed"
    judgments: Sequence[Judgment] = ()

    @classmethod
    def of(cls, failures: Sequence[Failure], judgments: Sequence[Judgment], remedy: str | None = None) -> JudgeFailed:
        """``failures`` and ``judgments``: of the samples that have no reward."""
        first = failures[0]
        more = f" And {len(failures) - 1} more." if len(failures) > 1 else ""
        error = cls(f"No reward ({first.type}): {first.detail}{more}", remedy=remedy, slug=first.type)
        error.judgments = tuple(judgments)
        return error


class RewardChanged(JudgeClientError):
    type = "reward_changed"


class Momentary(JudgeClientError):
    type = "momentary"


class Unreachable(Momentary):
    type = "server_unreachable"


class DeadlineExceeded(Momentary):
    type = "timeout"


class Overloaded(Momentary):
    type = "overloaded"


class Draining(Overloaded):
    type = "draining"


class ServerFailure(Momentary):
    type = "internal_error"


class UnreadableAnswer(Momentary):
    type = "unreadable_answer"


class Refused(JudgeClientError):
    type = "http_error"


class BadInput(Refused):
    type = "bad_input"


class BadRubric(BadInput):
    type = "bad_rubric"


class BadSubmission(BadInput):
    type = "bad_submission"


class NotFound(Refused):
    type = "not_found"


class UnknownRubric(NotFound):
    type = "unknown_rubric"


class UnknownJudge(NotFound):
    type = "unknown_judge"


class UnknownJudgment(NotFound):
    type = "unknown_judgment"


class UnknownJob(NotFound):
    type = "unknown_job"


class JobConflict(Refused):
    type = "job_conflict"


class UploadStalled(Refused):
    type = "upload_stalled"


class RubricConflict(Refused):
    type = "rubric_conflict"


class RubricNotAllowed(Refused):
    type = "rubric_not_allowed"


class NotCalibrated(Refused):
    type = "not_calibrated"


class PrereleaseRefused(Refused):
    type = "prerelease_refused"


class UnboundRubric(BadInput):
    type = "unbound_rubric"


class UnsplitText(BadInput):
    type = "unsplit_text"


class BadGrader(BadInput):
    type = "bad_grader"


class GraderFailed(BadInput):
    type = "grader_failed"


class TooLarge(Refused):
    type = "too_large"


class Unauthorized(Refused):
    type = "unauthorized"


class Forbidden(Refused):
    type = "forbidden"


def slugs_of(kind: type[JudgeClientError]) -> frozenset[str]:
    """The slugs of an error class and of all its subclasses."""
    return frozenset({kind.type}).union(*(slugs_of(special) for special in kind.__subclasses__()))
