"""Rollouts of one prompt: what is asked about them, and what comes back (docs/groups.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from math import hypot, sqrt
from typing import TYPE_CHECKING, Any, TypedDict

from judge_client.configuration import refuse_unknown
from judge_client.errors import BadSample
from judge_client.judgment import Failure, JudgeReference, Judgment, Usage
from judge_client.sample import Text, step_of
from judge_client.scored import Scored, mean

if TYPE_CHECKING:
    from typing_extensions import Self

_FLOAT32 = 1e-6


class GroupOptions(TypedDict, total=False):
    """What ``score_group`` takes beside the prompt and the responses; the server's docs/groups.md explains each."""

    rubric: str | Mapping[str, Any] | None
    judge: str | None
    reference: str | None
    facts: Mapping[str, Any] | None
    explain: bool
    ids: Sequence[str | None] | None
    group: str | None
    step: int | None
    policy: str | None
    run: str | None
    tags: Sequence[str] | None
    advantages: bool | str
    relative: bool | Mapping[str, Any]
    expected: int | None
    collection_seconds: float | None
    evaluation_seconds: float | None
    min_cohort: int | None


@dataclass(frozen=True)
class Rollouts:
    """One prompt with its responses, and how they are looked at."""

    prompt: Text
    responses: Sequence[Text]
    rubric: str | Mapping[str, Any] | None = None
    judge: str | None = None
    reference: str | None = None
    facts: Mapping[str, Any] | None = None
    explain: bool = False
    ids: Sequence[str | None] | None = None
    group: str | None = None
    step: int | None = None
    policy: str | None = None
    run: str | None = None
    tags: Sequence[str] | None = None
    advantages: bool | str = False
    relative: bool | Mapping[str, Any] = False
    expected: int | None = None
    collection_seconds: float | None = None
    evaluation_seconds: float | None = None
    min_cohort: int | None = None

    def __new__(cls, *_: Any, **given: Any) -> Self:
        """Raises BadConfiguration for an option that there is none of."""
        known = [one.name for one in fields(cls)]
        refuse_unknown("score_group", given, known)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        """Raises BadSample."""
        object.__setattr__(self, "step", step_of(self.step))
        if not self.responses:
            raise BadSample("responses: the list is empty.", remedy="Give at least one response.")
        if self.ids is not None and len(self.ids) != len(self.responses):
            raise BadSample(
                f"ids: {len(self.ids)} for {len(self.responses)} responses.", remedy="Give one, or None, for each."
            )

    def body(self) -> dict[str, Any]:
        """The members of the request that say something."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: value for name, value in given.items() if value is not None and value is not False}

    @property
    def divisible(self) -> bool:
        """Whether each response is judged for itself, so that the group can be sent in parts."""
        compared = self.relative is not False or self.expected is not None
        return not compared and self.min_cohort is None and self.evaluation_seconds is None

    def submissions(self) -> list[dict[str, Any]]:
        """Each response on its own."""
        names = {"prompt", "rubric", "judge", "reference", "facts", "explain"}
        names |= {"group", "step", "policy", "run", "tags"}
        shared = {name: value for name, value in self.body().items() if name in names}
        ids = self.ids or [None] * len(self.responses)
        return [
            {**shared, "response": response, **({} if name is None else {"id": name})}
            for response, name in zip(self.responses, ids, strict=True)
        ]


@dataclass(frozen=True)
class Comparisons:
    """``presentations`` were shown to the judge, ``read`` of them understood; ``pairs`` were seen both ways round."""

    presentations: int = 0
    read: int = 0
    pairs: int = 0
    inconsistent: int = 0


@dataclass(frozen=True)
class Relative:
    """What comparing the members found. ``ranks``: 1 is best, equals share one."""

    kind: str
    judge: JudgeReference | None = None
    rewards: tuple[float | None, ...] = ()
    ranks: tuple[int | None, ...] = ()
    failures: tuple[Failure | None, ...] = ()
    position_consistency: float | None = None
    comparisons: Comparisons = Comparisons()
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True)
class GroupStatistics:
    """Over the known rewards of the cohort; ``std`` is the population's. ``zero_variance``: the group teaches nothing.
    ``complete``: all the members that were expected are there."""

    count: int
    mean: float | None
    std: float | None
    zero_variance: bool
    advantages: tuple[float | None, ...] | None = None
    expected: int | None = None
    collected: int | None = None
    complete: bool | None = None
    relative: Relative | None = None


@dataclass(frozen=True)
class GroupResult:
    """In the order of the responses. ``rewards`` are those to train on; if one is None, ``errors`` says why."""

    results: tuple[Judgment, ...]
    rewards: tuple[float | None, ...]
    group: GroupStatistics
    errors: tuple[Failure | None, ...] = ()

    def scored(self) -> list[Scored]:
        """Before any policy."""
        errors = self.errors or tuple(judgment.failure for judgment in self.results)
        return [Scored.with_reward(*one) for one in zip(self.rewards, self.results, errors, strict=True)]


@dataclass(frozen=True)
class ScoredGroup(Sequence[Scored]):
    """A list of Scored, and how they stand to each other; ``group`` is None if the server could not be asked."""

    scored: tuple[Scored, ...]
    group: GroupStatistics | None = None

    def __getitem__(self, place: Any) -> Any:
        return self.scored[place]

    def __len__(self) -> int:
        return len(self.scored)

    def __iter__(self) -> Iterator[Scored]:
        return iter(self.scored)

    @property
    def rewards(self) -> list[float | None]:
        return [one.reward for one in self.scored]


def statistics_of(rewards: Sequence[float | None], advantages: bool | str = False) -> GroupStatistics:
    """What the server says of a group, for one that was judged in parts. ``advantages``: ``grpo`` (or True) of Shao
    et al. 2024 (2402.03300), ``dr_grpo`` of Liu et al. 2025 (2503.20783) or ``rloo`` of Ahmadian et al. 2024
    (2402.14740)."""
    known = [reward for reward in rewards if reward is not None]
    if not known:
        nothing = tuple(None for _ in rewards) if advantages else None
        return GroupStatistics(0, None, None, True, nothing, len(rewards), len(rewards), complete=True)
    centre = mean(known)
    std = hypot(*(reward - centre for reward in known)) / sqrt(len(known))
    scale = _scale(advantages, std, len(known))
    return GroupStatistics(
        count=len(known),
        mean=centre,
        std=std,
        zero_variance=max(known) - min(known) <= _FLOAT32 * max(1.0, *map(abs, known)),
        advantages=tuple(None if one is None else (one - centre) / scale for one in rewards) if advantages else None,
        expected=len(rewards),
        collected=len(rewards),
        complete=True,
    )


def _scale(kind: bool | str, std: float, count: int) -> float:
    """What the distance to the mean is divided by. RLOO's baseline is the mean of the others: r - (S - r) / (n - 1) is
    n / (n - 1) · (r - S / n)."""
    if kind == "dr_grpo":
        return 1.0
    if kind == "rloo":
        return (count - 1) / count or 1.0
    return std + 1e-4
