"""The load of one priority class, its limits, and an estimate of when there will be room."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple

_REMEMBERED = 256
_RECENT_SECONDS = 60.0
_ENOUGH_FOR_SHARES = 32
_SHORTEST_RETRY_SECONDS = 0.5
_LONGEST_RETRY_SECONDS = 60.0
_FIRST_GUESS = 8.0
_WEIGHT = 0.05
_ENOUGH = 4
_CAUTION = 1.25
_CAUTION_AMONG_OTHERS = 1.5  # they may ask more questions than so far
_MOST_FOR_OTHERS = 2


@dataclass(frozen=True, slots=True)
class Bound:
    """Limits of one class: submissions under way, and their questions to judges (each takes about 14 KB until it is
    answered)."""

    submissions: int
    questions: int


class Refusal(NamedTuple):
    """Why there is no room, as text, and the estimated seconds until there is."""

    why: str
    retry_after_seconds: float


class Throughput:
    """Submissions answered per second in the last minute, from at most the last 256 of them. Call ``reset`` whenever
    models are not saturated: the rate would measure demand, not capacity."""

    __slots__ = ("_by_caller", "_clock", "_ended", "_since")

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ended: deque[tuple[float, str]] = deque()
        self._by_caller: Counter[str] = Counter()
        self._since = self._clock()

    def reset(self) -> None:
        self._ended.clear()
        self._by_caller.clear()
        self._since = self._clock()

    def end(self, submissions: int, caller: str) -> None:
        """Record that ``submissions`` of this caller ended."""
        now = self._clock()
        some = min(submissions, _REMEMBERED)
        self._ended.extend([(now, caller)] * some)
        self._by_caller[caller] += some
        while len(self._ended) > _REMEMBERED:
            self._forget()

    def per_second(self, enough: int) -> float | None:
        """Of all callers; None if fewer than ``enough`` ended."""
        now = self._clock()
        while self._ended and self._ended[0][0] < now - _RECENT_SECONDS:
            self._forget()
        if len(self._ended) < enough:
            return None
        return len(self._ended) / max(now - self._since, 0.001)

    def share_of(self, caller: str) -> float:
        """The caller's share of ended submissions, in [0, 1]; 0 if too few ended."""
        if len(self._ended) < _ENOUGH_FOR_SHARES or caller not in self._by_caller:
            return 0.0
        return self._by_caller[caller] / len(self._ended)

    def _forget(self) -> None:
        self._since, caller = self._ended.popleft()
        self._by_caller[caller] -= 1
        if not self._by_caller[caller]:
            del self._by_caller[caller]


class RetryAfter:
    """Staggers Retry-After, so that rejected callers return in order. It counts at most as many rejected submissions as
    can be answered in ``longest_seconds``."""

    __slots__ = ("_at", "_clock", "_count", "_longest_seconds")

    def __init__(self, longest_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._longest_seconds = longest_seconds
        self._count = 0.0
        self._at = 0.0

    def seconds_behind(self, submissions: int, throughput: float | None) -> float:
        """Seconds to answer the submissions rejected so far at ``throughput``, in submissions per second (0 if None).
        Then counts these as rejected too."""
        if throughput is None:
            return 0.0
        now = self._clock()
        before = max(self._count - throughput * (now - self._at), 0.0)
        self._count, self._at = min(before + submissions, throughput * self._longest_seconds), now
        return before / throughput


def _always() -> bool:
    return True


class ClassLoad:
    """``under_way``: submissions, of ``callers`` by name; ``questions``: those of the submissions that have asked so
    far (``asking_now`` of them). ``saturated``: whether the models, not the callers, limit the throughput."""

    def __init__(
        self, bound: Bound, saturated: Callable[[], bool] = _always, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self.bound = bound
        self.callers: Counter[str] = Counter()
        self.under_way = 0
        self.asking_now = 0
        self.questions = 0
        self.saturated = saturated
        self.throughput = Throughput(clock)
        self._questions_each = _FIRST_GUESS
        self._busy_since = 0.0
        self._retry_after = RetryAfter(_LONGEST_RETRY_SECONDS, clock)

    @property
    def questions_expected(self) -> float:
        """Estimated questions of all submissions under way, from the average of those that have already asked."""
        return self.questions + (self.under_way - self.asking_now) * self._questions_each

    def refusal(
        self, submissions: int, caller: str, seconds_left: float | None, *, sent_away: bool = True
    ) -> Refusal | None:
        """Why ``submissions`` more of this caller are refused; None if they are admitted.

        A full class still admits a caller that has less than an equal share of it, up to twice the bound in total, so
        that no caller can exclude others. Submissions that would miss their deadline are refused too. ``sent_away``:
        count the refused ones for ``RetryAfter``.
        """
        mine = self.callers.get(caller, 0)
        sharing = len(self.callers) + (mine == 0)
        rejected = submissions if sent_away else 0
        full = self._full
        if full is not None:
            share = min(self.bound.submissions, self.bound.questions / max(self._questions_each, 1.0)) / sharing
            if sharing == 1 or mine >= share or self._beyond_sharing:
                return self._refused(full, self.retry_after_seconds(), rejected)
        rate = self.throughput.per_second(_ENOUGH)
        if seconds_left is None or rate is None:
            return None
        caution = _CAUTION if sharing == 1 else _CAUTION_AMONG_OTHERS
        wait = caution * (mine + submissions) / (rate * max(self.throughput.share_of(caller), 1 / sharing))
        if wait <= seconds_left:
            return None
        why = (
            f"at the current rate the answer would take about {wait:.1f} s, and the deadline is in {seconds_left:.1f} s"
        )
        return self._refused(why, wait - seconds_left, rejected)

    def add(self, submissions: int, caller: str) -> None:
        """Count them as under way."""
        if not self.under_way:
            self._busy_since = self._clock()
        if not self.saturated():
            self.throughput.reset()
        self.under_way += submissions
        self.callers[caller] += submissions

    def remove(self, submissions: int, caller: str) -> None:
        """Count them as ended."""
        self.under_way -= submissions
        self.callers[caller] -= submissions
        if not self.callers[caller]:
            del self.callers[caller]
        if self.saturated():
            self.throughput.end(submissions, caller)
        else:
            self.throughput.reset()

    @contextmanager
    def asking(self, questions: int) -> Iterator[None]:
        """Count the questions of one submission inside the block."""
        self.asking_now += 1
        self.questions += questions
        self._questions_each += _WEIGHT * (questions - self._questions_each)
        try:
            yield
        finally:
            self.asking_now -= 1
            self.questions -= questions

    def retry_after_seconds(self) -> float:
        """How long a tenth of the bound takes at the throughput of the last minute. If too few submissions ended: the
        time that the class has been busy, at least 1 s."""
        rate = self.throughput.per_second(2)
        if rate is None:
            waited = self._clock() - self._busy_since if self.under_way else 0.0
            return min(max(waited, 1.0), _LONGEST_RETRY_SECONDS)
        return _bounded(0.1 * min(self.bound.submissions, self.bound.questions / max(self._questions_each, 1.0)) / rate)

    @property
    def _beyond_sharing(self) -> bool:
        """Whether the class has twice its bounds, which leaves no room for other callers either."""
        bound = self.bound
        return (
            self.under_way >= _MOST_FOR_OTHERS * bound.submissions
            or self.questions_expected >= _MOST_FOR_OTHERS * bound.questions
        )

    def _refused(self, why: str, seconds: float, rejected: int) -> Refusal:
        """``seconds``: time until there is room, not counting callers rejected earlier."""
        behind = self._retry_after.seconds_behind(rejected, self.throughput.per_second(_ENOUGH))
        return Refusal(why, _bounded(seconds + behind))

    @property
    def _full(self) -> str | None:
        """Which bound is reached, as text; None while there is room."""
        if self.under_way >= self.bound.submissions:
            return f"{self.under_way} submissions are under way, and the limit is {self.bound.submissions}"
        if self.questions_expected >= self.bound.questions:
            return (
                f"{self.questions_expected:.0f} questions are under way or expected, and the limit is "
                f"{self.bound.questions}"
            )
        return None


def _bounded(seconds: float) -> float:
    return min(max(seconds, _SHORTEST_RETRY_SECONDS), _LONGEST_RETRY_SECONDS)
