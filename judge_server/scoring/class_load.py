"""What one priority class has under way, its bounds, and when there will probably be room again."""

import time
from collections import deque
from dataclasses import dataclass

_REMEMBERED = 256
_RECENT_SECONDS = 60.0
_SHORTEST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 60.0
_FIRST_GUESS = 8.0
_WEIGHT = 0.05


@dataclass(frozen=True, slots=True)
class Bound:
    """How much of one class may be under way before the door sends away: submissions, and the questions that they put
    to judges (each holds some 9 KB until it is answered)."""

    submissions: int
    questions: int


class ClassLoad:
    """``under_way``: submissions; ``questions``: those of the submissions that came so far, ``asking`` of them."""

    __slots__ = ("_finished", "_mean", "_since", "asking", "bound", "questions", "under_way")

    def __init__(self, bound: Bound) -> None:
        self.bound = bound
        self.under_way = 0
        self.asking = 0
        self.questions = 0
        self._mean = _FIRST_GUESS
        self._since = 0.0
        self._finished: deque[float] = deque(maxlen=_REMEMBERED)

    @property
    def questions_expected(self) -> float:
        """With those that submissions under way will probably put: as many as the last ones did."""
        return self.questions + (self.under_way - self.asking) * self._mean

    @property
    def full(self) -> str | None:
        """What there is no room for any more, in words; None while there is room."""
        if self.under_way >= self.bound.submissions:
            return f"{self.under_way} submissions are under way, and the limit is {self.bound.submissions}"
        if self.questions_expected >= self.bound.questions:
            return (
                f"{self.questions_expected:.0f} questions are under way or about to be put, and the limit is "
                f"{self.bound.questions}"
            )
        return None

    def came(self, submissions: int) -> None:
        if not self.under_way:
            self._since = time.monotonic()
        self.under_way += submissions

    def went(self, submissions: int) -> None:
        self.under_way -= submissions
        now = time.monotonic()
        self._finished.extend([now] * min(submissions, _REMEMBERED))

    def asks(self, questions: int) -> None:
        """One submission puts its questions."""
        self.asking += 1
        self.questions += questions
        self._mean += _WEIGHT * (questions - self._mean)

    def has_asked(self, questions: int) -> None:
        self.asking -= 1
        self.questions -= questions

    def retry_after_seconds(self) -> float:
        """How long a tenth of the bound takes at the pace of the last minute. Where nothing ended in that minute: as
        long as the class has been waiting already, at least 1 s."""
        now = time.monotonic()
        while self._finished and self._finished[0] < now - _RECENT_SECONDS:
            self._finished.popleft()
        if len(self._finished) < 2:
            waited = now - self._since if self.under_way else 0.0
            return min(max(waited, 1.0), _LONGEST_RETRY_SECONDS)
        pace = len(self._finished) / max(now - self._finished[0], 0.001)
        tenth = 0.1 * min(self.bound.submissions, self.bound.questions / max(self._mean, 1.0))
        return min(max(tenth / pace, _SHORTEST_RETRY_SECONDS), _LONGEST_RETRY_SECONDS)
