"""What a trainer gets if the judge failed: an error, a mask, or a number that its user chose; never an unannounced 0.

Substituted rewards are counted in the metrics and logged, one line a minute.
"""

import logging
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from judge_server.core.errors import BadInput, JudgeServerError
from judge_server.server.telemetry.metrics import Metrics
from judge_server.util.log_throttle import LogThrottle

Kind = Literal["raise", "drop", "number"]
_LARGEST = 1e9


@dataclass(frozen=True, slots=True)
class FailurePolicy:
    """``number`` replaces a missing reward; None unless ``kind`` is ``number``."""

    kind: Kind
    number: float | None = None


RAISE, DROP = FailurePolicy("raise"), FailurePolicy("drop")


@dataclass(frozen=True, slots=True)
class Profile:
    """What one trainer can handle. ``default`` is None if the user must choose a number; ``because`` gives the reason
    in the error message; ``patience_seconds`` is the trainer's own timeout less a margin; ``drops_on_error``: the
    trainer drops a sample on an error status, so that ``drop`` and ``raise`` are the same.
    """

    dialect: str
    trainer: str
    bears: frozenset[Kind]
    because: str
    default: FailurePolicy | None = None
    patience_seconds: float | None = None
    drops_on_error: bool = False

    def policy(self, asked: str | None) -> FailurePolicy:
        """The policy of ``?on_error=``. Raises BadInput for a policy that the trainer cannot handle."""
        if asked is None:
            if self.default is None:
                raise self._refusal(f"The URL does not say what {self.trainer} gets if the judge fails")
            return self.default
        policy = _parsed(asked)
        if policy.kind not in self.bears:
            raise self._refusal(f"on_error: {self.trainer} cannot handle {asked!r}")
        return RAISE if policy.kind == "drop" and self.drops_on_error else policy

    def _refusal(self, what: str) -> BadInput:
        choices = [kind for kind in ("raise", "drop") if kind in self.bears]
        or_else = "".join(f", or ?on_error={kind}" for kind in choices)
        return BadInput(
            f"{what}: {self.because}.",
            remedy=f"Add ?on_error=NUMBER to the URL, the number that replaces a missing reward{or_else}.",
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


_log = logging.getLogger(__name__)


class Substitutions:
    """Counts substituted rewards by dialect and type of error, and logs them."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._throttle = LogThrottle()

    def tell(self, dialect: str, error: str, fault: JudgeServerError, policy: FailurePolicy) -> None:
        """Record one sample of ``dialect`` without a reward because of ``error``."""
        self._metrics.substituted(dialect, error)
        more = self._throttle.of((dialect, error))
        if more is not None:
            instead = "masked" if policy.number is None else f"answered {policy.number:g}"
            _log.warning("%s: %s in place of a reward (%s): %s%s", dialect, instead, error, fault.detail, more)

    def refused(self, dialect: str, fault: JudgeServerError) -> None:
        """Log a refused URL of ``dialect``: trainers show the status at most, not the reason."""
        more = self._throttle.of((dialect, fault.type))
        if more is not None:
            _log.warning("%s: refused with status %d: %s%s", dialect, fault.status, fault, more)
