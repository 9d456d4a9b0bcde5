"""What a trainer is told when the judge failed: an error, nothing, or a chosen number. Never a silent 0."""

from dataclasses import dataclass
from math import isfinite
from typing import Literal

from judge_server.core.errors import BadInput

Kind = Literal["raise", "drop", "number"]
_LARGEST = 1e9


@dataclass(frozen=True, slots=True)
class FailurePolicy:
    """``number`` is the reward in place of the missing one, None unless ``kind`` is ``number``."""

    kind: Kind
    number: float | None = None


RAISE, DROP = FailurePolicy("raise"), FailurePolicy("drop")


@dataclass(frozen=True, slots=True)
class Profile:
    """What one trainer can bear. ``default`` is None where a number has to be chosen; ``because`` completes the
    sentence "it cannot bear that: …"; ``patience_seconds`` is when the trainer itself gives up waiting, less a margin;
    ``drops_on_error``: an error status makes it drop the sample, so that ``drop`` and ``raise`` are one.
    """

    dialect: str
    trainer: str
    bears: frozenset[Kind]
    because: str
    default: FailurePolicy | None = None
    patience_seconds: float | None = None
    drops_on_error: bool = False

    def policy(self, asked: str | None) -> FailurePolicy:
        """The policy of ``?on_error=``. Raises BadInput, with the remedy, for what the trainer cannot bear."""
        if asked is None:
            if self.default is None:
                raise self._refusal(f"The URL does not say what {self.trainer} is told when the judge fails")
            return self.default
        policy = _parsed(asked)
        if policy.kind not in self.bears:
            raise self._refusal(f"on_error: {self.trainer} cannot bear {asked!r}")
        return RAISE if policy.kind == "drop" and self.drops_on_error else policy

    def _refusal(self, what: str) -> BadInput:
        choices = [kind for kind in ("raise", "drop") if kind in self.bears]
        or_else = "".join(f", or ?on_error={kind}" for kind in choices)
        return BadInput(
            f"{what}: {self.because}.",
            remedy=f"Add ?on_error=NUMBER to the URL, the reward in place of the missing one{or_else}.",
        )


def _parsed(asked: str) -> FailurePolicy:
    match asked:
        case "raise":
            return RAISE
        case "drop":
            return DROP
    try:
        number = float(asked)
    except ValueError:
        number = float("nan")
    if not isfinite(number) or abs(number) > _LARGEST:
        raise BadInput(
            f"on_error: {asked[:40]!r} is neither raise, nor drop, nor a finite number.",
            remedy="Write for example ?on_error=0.",
        )
    return FailurePolicy("number", number)
