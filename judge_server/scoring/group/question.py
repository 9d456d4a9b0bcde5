"""Asking presentations: known answers first, then the judge, each presentation once however many groups want it."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from judge_server.core.errors import DeadlineExceeded, JudgeFailure, ModelUnavailable
from judge_server.core.judgment import Usage
from judge_server.core.verdict import Failure
from judge_server.judging.answer import Answer, Terms, failed
from judge_server.judging.relative.arbiter import Arbiter
from judge_server.judging.relative.comparison import Shown
from judge_server.judging.relative.prompt import Script
from judge_server.judging.relative.standing import Answers
from judge_server.scheduling.deadline import expired, remaining
from judge_server.scheduling.single_flight import Flight, SingleFlight
from judge_server.scheduling.urgency import Waiter
from judge_server.scoring.cache import VerdictCache
from judge_server.util.concurrency import together

_LOG = logging.getLogger(__name__)
_LONGEST_RECALL_SECONDS = 5.0
_LATE = Failure.of(DeadlineExceeded("The deadline passed before the judge answered."))


@dataclass(frozen=True, slots=True)
class _Asked:
    arbiter: Arbiter
    script: Script
    shown: Shown
    key: str


class Questioner:
    """Answers are kept in the cache of verdicts, under keys of their own."""

    def __init__(self, cache: VerdictCache) -> None:
        self._cache = cache
        self._flights: SingleFlight[Answer] = SingleFlight()

    async def answers(self, arbiter: Arbiter, script: Script, shown: Sequence[Shown], terms: Terms) -> Answers:
        """An answer for every presentation, with a reading or with a typed failure. Never raises for a judge."""
        asked = [_Asked(arbiter, script, one, arbiter.key(script.comparison.key(one))) for one in shown]
        known = await self._cache.recall([one.key for one in asked], _recall_deadline(terms))
        found = {one.shown: Answer(reading=known[one.key]) for one in asked if one.key in known}
        unknown = [one for one in asked if one.key not in known]
        fresh = await together([self._answer(one, terms) for one in unknown])
        readings = {
            one.key: answer.reading for one, answer in zip(unknown, fresh, strict=True) if answer.reading is not None
        }
        await self._cache.remember(readings, terms.deadline)
        return found | {one.shown: answer for one, answer in zip(unknown, fresh, strict=True)}

    async def _answer(self, asked: _Asked, terms: Terms) -> Answer:
        """Another caller's deadline is not ours: what timed out for it is asked again while we have time."""
        while not expired(terms.deadline):
            started, want = asked.key not in self._flights, Waiter.of(terms.priority)
            flight = self._flights.board(asked.key, lambda: asked.arbiter.ask(asked.script, asked.shown, terms), want)
            try:
                await asyncio.wait([flight.task], timeout=remaining(terms.deadline))
                if not flight.task.done():
                    break
                answer = _landed(asked, flight)
            finally:
                self._flights.leave(flight, want)
            if started or answer.failure is None or answer.failure.type != DeadlineExceeded.type:
                return answer
        return failed(_LATE)


def _landed(asked: _Asked, flight: Flight[Answer]) -> Answer:
    """A judge that breaks its contract is a judge that failed."""
    task = flight.task
    fault = None if task.cancelled() else task.exception()
    if fault is None and not task.cancelled():
        answer = task.result()
        return answer if flight.pay() else replace(answer, usage=Usage(), model_seconds=0.0)
    if not isinstance(fault, JudgeFailure):
        _LOG.error("judge %s broke its contract", asked.arbiter.judge.specification.name, exc_info=fault)
        fault = ModelUnavailable(f"The judge failed with {type(fault).__name__ if fault else 'a broken request'}.")
    return failed(Failure.of(fault))


def _recall_deadline(terms: Terms) -> float:
    """A memory that hangs may take a part of the time, never what the judge needs."""
    left = remaining(terms.deadline)
    return time.monotonic() + (_LONGEST_RECALL_SECONDS if left is None else min(left / 4, _LONGEST_RECALL_SECONDS))
