"""A judgment as the server gives it: verdicts, reward, and everything needed to believe it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from judge_client.errors import JudgeClientError, JudgeFailed


@dataclass(frozen=True)
class Failure:
    """Why there is no value: ``type`` is a stable slug (docs/errors.md)."""

    type: str
    detail: str


UNEXPLAINED = Failure("no_verdict", "The server gave no reason.")


@dataclass(frozen=True)
class Opinion:
    """What one member of a panel or cascade said. Of a cascade: which judge ``decided``, and the ``tokens`` of its
    call."""

    judge: str
    status: str
    value: float | None = None
    reason: str | None = None
    error: Failure | None = None
    decided: bool | None = None
    tokens: int = 0


@dataclass(frozen=True)
class QuotedStep:
    """A step that holds passages which the reason quotes, with its place as in ``StepReward``; ``quotes``: character
    offsets of the passages. ``weight``: its share of the passages; those of a verdict sum to 1."""

    step: int
    span: tuple[int, int]
    weight: float
    message: int | None = None
    field: str | None = None
    quotes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Verdict:
    """The outcome of one criterion. ``value`` in [0, 1] stands exactly when ``status`` is ``ok``; ``points`` are the
    criterion's; ``span``: character offsets of the step that was judged; ``evidence``: where what the reason quotes
    stands, for a criterion with ``evidence: quote``."""

    criterion: str
    status: str
    source: str
    points: float
    value: float | None = None
    met: float | None = None
    raw: float | None = None
    option: str | None = None
    options: dict[str, float] | None = None
    reason: str | None = None
    label_mass: float | None = None
    step: int | None = None
    span: tuple[int, int] | None = None
    message: int | None = None
    field: str | None = None
    evidence: tuple[QuotedStep, ...] = ()
    cached: bool = False
    panel: tuple[Opinion, ...] = ()
    error: Failure | None = None


@dataclass(frozen=True)
class StepReward:
    """``span``: character offsets into the response where it was given as text, else into ``field`` of the response's
    message number ``message``. ``value`` is None if a verdict on the step is missing: ``error`` then says why."""

    index: int
    value: float | None = None
    span: tuple[int, int] | None = None
    message: int | None = None
    field: str | None = None
    error: Failure | None = None


@dataclass(frozen=True)
class GateFired:
    criterion: str
    when: str
    reward: float
    assumed: bool = False


@dataclass(frozen=True)
class RubricReference:
    id: str
    version: str
    digest: str


@dataclass(frozen=True)
class JudgeReference:
    """Which judge spoke. ``notice``: what a reader must know before trusting the numbers."""

    name: str
    model: str
    mode: str
    fingerprint: str
    calibration: str | None = None
    notice: str | None = None


@dataclass(frozen=True)
class Coordinates:
    """Where a sample stands in a training run."""

    id: str | None = None
    run: str | None = None
    group: str | None = None
    step: int | None = None
    policy: str | None = None


@dataclass(frozen=True)
class FoundFact:
    """A fact that a judge may be asked for. ``source`` is ``given`` or ``judge``; ``status`` ``ok`` exactly if there is
    a value, ``cannot_tell`` if the conversation does not say it, else how the judge failed, with its ``error``."""

    name: str
    source: str
    status: str = "ok"
    value: bool | float | str | None = None
    probability: float | None = None
    reason: str | None = None
    cached: bool = False
    error: Failure | None = None


@dataclass(frozen=True)
class Usage:
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0
    dollars: float = 0.0


@dataclass(frozen=True)
class Timing:
    total_seconds: float = 0.0
    model_seconds: float = 0.0


@dataclass(frozen=True)
class Judgment:
    """``reward`` is None exactly where ``error`` says why. ``status`` is ``ok``, ``partial`` or ``failed``;
    ``coverage`` the decided share of the criterion weight, ``judged_coverage`` that of the criteria that a judge is
    asked about. ``guard``: the version of the guard's rules. ``submitted``: the submission, if it was asked for."""

    id: str
    reward: float | None
    status: str
    coverage: float
    judged_coverage: float | None = None
    components: dict[str, float | None] = field(default_factory=dict)
    step_rewards: tuple[StepReward, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    facts: tuple[FoundFact, ...] = ()
    gates: tuple[GateFired, ...] = ()
    flags: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    rubric: RubricReference | None = None
    judge: JudgeReference | None = None
    guard: str | None = None
    submission: Coordinates = Coordinates()
    submission_digest: str | None = None
    response_characters: int = 0
    usage: Usage = Usage()
    timing: Timing = Timing()
    error: Failure | None = None
    created_at: datetime | None = None
    submitted: dict[str, Any] | None = None

    @property
    def failure(self) -> Failure | None:
        """Why there is no reward; None if there is one."""
        if self.reward is not None:
            return None
        return self.error or UNEXPLAINED

    def require(self) -> float:
        """The reward. Raises JudgeFailed if there is none."""
        if self.reward is None:
            raise JudgeFailed.of([self.failure or UNEXPLAINED], [self])
        return self.reward

    @classmethod
    def failed(cls, error: JudgeClientError) -> Judgment:
        """A judgment about a sample that the server could not be asked about."""
        return cls(id="", reward=None, status="failed", coverage=0.0, error=Failure(error.slug, str(error)))
