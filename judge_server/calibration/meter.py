"""What an attempt to improve a judge has spent, kept line by line, so that runs that continue one another add up."""

import time
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from judge_server.calibration.improvement import NOTHING, Limits, Spend
from judge_server.core.judgment import Usage


class LimitReached(Exception):
    """Nothing more may be spent; what was answered is kept."""


class Meter:
    """``path``: where each spending is written at once; None to keep it in memory. ``spent``: before."""

    def __init__(
        self,
        limits: Limits,
        path: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
        spent: Spend = NOTHING,
    ) -> None:
        self.limits = limits
        self._path = path
        self._clock = clock
        self._since = clock()
        self.spent = spent
        for line in path.read_text("utf-8").splitlines() if path is not None and path.exists() else ():
            try:
                self.spent = self.spent.plus(Spend.model_validate_json(line))
            except ValidationError:
                continue  # the line that a kill cut off

    def add(self, usage: Usage, ratings: int = 0) -> None:
        """Count calls of a model, and the time since the last ones."""
        now = self._clock()
        own = Spend(
            ratings=ratings,
            calls=usage.calls,
            tokens=usage.prompt_tokens + usage.completion_tokens,
            dollars=usage.dollars,
            seconds=max(now - self._since, 0.0),
        )
        self._since = now
        self.spent = self.spent.plus(own)
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write("\n" + own.model_dump_json(exclude_defaults=True))  # a cut line before it stays alone

    def reached(self, more: float = 0.0) -> str | None:
        """The limit that is reached, or would be after ``more`` ratings that cost what the others did; None if none."""
        spent = self.spent.plus(Spend(seconds=max(self._clock() - self._since, 0.0)))
        growth = 1 + more / spent.ratings if spent.ratings else 1.0
        for name in ("calls", "tokens", "dollars", "seconds"):
            limit = getattr(self.limits, name)
            used = getattr(spent, name) * growth
            if limit is not None and (used > limit if more else used >= limit):
                return f"{limit:g} {name}"
        return None

    def require(self) -> None:
        """Raises LimitReached."""
        reached = self.reached()
        if reached is not None:
            raise LimitReached(reached)
