"""Asking a judge the questions of one submission: known readings first, then the judge, each question once."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from judge_server.core.criterion import Judged
from judge_server.core.errors import DeadlineExceeded, JudgeFailure, ModelUnavailable
from judge_server.core.judgment import Usage
from judge_server.core.verdict import Failure, Verdict, VerdictStatus
from judge_server.judging.answer import Answer, Judge, Reading, Terms, failed, verdict_of
from judge_server.judging.judge_input import JudgeInput
from judge_server.scheduling.deadline import expired, remaining
from judge_server.scheduling.single_flight import Flight, SingleFlight
from judge_server.scheduling.urgency import Waiter
from judge_server.scoring.cache import VerdictCache, cache_key
from judge_server.scoring.plan import Question

_LOG = logging.getLogger(__name__)
_LONGEST_RECALL_SECONDS = 5.0
_TIMEOUT = failed(Failure.of(DeadlineExceeded("The deadline passed before the judge answered.")))


@dataclass(frozen=True, slots=True)
class CachedAnswers:
    """Verdicts in the order of the questions, and what finding them cost."""

    verdicts: tuple[Verdict, ...]
    usage: Usage
    model_seconds: float


@dataclass(frozen=True, slots=True)
class _AskedCriterion:
    question: Question
    key: str


class CachedJudge:
    """Answers questions from the cache and by asking judges; identical questions in flight are asked once."""

    def __init__(self, cache: VerdictCache) -> None:
        self.cache = cache
        self._flights: SingleFlight[tuple[Answer, ...]] = SingleFlight()

    @property
    def in_flight(self) -> int:
        return len(self._flights)

    async def find(self, judge: Judge, questions: Sequence[Question], terms: Terms) -> CachedAnswers:
        """Never raises for a failing judge: every question gets a verdict, with a value or with a typed failure."""
        fingerprint = judge.reference.fingerprint
        asked = [
            _AskedCriterion(question, cache_key(fingerprint, question.criterion, question.material))
            for question in questions
        ]
        known = await self.cache.recall([one.key for one in asked], _recall_deadline(terms))
        answers = await self._ask(judge, [one for one in asked if one.key not in known], terms)
        fresh = {key: answer.reading for key, answer in answers.items() if answer.reading and _whole(answer.reading)}
        await self.cache.remember(fresh, terms.deadline)
        verdicts = tuple(_verdict(one, known.get(one.key), answers.get(one.key, _TIMEOUT)) for one in asked)
        seconds = max((answer.model_seconds for answer in answers.values()), default=0.0)
        return CachedAnswers(verdicts, _sum(list(answers.values())), seconds)

    async def _ask(self, judge: Judge, asked: Sequence[_AskedCriterion], terms: Terms) -> dict[str, Answer]:
        """The answers that came before the deadline. What is already under way for others is not asked again."""
        answers: dict[str, Answer] = {}
        if not asked or expired(terms.deadline):
            return answers
        own: list[_Call] = []
        others: list[asyncio.Task[None]] = []
        try:
            for batch in _batches(asked, judge.specification.criteria_per_call):
                if _key(batch) in self._flights:
                    others.append(asyncio.create_task(self._share(judge, batch, terms, answers)))
                else:
                    own.append(self._board(judge, batch, terms))
            await asyncio.wait([*(call.flight.task for call in own), *others], timeout=remaining(terms.deadline))
        finally:
            for task in others:
                task.cancel()
            for call in own:
                self._flights.leave(call.flight, call.want)
        for call in own:
            answers.update(_landed(judge, call))
        return answers

    def _board(self, judge: Judge, batch: Sequence[_AskedCriterion], terms: Terms) -> "_Call":
        material: JudgeInput = batch[0].question.material
        criteria: tuple[Judged, ...] = tuple(one.question.criterion for one in batch)
        want = Waiter.of(terms.priority)
        flight = self._flights.board(_key(batch), lambda: judge.ask(material, criteria, terms), want)
        return _Call(batch, flight, want)

    async def _share(
        self, judge: Judge, batch: Sequence[_AskedCriterion], terms: Terms, answers: dict[str, Answer]
    ) -> None:
        """Another caller's deadline is not ours: what timed out for it is asked again while we have time."""
        while True:
            started = _key(batch) not in self._flights
            call = self._board(judge, batch, terms)
            try:
                await asyncio.wait([call.flight.task])
            finally:
                self._flights.leave(call.flight, call.want)
            found = _landed(judge, call)
            if started or expired(terms.deadline) or not any(_timed_out(answer) for answer in found.values()):
                answers.update(found)
                return


class _Call(NamedTuple):
    """One call of a judge: the questions, and the flight that answers them."""

    batch: Sequence[_AskedCriterion]
    flight: Flight[tuple[Answer, ...]]
    want: Waiter


def _key(batch: Sequence[_AskedCriterion]) -> str:
    return batch[0].key if len(batch) == 1 else "\n".join(one.key for one in batch)


def _landed(judge: Judge, call: _Call) -> dict[str, Answer]:
    """The answers of a call, none if it is still under way. A judge that breaks its contract is a judge that failed."""
    keys = [one.key for one in call.batch]
    task = call.flight.task
    if not task.done():
        return {}
    fault = None if task.cancelled() else task.exception()
    if fault is None and not task.cancelled():
        answers = task.result()
        if len(answers) == len(keys):
            if not call.flight.pay():
                answers = tuple(replace(answer, usage=Usage(), model_seconds=0.0) for answer in answers)
            return dict(zip(keys, answers, strict=True))
    if not isinstance(fault, JudgeFailure):
        _LOG.error("judge %s broke its contract", judge.specification.name, exc_info=fault)
        cause = type(fault).__name__ if fault else "an incomplete answer"
        fault = ModelUnavailable(f"The judge failed with {cause}.")
    return dict.fromkeys(keys, failed(Failure.of(fault)))


def _batches(asked: Sequence[_AskedCriterion], size: int) -> list[list[_AskedCriterion]]:
    """Questions on the same material, at most ``size`` together."""
    by_material: dict[str, list[_AskedCriterion]] = defaultdict(list)
    for one in {one.key: one for one in asked}.values():
        by_material[one.question.material.digest].append(one)
    return [same[start : start + size] for same in by_material.values() for start in range(0, len(same), size)]


def _recall_deadline(terms: Terms) -> float:
    """A memory that hangs may take a part of the time, never what the judge needs."""
    left = remaining(terms.deadline)
    return time.monotonic() + (_LONGEST_RECALL_SECONDS if left is None else min(left / 4, _LONGEST_RECALL_SECONDS))


def _verdict(one: _AskedCriterion, known: Reading | None, answer: Answer) -> Verdict:
    step = one.question.material.step
    if known is not None:
        return verdict_of(one.question.criterion, Answer(reading=known), step=step, cached=True)
    return verdict_of(one.question.criterion, answer, step=step)


def _whole(reading: Reading) -> bool:
    """A panel that lacked a member is good enough now, but it is not remembered."""
    return all(opinion.status is VerdictStatus.OK for opinion in reading.panel)


def _timed_out(answer: Answer) -> bool:
    failures = [answer.failure, *(opinion.error for opinion in answer.panel)]
    return any(failure is not None and failure.type == DeadlineExceeded.type for failure in failures)


def _sum(answers: Sequence[Answer]) -> Usage:
    return Usage(
        prompt_tokens=sum(answer.usage.prompt_tokens for answer in answers),
        cached_tokens=sum(answer.usage.cached_tokens for answer in answers),
        completion_tokens=sum(answer.usage.completion_tokens for answer in answers),
        calls=sum(answer.usage.calls for answer in answers),
    )
