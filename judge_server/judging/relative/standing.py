"""Rewards of the candidates of one comparison, and why some have none."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from judge_server.core.verdict import Failure
from judge_server.judging.answer import Answer
from judge_server.judging.relative.comparison import Shown

Answers = Mapping[Shown, Answer]


@dataclass(frozen=True, slots=True)
class Contest:
    """The candidates. ``copies``: how many group members gave each candidate, at least 1; ``beaten``: members that rank
    last without a judge."""

    copies: tuple[int, ...]
    beaten: int
    seed: int

    @property
    def size(self) -> int:
        return len(self.copies)


@dataclass(frozen=True, slots=True)
class RelativeStanding:
    """``rewards`` in [0, 1] by candidate; None exactly if there is a failure. ``pairs``: read in both orders;
    ``inconsistent``: of these, how many had a different winner in each order."""

    rewards: tuple[float | None, ...]
    failures: tuple[Failure | None, ...]
    pairs: int = 0
    inconsistent: int = 0


def lone(contest: Contest) -> RelativeStanding:
    """The standing of a single candidate: it ties with its copies and beats the members in ``beaten``."""
    copies = contest.copies[0] - 1
    return RelativeStanding(((copies / 2 + contest.beaten) / (copies + contest.beaten),), (None,))


def read_both(answers: Answers, shown: Shown) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """The shares of a presentation and of its reverse, both in the order of ``shown``; None unless both were read,
    because an answer in one order may depend on the order alone."""
    there, back = answers.get(shown), answers.get(shown[::-1])
    if there is None or back is None or there.reading is None or back.reading is None:
        return None
    return there.reading.shares, back.reading.shares[::-1]


def opposed(first: float, second: float) -> bool:
    """Whether two differences name different winners; a tie names none."""
    return first * second < 0


def absence(answers: Iterable[Answer | None]) -> Failure:
    """The most frequent reason why a candidate has no reward."""
    failures = [answer.failure for answer in answers if answer is not None and answer.failure]
    if not failures:
        return Failure(type="timeout", detail="The deadline passed before the response was compared.")
    kinds = Counter(failure.type for failure in failures)
    kind = min(kinds, key=lambda kind: (-kinds[kind], kind))
    example = next(failure for failure in failures if failure.type == kind)
    return Failure(type=kind, detail=f"The response could not be compared with the others: {example.detail}")


def ranks(rewards: Sequence[float | None]) -> tuple[int | None, ...]:
    """1 for the greatest; ties share a rank, and the ranks after them are skipped (1, 1, 3)."""
    known = [round(reward, 9) for reward in rewards if reward is not None]
    return tuple(None if reward is None else 1 + sum(other > round(reward, 9) for other in known) for reward in rewards)
