"""What a check found, or why it could not find out."""

from dataclasses import dataclass
from typing import ClassVar

from judge_server.core.errors import JudgeFailure
from judge_server.core.verdict import VerdictStatus


@dataclass(frozen=True, slots=True)
class Finding:
    """``value`` in [0, 1] and one short sentence about what was found."""

    value: float
    reason: str


class CheckFailed(JudgeFailure):
    """The check could not be carried out on this text: a typed verdict without a value, never 0."""

    type, title = "check_failed", "The check could not be carried out"
    verdict_status: ClassVar[VerdictStatus] = VerdictStatus.UNUSABLE


class CheckTimeout(CheckFailed):
    status, type, title = 504, "check_timeout", "The check took too long"
    verdict_status = VerdictStatus.UNAVAILABLE


class MissingReference(CheckFailed):
    status, type, title = 422, "missing_reference", "The submission has no reference to check against"
    verdict_status = VerdictStatus.UNAVAILABLE


def passed(met: bool, reason: str) -> Finding:
    return Finding(1.0 if met else 0.0, reason)


def counted(number: int, nouns: str, least: int, most: int | None) -> Finding:
    """Whether ``number`` lies in the range, as in "3 of at most 2 citations"."""
    met = number >= least and (most is None or number <= most)
    if most is None:
        wanted = f"of at least {least} {nouns}"
    elif least == 0:
        wanted = f"of at most {most} {nouns}"
    else:
        wanted = f"{nouns}, wanted {least} to {most}"
    return passed(met, f"{number} {wanted}")


def quoted(text: str, longest: int = 60) -> str:
    """``text`` in quotation marks, on one line and cut to ``longest`` characters."""
    line = " ".join(text[: longest * 2].split())
    return f"“{line}”" if len(line) <= longest and len(text) <= longest * 2 else f"“{line[: longest - 1]}…”"
