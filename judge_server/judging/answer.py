"""A judge's answer about one criterion: a reading or a typed failure, independent of points and rubrics."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NamedTuple, Protocol

from judge_server.core.caller import current_caller
from judge_server.core.criterion import Judged
from judge_server.core.errors import ModelUnavailable, StoreUnavailable, UnknownJudge
from judge_server.core.judge import JudgeSpecification
from judge_server.core.judgment import NO_USAGE, JudgeReference, Usage
from judge_server.core.verdict import Failure, Opinion, VerdictStatus
from judge_server.judging.judge_input import JudgeInput
from judge_server.models.protocol import Priority
from judge_server.util.time_limit import TimeLimit


@dataclass(frozen=True, slots=True)
class ValueBounds:
    """The interval in [0, 1] that holds the value. ``most_mass``: the labels have at most this probability together;
    ``decided``: whether the likeliest label is known."""

    low: float
    high: float
    most_mass: float
    decided: bool

    @property
    def width(self) -> float:
        return self.high - self.low


class Reading(NamedTuple):
    """A usable outcome. ``shares``: probability of each label (Yes and No, or the options worst to best). ``bounds``:
    of ``value``, given the labels that the server did not list; None if all are known."""

    value: float
    shares: tuple[float, ...]
    reason: str | None = None
    label_mass: float | None = None
    panel: tuple[Opinion, ...] = ()
    bounds: "ValueBounds | None" = None


def content_of(reading: Reading) -> dict[str, Any]:
    """A reading as a JSON object."""
    content: dict[str, Any] = {"value": reading.value, "shares": reading.shares}
    if reading.reason is not None:
        content["reason"] = reading.reason
    if reading.label_mass is not None:
        content["label_mass"] = reading.label_mass
    if reading.panel:
        content["panel"] = [opinion.model_dump(mode="json", exclude_defaults=True) for opinion in reading.panel]
    return content


def reading_of(content: Mapping[str, Any]) -> Reading:
    """The reading that ``content_of`` wrote."""
    return Reading(
        value=content["value"],
        shares=tuple(content["shares"]),
        reason=content.get("reason"),
        label_mass=content.get("label_mass"),
        panel=tuple(Opinion.model_validate(opinion) for opinion in content.get("panel", ())),
    )


class Answer(NamedTuple):
    """Exactly one of ``reading`` and ``failure`` (else the judge counts as failed); an abstention also carries its
    ``distrusted`` reading."""

    reading: Reading | None = None
    failure: Failure | None = None
    status: VerdictStatus = VerdictStatus.OK
    distrusted: Reading | None = None
    panel: tuple[Opinion, ...] = ()
    usage: Usage = NO_USAGE
    model_seconds: float = 0.0


def failed(
    failure: Failure,
    status: VerdictStatus = VerdictStatus.UNAVAILABLE,
    *,
    usage: Usage = NO_USAGE,
    model_seconds: float = 0.0,
) -> Answer:
    return Answer(failure=failure, status=status, usage=usage, model_seconds=model_seconds)


_GRACE_SECONDS = 1.0
_RETRY_AFTER_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Terms:
    """Priority and deadline of a question. ``deadline``: ``time.monotonic()`` seconds, None for none."""

    priority: Priority = Priority.INTERACTIVE
    deadline: float | None = None

    @staticmethod
    def within(seconds: float | None, priority: Priority = Priority.INTERACTIVE) -> "Terms":
        """With a deadline ``seconds`` from now; None for none."""
        return Terms(priority, None if seconds is None else time.monotonic() + seconds)

    @property
    def seconds_left(self) -> float | None:
        """Not below 0; None without a deadline."""
        return None if self.deadline is None else max(self.deadline - time.monotonic(), 0.0)

    @property
    def expired(self) -> bool:
        return self.deadline is not None and time.monotonic() >= self.deadline

    def bounding_the_store(self, what: str) -> "_StoreLimit":
        """A bound on the store: the deadline, but at least a second, for what was decided just in time. Raises
        StoreUnavailable after that, saying that ``what`` was not done; what is queued may still be stored later."""
        ends_at = None if self.deadline is None else max(self.deadline, time.monotonic() + _GRACE_SECONDS)
        return _StoreLimit(what, ends_at)


class _StoreLimit(TimeLimit):
    __slots__ = ("_what",)

    def __init__(self, what: str, ends_at: float | None) -> None:
        super().__init__(ends_at)
        self._what = what

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, where: TracebackType | None
    ) -> None:
        try:
            super().__exit__(kind, fault, where)
        except TimeoutError:
            raise StoreUnavailable(
                f"{self._what} before the deadline.",
                remedy="The database is locked, slow or away: check it, and try again.",
                retry_after_seconds=_RETRY_AFTER_SECONDS,
            ) from None


class Judge(Protocol):
    """A configured judge: one model or a panel."""

    @property
    def specification(self) -> JudgeSpecification: ...

    @property
    def reference(self) -> JudgeReference:
        """Known after ``start``: the fingerprint names model, revision, templates, mode and sampling."""

    @property
    def by_criterion(self) -> bool:
        """Whether its answer depends on the id of a criterion, and not on the question alone."""

    @property
    def criteria_per_call(self) -> int:
        """How many criteria on one material it asks about in one request; known after ``start``."""

    @property
    def explaining(self) -> "Judge":
        """The same judge, but with a reason for every verdict."""

    async def start(self) -> None: ...

    def forget_model(self) -> None:
        """Find out anew what follows from the model: another one was noticed."""

    async def ask(self, judge_input: JudgeInput, criteria: tuple[Judged, ...], terms: Terms) -> tuple[Answer, ...]:
        """One answer for each criterion, in order. A judge that fails gives typed failures and raises nothing."""

    async def healthy(self) -> bool: ...

    async def close(self) -> None: ...


def shown_reference(judge: Judge) -> JudgeReference:
    """The judge's reference for lists; of one whose model is away, what the configuration says."""
    try:
        return judge.reference
    except ModelUnavailable as fault:
        told = judge.specification
        kind = "panel" if told.panel else "cascade" if told.cascade else told.mode
        return JudgeReference(
            name=told.name, model=told.model or told.name, mode=kind, fingerprint="unknown", notice=fault.detail
        )


def require_shown_by_key(judge: Judge) -> None:
    """Raises JudgeNotAllowed if the caller's API key names other judges."""
    caller = current_caller.get()
    if caller.allowance.judges:
        judge.specification.require_shown(caller.allowance.judges, f"The API key {caller.name!r}")


@dataclass(frozen=True)
class JudgeRegistry:
    """The judges that can be named. ``default``: the one used if a submission names none; None if only programs
    decide."""

    judges: Mapping[str, Judge]
    default: str | None = None

    def appoint(self, name: str | None) -> Judge | None:
        """The judge of that name, or the default, which may be None. Raises UnknownJudge."""
        return None if name is None and self.default is None else self.named(name)

    def named(self, name: str | None) -> Judge:
        """The judge of that name, or the default.

        Raises UnknownJudge, and JudgeNotAllowed for one to which the caller's texts may not be shown."""
        name = name or self.default
        judge = None if name is None else self.judges.get(name)
        if judge is None:
            known = ", ".join(sorted(self.judges)) or "none"
            raise UnknownJudge(f"judge: {name!r} is not configured here.", remedy=f"Configured judges: {known}.")
        require_shown_by_key(judge)
        return judge
