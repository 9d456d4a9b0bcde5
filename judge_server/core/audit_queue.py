"""Judgments sampled for people to label, with the strata and weights of the sample."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from judge_server.core.model import Frozen, Whole

Stratum = Literal["disagreement", "flagged", "high_reward", "random"]
SetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", max_length=200)]


class Sizes(Frozen):
    """Number of judgments to draw from each stratum. A judgment belongs to the first stratum that applies: the audit
    judge disagreed on a criterion; it has a flag; its reward is in the highest tenth; any other."""

    disagreement: Whole = Field(default=20, ge=0, le=1_000)
    flagged: Whole = Field(default=20, ge=0, le=1_000)
    high_reward: Whole = Field(default=20, ge=0, le=1_000)
    random: Whole = Field(default=20, ge=0, le=1_000)


class Framed(Frozen):
    """A judgment that can be drawn."""

    id: str
    reward: float
    flagged: bool


class QueueItem(Frozen):
    """``weight`` = ``population`` / ``sampled``: the number of judgments of its stratum that it represents."""

    judgment: str
    stratum: Stratum
    weight: float = Field(gt=0)
    population: int = Field(ge=1)
    sampled: int = Field(ge=1)
    drawn_at: AwareDatetime
