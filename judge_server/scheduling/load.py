"""What one priority class has under way, its bounds, and when there will probably be room again."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from judge_server.scheduling.pace import Throughput
from judge_server.scheduling.turned_away import RetryAfter

_SHORTEST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 60.0
_FIRST_GUESS = 8.0
_WEIGHT = 0.05
_ENOUGH = 4
_CAUTION = 1.25
_CAUTION_AMONG_OTHERS = 1.5  # they may ask for more than they did
_MOST_FOR_OTHERS = 2


@dataclass(frozen=True, slots=True)
class Bound:
    """How much of one class may be under way before the door sends away: submissions, and the questions that they put
    to judges (each takes some 14 KB until it is answered)."""

    submissions: int
    questions: int


class Refusal(NamedTuple):
    """Why there is no room, in words, and after how many seconds there probably is."""

    why: str
    retry_after_seconds: float


def _always() -> bool:
    return True


class ClassLoad:
    """``under_way``: submissions, of ``callers`` by name; ``questions``: those of the submissions that came so far,
    ``asking`` of them. ``saturated``: whether models have as much as they can work on, so that the pace is theirs and
    not the callers'."""

    def __init__(self, bound: Bound, saturated: Callable[[], bool] = _always) -> None:
        self.bound = bound
        self.callers: Counter[str] = Counter()
        self.under_way = 0
        self.asking = 0
        self.questions = 0
        self.saturated = saturated
        self._mean = _FIRST_GUESS
        self._since = 0.0
        self.pace = Throughput()
        self._turned_away = RetryAfter(_LONGEST_RETRY_SECONDS)

    @property
    def questions_expected(self) -> float:
        """With those that submissions under way will probably put: as many as the last ones did."""
        return self.questions + (self.under_way - self.asking) * self._mean

    def refusal(
        self, submissions: int, caller: str, seconds_left: float | None, *, sent_away: bool = True
    ) -> Refusal | None:
        """Why so many more of this caller are not let in; None where they are.

        A full class still lets in a caller that has less than an equal share of it, up to twice the bound in all, so
        that nobody keeps the others out. What would be answered after its deadline is not let in either.
        """
        mine = self.callers.get(caller, 0)
        sharing = len(self.callers) + (mine == 0)
        full = self._full
        if full is not None:
            share = min(self.bound.submissions, self.bound.questions / max(self._mean, 1.0)) / sharing
            if sharing == 1 or mine >= share or self._has_most:
                return self._turn_away(full, self.retry_after_seconds(), submissions if sent_away else 0)
        pace = self.pace.a_second(_ENOUGH)
        if seconds_left is None or pace is None:
            return None
        caution = _CAUTION if sharing == 1 else _CAUTION_AMONG_OTHERS
        wait = caution * (mine + submissions) / (pace * max(self.pace.share_of(caller), 1 / sharing))
        if wait <= seconds_left:
            return None
        why = (
            f"at the present pace the answer would take about {wait:.1f} s, and the deadline is in {seconds_left:.1f} s"
        )
        return self._turn_away(why, wait - seconds_left, submissions if sent_away else 0)

    def came(self, submissions: int, caller: str) -> None:
        if not self.under_way:
            self._since = time.monotonic()
        if not self.saturated():
            self.pace.idle()
        self.under_way += submissions
        self.callers[caller] += submissions

    def went(self, submissions: int, caller: str) -> None:
        self.under_way -= submissions
        self.callers[caller] -= submissions
        if not self.callers[caller]:
            del self.callers[caller]
        if self.saturated():
            self.pace.end(submissions, caller)
        else:
            self.pace.idle()

    def asks(self, questions: int) -> None:
        """One submission puts its questions."""
        self.asking += 1
        self.questions += questions
        self._mean += _WEIGHT * (questions - self._mean)

    def has_asked(self, questions: int) -> None:
        self.asking -= 1
        self.questions -= questions

    def retry_after_seconds(self) -> float:
        """How long a tenth of the bound takes at the pace of the last minute. Where too little ended in that minute: as
        long as the class has been waiting already, at least 1 s."""
        pace = self.pace.a_second(2)
        if pace is None:
            waited = time.monotonic() - self._since if self.under_way else 0.0
            return min(max(waited, 1.0), _LONGEST_RETRY_SECONDS)
        return _bounded(0.1 * min(self.bound.submissions, self.bound.questions / max(self._mean, 1.0)) / pace)

    @property
    def _has_most(self) -> bool:
        """Whether the class has twice its bounds."""
        bound = self.bound
        return (
            self.under_way >= _MOST_FOR_OTHERS * bound.submissions
            or self.questions_expected >= _MOST_FOR_OTHERS * bound.questions
        )

    def _turn_away(self, why: str, seconds: float, submissions: int) -> Refusal:
        """``seconds``: when there would be room if nobody had been turned away before."""
        return Refusal(
            why, _bounded(seconds + self._turned_away.seconds_behind(submissions, self.pace.a_second(_ENOUGH)))
        )

    @property
    def _full(self) -> str | None:
        """What there is no room for any more, in words; None while there is room."""
        if self.under_way >= self.bound.submissions:
            return f"{self.under_way} submissions are under way, and the limit is {self.bound.submissions}"
        if self.questions_expected >= self.bound.questions:
            return (
                f"{self.questions_expected:.0f} questions are under way or about to be put, and the limit is "
                f"{self.bound.questions}"
            )
        return None


def _bounded(seconds: float) -> float:
    return min(max(seconds, _SHORTEST_RETRY_SECONDS), _LONGEST_RETRY_SECONDS)
