"""The tree of errors.

JudgeServerError
├── BadConfiguration      500  a setting, judge or model specification cannot be used
│   └── MissingDependency 500  an optional package is not installed
├── BadInput              422
│   ├── BadRubric         422  with line and column for a file
│   ├── BadGrader         422
│   └── BadSubmission     422
├── NotFound              404
│   ├── UnknownRubric     404
│   ├── UnknownJudge      404
│   ├── UnknownJudgment   404
│   ├── UnknownJob        404
│   ├── UnknownRun        404
│   └── UnknownBudget     404
├── RubricConflict        409  published content changed without a new version
├── RubricNotAllowed      409  a withdrawn version, or one without the review that the configuration requires
├── NotCalibrated         409
├── RewardChanged         409  a run would be rewarded by something else than before
├── PrereleaseRefused     409  a rubric version that may still change, for training
├── JudgeNotAllowed       403  a rubric or an API key names other judges to which its texts may be shown
├── JobConflict           409  the Idempotency-Key belongs to another job
├── CohortClosed          409  a response came after its group was judged
├── CohortConflict        409  two responses of one group have the same id
├── CannotSleep           409  the model has no engine that can sleep, or it was not started so
├── Unauthorized          401
├── Forbidden             403
├── TooLarge              413
├── TooSlow               408  a body that arrives below the minimum rate
├── UploadStalled         408  an upload of a job that stopped sending
├── UnsupportedEncoding   415
├── UntrustedHost         421
├── Overloaded            429  with Retry-After
│   ├── AllowanceSpent    429  the limit of the API key, not of the server
│   └── Draining          503  the server is shutting down
├── StoreUnavailable      503  the database does not answer
├── RubricsUnavailable    503  the disk of the rubrics does not answer
└── JudgeFailure          502  a judge gave no usable verdict: never a reward
    ├── DeadlineExceeded  504  type "timeout"
    ├── ModelUnavailable  503  type "judge_unavailable"
    │   ├── JudgeRefused  503  type "judge_refused": the server refuses every call, so waiting does not help
    │   └── JudgeAsleep   503  type "judge_asleep": its engine was sent to sleep and told to refuse calls meanwhile
    ├── JudgeChanged      503  type "judge_changed": another model answered than the one that was asked
    ├── BudgetSpent       402  type "budget_spent": the key or the run may spend no more on judges
    ├── UnusableVerdict   502  type "unusable_verdict"
    ├── ContextOverflow   422  type "context_overflow"
    ├── ContentFiltered   422  type "content_filtered": the provider's filter ended the answer
    ├── GraderFailed      422  type "grader_failed": a grader's own text, formula or program failed
    └── GraderUnavailable 503  type "grader_unavailable": its process cannot be started

``type`` is the stable slug in response bodies; the HTTP status is an attribute of the class. Bodies are RFC 9457
problem documents.
"""

from typing import Any, ClassVar


class JudgeServerError(Exception):
    """Base of the tree: what happened (``detail``) and what to do about it (``remedy``)."""

    status: ClassVar[int] = 500
    type: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something failed inside judge-server"

    def __init__(
        self,
        detail: str,
        *,
        remedy: str | None = None,
        retry_after_seconds: float | None = None,
        **extensions: Any,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.remedy = remedy
        self.retry_after_seconds = retry_after_seconds
        self.extensions = extensions

    def __str__(self) -> str:
        return f"{self.detail} {self.remedy}" if self.remedy else self.detail

    def problem(self) -> dict[str, Any]:
        """The RFC 9457 problem document of this error."""
        document: dict[str, Any] = {
            "type": f"urn:judge-server:error:{self.type}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.remedy:
            document["remedy"] = self.remedy
        if self.retry_after_seconds is not None:
            document["retry_after_seconds"] = self.retry_after_seconds
        return document | {name: value for name, value in self.extensions.items() if name not in document}


class BadConfiguration(JudgeServerError):
    type, title = "bad_configuration", "The configuration cannot be used"


class MissingDependency(BadConfiguration):
    type, title = "missing_dependency", "An optional package is not installed"


class BadInput(JudgeServerError):
    status, type, title = 422, "bad_input", "The request cannot be used as it stands"


class BadRubric(BadInput):
    """A rubric that cannot be used. Each of the ``findings`` in the extensions has file, line, column and a
    suggestion."""

    type, title = "bad_rubric", "The rubric is not valid"


class BadSubmission(BadInput):
    type, title = "bad_submission", "The submission is not valid"


class BadGrader(BadInput):
    type, title = "bad_grader", "The grader cannot be run here"


class NotFound(JudgeServerError):
    status, type, title = 404, "not_found", "There is no such thing here"


class UnknownRubric(NotFound):
    type, title = "unknown_rubric", "No rubric is known by this name and version"


class UnknownJudge(NotFound):
    type, title = "unknown_judge", "No judge is configured under this name"


class UnknownJudgment(NotFound):
    type, title = "unknown_judgment", "No judgment is stored under this id"


class UnknownJob(NotFound):
    type, title = "unknown_job", "No job is known by this id"


class UnknownRun(NotFound):
    type, title = "unknown_run", "No judgment and no pin has this run"


class UnknownBudget(NotFound):
    type, title = "unknown_budget", "This key or run has no budget"


class RubricConflict(JudgeServerError):
    status, type, title = 409, "rubric_conflict", "A published rubric version cannot change"


class RubricNotAllowed(JudgeServerError):
    status, type, title = 409, "rubric_not_allowed", "This rubric version may not be used here"


class NotCalibrated(JudgeServerError):
    status, type, title = 409, "not_calibrated", "This judge has not passed calibration for this rubric"


class RewardChanged(JudgeServerError):
    """``changes`` in the extensions: kind, name, pinned and now of each."""

    status, type, title = 409, "reward_changed", "Something else would reward this run than before"


class PrereleaseRefused(JudgeServerError):
    status, type, title = 409, "prerelease_refused", "This rubric version may still change"


class JudgeNotAllowed(JudgeServerError):
    """Raised before the judge is asked."""

    status, type, title = 403, "judge_not_allowed", "The text may not be shown to this judge"


class CohortClosed(JudgeServerError):
    status, type, title = 409, "cohort_closed", "The cohort was judged without this response"


class CohortConflict(JudgeServerError):
    status, type, title = 409, "cohort_conflict", "The cohort has another response under this id"


class JobConflict(JudgeServerError):
    status, type, title = 409, "job_conflict", "The Idempotency-Key stands for another job"


class UploadStalled(JudgeServerError):
    status, type, title = 408, "upload_stalled", "The upload paused for too long"


class CannotSleep(JudgeServerError):
    status, type, title = 409, "cannot_sleep", "The model's engine cannot be sent to sleep"


class Unauthorized(JudgeServerError):
    status, type, title = 401, "unauthorized", "A valid API key is needed"


class Forbidden(JudgeServerError):
    status, type, title = 403, "forbidden", "The API key does not allow this"


class TooLarge(JudgeServerError):
    status, type, title = 413, "too_large", "The request is larger than the server accepts"


class TooSlow(JudgeServerError):
    status, type, title = 408, "too_slow", "The request's body arrives too slowly"


class UnsupportedEncoding(JudgeServerError):
    status, type, title = 415, "unsupported_encoding", "The body comes in an encoding that is not read here"


class UntrustedHost(JudgeServerError):
    status, type, title = 421, "untrusted_host", "The request is for a host that this server does not answer for"


class Overloaded(JudgeServerError):
    status, type, title = 429, "overloaded", "The queue is full"


class AllowanceSpent(Overloaded):
    status, type, title = 429, "allowance_spent", "The API key has reached its limit"


class Draining(Overloaded):
    status, type, title = 503, "draining", "The server is shutting down"


class StoreUnavailable(JudgeServerError):
    status, type, title = 503, "store_unavailable", "The database does not answer"


class RubricsUnavailable(JudgeServerError):
    status, type, title = 503, "rubrics_unavailable", "The disk of the rubrics does not answer"


class JudgeFailure(JudgeServerError):
    """A judge gave no usable verdict. It becomes a typed verdict without a value, never a number."""

    status, type, title = 502, "judge_failure", "The judge gave no usable verdict"


class DeadlineExceeded(JudgeFailure):
    status, type, title = 504, "timeout", "The deadline passed before the judge answered"


class ModelUnavailable(JudgeFailure):
    status, type, title = 503, "judge_unavailable", "The judge model cannot be reached"


class JudgeRefused(ModelUnavailable):
    """A wrong key or address, a model that is not served, a spent quota: no passing fault, so there is no
    Retry-After."""

    status, type, title = 503, "judge_refused", "The judge model's server refuses every call"


class JudgeAsleep(ModelUnavailable):
    """By order, so that another program can use its accelerator."""

    status, type, title = 503, "judge_asleep", "The judge model's engine sleeps"


class JudgeChanged(JudgeFailure):
    status, type, title = 503, "judge_changed", "Another model answers at the judge's address"


class BudgetSpent(JudgeFailure):
    """Raised before the judge is asked. ``budget`` in the extensions: caps and what was spent."""

    status, type, title = 402, "budget_spent", "The budget for judges is spent"


class UnusableVerdict(JudgeFailure):
    status, type, title = 502, "unusable_verdict", "The judge's answer could not be read"


class ContextOverflow(JudgeFailure):
    status, type, title = 422, "context_overflow", "The prompt is longer than the judge's context"


class ContentFiltered(JudgeFailure):
    status, type, title = 422, "content_filtered", "The provider's content filter refused the prompt or the answer"


class GraderFailed(JudgeFailure):
    """``flag``: the corresponding error of OpenAI's graders; ``kind``: how a program ended."""

    status, type, title = 422, "grader_failed", "The grader has no value for this sample"

    def __init__(self, detail: str, *, flag: str = "other_error", kind: str | None = None, **more: Any) -> None:
        super().__init__(detail, **more)
        self.flag = flag
        self.kind = kind


class GraderUnavailable(JudgeFailure):
    status, type, title = 503, "grader_unavailable", "The grader's process cannot be started"
