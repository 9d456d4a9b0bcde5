"""One request until it is answered: retries, within the deadline."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Generic, TypeVar

from judge_client.backoff import Backoff
from judge_client.deadline import Deadline
from judge_client.errors import DeadlineExceeded, JudgeClientError, Overloaded, Unreachable
from judge_client.flow import Flow, Pause, Reply, Request, Send, TransportFault
from judge_client.problem import error_of, problem_of
from judge_client.retry_log import retries

T = TypeVar("T")
_TRY_AGAIN = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class Call(Generic[T]):
    """``read``: what the answer means. ``repeatable``: a second time changes nothing, which holds for reading and, as
    verdicts are cached by content, for scoring; other calls are sent again only if the server has not begun."""

    request: Request
    read: Callable[[Reply], T]
    repeatable: bool = True


def exchange(call: Call[T], deadline: Deadline, backoff: Backoff) -> Flow[T]:
    """What the server answers, retries included. Raises an error of the tree."""
    error: JudgeClientError | None = None
    failing_since: float | None = None
    for attempt in count(1):
        left = deadline.left()
        if left <= 0:
            raise error or DeadlineExceeded("The deadline passed before there was an answer.")
        reply: Reply | TransportFault = yield Send(_timed(call.request, deadline), left)
        if isinstance(reply, TransportFault):
            error, again = _unanswered(reply, deadline), call.repeatable or not reply.sent
        elif _is_answer(reply):
            return call.read(reply)
        else:
            error = error_of(reply)
            again = _comes_again(call, reply, error)
        failing_since = time.monotonic() if failing_since is None else failing_since
        failing = time.monotonic() - failing_since
        wait = backoff.wait(attempt, error.retry_after_seconds, failing_seconds=failing) if again else None
        if wait is None or not deadline.allows(wait):
            raise error
        retries.note(error, backoff)
        yield Pause(wait)
    raise AssertionError("counting has no end")


def _timed(request: Request, deadline: Deadline) -> Request:
    seconds = deadline.for_server()
    if seconds is None:
        return request
    return replace(request, headers={**request.headers, "Deadline-Seconds": f"{seconds:.3f}"})


def _is_answer(reply: Reply) -> bool:
    """A judgment that failed is an answer: the server has tried, and says so with the judgment."""
    return reply.status < 300 or (reply.status >= 400 and "judgment" in problem_of(reply))


def _comes_again(call: Call[T], reply: Reply, error: JudgeClientError) -> bool:
    """A server that is overloaded or stopping has not begun."""
    return reply.status in _TRY_AGAIN and (call.repeatable or isinstance(error, Overloaded))


def _unanswered(fault: TransportFault, deadline: Deadline) -> JudgeClientError:
    if fault.timed_out and deadline.left() <= 0:
        return DeadlineExceeded("The deadline passed before there was an answer.", remedy="Allow more time.")
    return Unreachable(
        f"The judge server did not answer: {fault.detail}.",
        remedy=fault.remedy or "Start it, or correct url (JUDGE_URL).",
    )
