"""What becomes of a sample whose judge failed: raise, drop, neutral, or a number that the user chose."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Literal

from judge_client.configuration import environment
from judge_client.errors import BadConfiguration

Kind = Literal["raise", "drop", "neutral", "number"]
KINDS: tuple[Kind, ...] = ("raise", "drop", "neutral", "number")
_REMEDY = "Write raise, drop, neutral or a finite number."


@dataclass(frozen=True)
class OnFailure:
    """``raise``: JudgeFailed. ``drop``: the reward stays None. ``neutral``: the mean of the rewards that other samples
    of the same prompt have in the same call, and JudgeFailed if none has one. ``number``: ``value``."""

    kind: Kind
    value: float | None = None

    RAISE: ClassVar[OnFailure]
    DROP: ClassVar[OnFailure]
    NEUTRAL: ClassVar[OnFailure]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BadConfiguration(f"on_failure: {self.kind!r} is no policy.", remedy=_REMEDY)
        if (self.kind == "number") != (self.value is not None):
            raise BadConfiguration(
                f"on_failure: {self.kind} with the value {self.value} says two things.", remedy=_REMEDY
            )
        if self.value is not None and not math.isfinite(self.value):
            raise BadConfiguration(f"on_failure: {self.value} is no finite number.", remedy=_REMEDY)

    def __str__(self) -> str:
        return self.kind if self.value is None else repr(self.value)

    @classmethod
    def number(cls, value: float) -> OnFailure:
        return cls("number", float(value))

    @classmethod
    def parse(cls, given: OnFailure | str | float) -> OnFailure:
        """A policy from its text, or from a number. Raises BadConfiguration."""
        if isinstance(given, OnFailure):
            return given
        text = str(given).strip().lower()
        for kind in KINDS[:3]:
            if text == kind:
                return cls(kind)
        if isinstance(given, bool):
            raise BadConfiguration(f"on_failure: {given} is no policy.", remedy=_REMEDY)
        try:
            return cls.number(float(given))
        except (TypeError, ValueError):
            raise BadConfiguration(f"on_failure: {given!r} is no policy.", remedy=_REMEDY) from None

    @classmethod
    def choose(
        cls,
        given: OnFailure | str | float | None,
        *,
        default: OnFailure | str | float,
        bears: Collection[Kind] = KINDS,
        trainer: str = "this trainer",
    ) -> OnFailure:
        """The policy given, else that of JUDGE_ON_FAILURE, else the default. ``bears``: what the trainer can take.
        Raises BadConfiguration for any other."""
        wanted = environment("JUDGE_ON_FAILURE") if given is None else given
        chosen = cls.parse(default if wanted is None else wanted)
        if chosen.kind not in bears:
            names = [("a number" if kind == "number" else kind) for kind in KINDS if kind in bears]
            raise BadConfiguration(
                f"on_failure: {trainer} cannot bear {chosen}.",
                remedy=f"Choose {' or '.join(names)} (JUDGE_ON_FAILURE).",
            )
        return chosen


OnFailure.RAISE = OnFailure("raise")
OnFailure.DROP = OnFailure("drop")
OnFailure.NEUTRAL = OnFailure("neutral")
