"""The outcome of one criterion. A verdict without a usable outcome has a typed failure and no value."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field

from judge_server.core.errors import BudgetSpent, JudgeFailure
from judge_server.core.model import Frozen
from judge_server.util.redaction import redacted


class VerdictStatus(StrEnum):
    OK = "ok"
    ABSTAINED = "abstained"
    UNUSABLE = "unusable"
    UNAVAILABLE = "unavailable"
    NOT_APPLICABLE = "not_applicable"


class Failure(Frozen):
    """Why there is no value: ``type`` is a stable slug (``timeout``, ``judge_unavailable``, ``unusable_verdict``,
    ``context_overflow``, ``low_label_mass``, ``missing_reference``, …). Secrets are removed
    from ``detail``, because failures are returned, stored and logged. ``retry_after_seconds``: when another try may
    help, as far as the judge's server or the length of its outage tell."""

    type: str
    detail: Annotated[str, AfterValidator(redacted)]
    retry_after_seconds: float | None = Field(default=None, ge=0)

    @staticmethod
    def of(fault: JudgeFailure) -> "Failure":
        return Failure(type=fault.type, detail=fault.detail, retry_after_seconds=fault.retry_after_seconds)


def require_paid(failures: Iterable[Failure | None]) -> None:
    """For work that measures a judge, which ends when its budget is spent: a judge that was not asked is no worse.
    Raises BudgetSpent if one of ``failures`` says so."""
    for one in failures:
        if one is not None and one.type == BudgetSpent.type:
            raise BudgetSpent(one.detail)


def _value_exactly_when_ok(status: VerdictStatus, value: float | None, error: Failure | None) -> None:
    if (value is not None) != (status is VerdictStatus.OK):
        raise ValueError(f"a verdict has a value exactly when its status is ok, not {status.value}")
    settled = status in (VerdictStatus.OK, VerdictStatus.NOT_APPLICABLE)
    if settled and error:
        raise ValueError(f"a verdict that is {status.value} has no error")
    if not settled and not error:
        raise ValueError(f"a verdict that is {status.value} says why in error")


class Opinion(Frozen):
    """The answer of one member of a panel or cascade; ``value`` in [0, 1] is given exactly if ``status`` is ok. Of a
    cascade: which judge ``decided``, and the ``tokens`` that its call cost (on the first verdict of the call)."""

    judge: str
    status: VerdictStatus
    value: float | None = Field(default=None, ge=0, le=1)
    reason: str | None = None
    error: Failure | None = None
    decided: bool | None = None
    tokens: int = Field(default=0, ge=0)

    def model_post_init(self, _: Any) -> None:
        _value_exactly_when_ok(self.status, self.value, self.error)


class QuotedStep(Frozen):
    """A step of the response that holds passages which the reason quotes. ``span``, ``message`` and ``field`` are the
    step's place, as in a verdict on a step; ``quotes`` the passages in the same text. ``weight``: the step's share of
    the verdict's passages; those of a verdict sum to 1."""

    step: int = Field(ge=0)
    span: tuple[int, int]
    message: int | None = Field(default=None, ge=0)
    field: Literal["content", "reasoning"] | None = None
    quotes: tuple[tuple[int, int], ...] = ()
    weight: float = Field(gt=0, le=1)


class Verdict(Frozen):
    """``value`` in [0, 1] is given exactly if ``status`` is ok.

    ``met`` is the probability of being met (binary, check); ``option`` the likeliest option and ``options`` the
    probability of each (scale); ``points`` the criterion's signed points. A verdict on one step has its index and
    character span: in a text response, or else in ``field`` of the response's message number ``message`` (all of it, if
    the step is a turn). An abstained verdict may still have ``met``, with the ``label_mass`` that was too low. ``raw``
    is the judge's own value, if a fitted map computed ``value`` (and ``met``) from it. ``evidence``: the steps that
    hold what the reason quotes, for criteria with ``evidence: quote``.
    """

    criterion: str
    status: VerdictStatus
    source: Literal["judge", "check", "guard"]
    points: float
    value: float | None = Field(default=None, ge=0, le=1)
    met: float | None = Field(default=None, ge=0, le=1)
    raw: float | None = Field(default=None, ge=0, le=1)
    option: str | None = None
    options: dict[str, Annotated[float, Field(ge=0, le=1)]] | None = None
    reason: str | None = None
    label_mass: float | None = Field(default=None, ge=0)
    step: int | None = Field(default=None, ge=0)
    span: tuple[int, int] | None = None
    message: int | None = Field(default=None, ge=0)
    field: Literal["content", "reasoning"] | None = None
    evidence: tuple[QuotedStep, ...] = ()
    cached: bool = False
    panel: tuple[Opinion, ...] = ()
    error: Failure | None = None

    def model_post_init(self, _: Any) -> None:
        # not an after-validator: pydantic runs that again for each verdict that goes into a judgment
        _value_exactly_when_ok(self.status, self.value, self.error)
        if self.span is not None and not 0 <= self.span[0] <= self.span[1]:
            raise ValueError(f"the span {self.span} does not run forward from 0 or later")

    @classmethod
    def of_judge(cls, criterion: str, points: float, value: float, label_mass: float | None, *, cached: bool) -> Self:
        """What most verdicts are: a judge's decision without a reason. ``value`` in [0, 1] and ``label_mass`` are known
        to be valid; it equals the verdict that validation makes of these fields, in a quarter of the time."""
        given = _PLAIN.copy()
        given["criterion"], given["points"], given["label_mass"] = criterion, points, label_mass
        given["value"] = given["met"] = value
        given["cached"] = cached
        made = cls.__new__(cls)
        fill = object.__setattr__  # the class is frozen
        fill(made, "__dict__", given)
        fill(made, "__pydantic_fields_set__", _PLAIN_FIELDS.copy())
        fill(made, "__pydantic_extra__", None)
        fill(made, "__pydantic_private__", None)
        return made

    @property
    def decided(self) -> bool:
        return self.status is VerdictStatus.OK

    @property
    def missing(self) -> bool:
        """Applicable, but undecided."""
        return self.status not in (VerdictStatus.OK, VerdictStatus.NOT_APPLICABLE)


_PLAIN_FIELDS: Final = {"criterion", "status", "source", "points", "value", "met", "label_mass", "cached"}
_PLAIN: Final[dict[str, Any]] = {
    **{name: described.default for name, described in Verdict.model_fields.items()},
    "status": VerdictStatus.OK,
    "source": "judge",
}
