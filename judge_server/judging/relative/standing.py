"""How candidates stand to each other once the judge was asked."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from judge_server.core.verdict import Failure
from judge_server.judging.answer import Answer
from judge_server.judging.relative.comparison import Shown

Answers = Mapping[Shown, Answer]


@dataclass(frozen=True, slots=True)
class Contest:
    """Who competes. ``copies``: how many members said each candidate, at least 1; ``beaten``: members that need no
    judge to be the worst."""

    copies: tuple[int, ...]
    beaten: int
    seed: int

    @property
    def size(self) -> int:
        return len(self.copies)


@dataclass(frozen=True, slots=True)
class Standing:
    """``rewards`` in [0, 1] by candidate; None exactly where there is a failure. ``pairs``: seen both ways round and
    read both times; ``inconsistent``: of these, with a different winner each time."""

    rewards: tuple[float | None, ...]
    failures: tuple[Failure | None, ...]
    pairs: int = 0
    inconsistent: int = 0


def lone(contest: Contest) -> Standing:
    """The standing of the only candidate there is: it equals its copies and beats what needs no judge."""
    copies = contest.copies[0] - 1
    return Standing(((copies / 2 + contest.beaten) / (copies + contest.beaten),), (None,))


def read_both(answers: Answers, shown: Shown) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """The shares of a presentation and of its reverse, both in the order of ``shown``; None unless both were read: an
    answer in one order only may owe everything to the order."""
    there, back = answers.get(shown), answers.get(shown[::-1])
    if there is None or back is None or there.reading is None or back.reading is None:
        return None
    return there.reading.shares, back.reading.shares[::-1]


def opposed(first: float, second: float) -> bool:
    """Whether two differences name different winners; a tie opposes nobody."""
    return first * second < 0


def absence(answers: Iterable[Answer | None]) -> Failure:
    """The commonest reason why a candidate has no standing."""
    failures = [answer.failure for answer in answers if answer is not None and answer.failure]
    if not failures:
        return Failure(type="timeout", detail="The deadline passed before the response was compared.")
    kinds = Counter(failure.type for failure in failures)
    kind = min(kinds, key=lambda kind: (-kinds[kind], kind))
    example = next(failure for failure in failures if failure.type == kind)
    return Failure(type=kind, detail=f"The response could not be compared with the others: {example.detail}")


def ranks(rewards: Sequence[float | None]) -> tuple[int | None, ...]:
    """1 for the greatest; equals share a rank, and the next one is as many lower."""
    known = [round(reward, 9) for reward in rewards if reward is not None]
    return tuple(None if reward is None else 1 + sum(other > round(reward, 9) for other in known) for reward in rewards)
