"""A training run: what it is pinned to, what changed, and what rewarded which steps."""

from typing import Final, Literal, NamedTuple

from pydantic import AwareDatetime, Field

from judge_server.core.model import Frozen
from judge_server.core.rubric import RubricReference

PinKind = Literal["rubric", "judge", "maps", "guard", "server"]
NEVER_STOPS: Final[frozenset[PinKind]] = frozenset({"server"})
"""A change of these is recorded and said in every judgment, and stops no run."""


class Pin(NamedTuple):
    """What answered first in a run. ``name``: as it was asked for; ``value``: what answered, in words that are compared
    as they stand."""

    kind: PinKind
    name: str
    value: str

    @property
    def subject(self) -> str:
        return f"{self.kind} {self.name!r}" if self.name else self.kind


class Pinned(Frozen):
    """A pin in force, since the judgment of ``step``."""

    kind: PinKind
    name: str
    value: str
    since: AwareDatetime
    step: int | None = None


class RunChange(Frozen):
    """``accepted``: something else than the pin answered and was let through (``on_change: warn``, or a kind that stops
    no run), first at ``step``. ``repinned``: the pin ``before`` was given up on purpose, and the next judgment pins
    anew; ``reason`` and ``by`` say why and who. ``doubted``: the model of the judge ``name`` was found replaced, so the
    judgments from ``step`` on that ``reason`` names may come from either model."""

    act: Literal["accepted", "repinned", "doubted"]
    kind: PinKind
    name: str
    before: str
    after: str | None = None
    step: int | None = None
    at: AwareDatetime
    reason: str | None = None
    by: str


class RewardSource(Frozen):
    """Judgments of a run that one rubric content, judge, set of fitted maps and guard rewarded. ``mean_reward`` is over
    the ``rewards`` judgments that have one; ``steps`` counts different steps."""

    rubric: RubricReference | None
    judge: str | None
    fingerprint: str | None
    maps: str | None
    guard: str | None
    first_step: int | None
    last_step: int | None
    steps: int
    judgments: int
    ok: int
    partial: int
    failed: int
    rewards: int
    mean_reward: float | None
    first_at: AwareDatetime
    last_at: AwareDatetime


class RewardNoise(Frozen):
    """How much of the advantages under a rubric is chance of the judge, from ``pairs`` judgments whose judge was asked
    again, ``failed`` of them without a second reward.

    ``noise_variance``: half the mean squared difference of the two rewards; ``advantage_variance``: of rewards within
    groups; ``share``: their ratio, with its 95 % interval clustered by prompt. None if there is too little evidence or
    no variance. ``votes``: how many independent answers a question takes, averaged, for a share of at most a tenth;
    None if no number does.
    """

    rubric: str
    pairs: int
    prompts: int
    failed: int
    noise_variance: float | None
    advantage_variance: float | None
    share: float | None
    low: float | None
    high: float | None
    votes: int | None = None
    text: str


class RunNoise(Frozen):
    """By rubric id."""

    run: str
    rubrics: tuple[RewardNoise, ...]


class RunSummary(Frozen):
    """``sources`` by their first judgment; at most 1,000, ``more_sources`` are left out."""

    run: str
    pins: tuple[Pinned, ...]
    changes: tuple[RunChange, ...]
    sources: tuple[RewardSource, ...]
    more_sources: int = 0


class GroupRewards(Frozen):
    """The rewards of one prompt at one step. ``equal``: so close that float32 cannot tell them apart, so the group has
    no advantage. One reward alone is no group."""

    step: int | None
    rewards: int
    without: int = Field(description="Judgments without a reward.")
    mean: float | None
    low: float | None
    high: float | None
    equal: bool


class PromptHistory(Frozen):
    """A prompt over the steps of a run. ``groups`` and ``equal_groups`` count steps with at least two rewards;
    ``excerpt``: the end of the last user message; ``steps``: the newest ones, oldest first."""

    prompt: str
    group: str | None
    excerpt: str | None
    groups: int
    equal_groups: int
    mean: float | None
    steps: tuple[GroupRewards, ...]


class RunPrompts(Frozen):
    """Prompts of a run, those with the most equal groups first. ``groups`` and ``equal_groups`` are of the whole run,
    whatever the number of prompts listed."""

    run: str
    prompts: int
    groups: int
    equal_groups: int
    listed: tuple[PromptHistory, ...]


def equal_rewards(low: float, high: float) -> bool:
    """Whether float32, in which trainers compute, cannot tell the rewards from ``low`` to ``high`` apart: their spread
    is at most 1e-6, relative to the larger one if that is above 1."""
    return high - low <= EQUAL_WITHIN * max(1.0, abs(low), abs(high))


EQUAL_WITHIN: Final = 1e-6
