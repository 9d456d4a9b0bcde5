"""Asking a judge the questions of one submission: known readings first, then the judge, each question once."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from judge_server.core.criterion import Judged
from judge_server.core.errors import DeadlineExceeded, JudgeFailure
from judge_server.core.judgment import Usage
from judge_server.core.verdict import Failure, Verdict
from judge_server.judging.answer import Answer, Judge, Reading, Terms, failed, verdict_of
from judge_server.judging.material import Material
from judge_server.scoring.cache import VerdictCache, cache_key
from judge_server.scoring.deadline import expired, remaining
from judge_server.scoring.flight import Flights
from judge_server.scoring.plan import Question

_TIMEOUT = Failure.of(DeadlineExceeded("The deadline passed before the judge answered."))


@dataclass(frozen=True, slots=True)
class Findings:
    """Verdicts in the order of the questions, and what finding them cost."""

    verdicts: tuple[Verdict, ...]
    usage: Usage
    model_seconds: float


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Question
    key: str


class Inquiry:
    """Answers questions from the cache and by asking judges; identical questions in flight are asked once."""

    def __init__(self, cache: VerdictCache) -> None:
        self.cache = cache
        self._flights: Flights[tuple[Answer, ...]] = Flights()

    @property
    def in_flight(self) -> int:
        return len(self._flights)

    async def find(self, judge: Judge, questions: Sequence[Question], terms: Terms) -> Findings:
        """Never raises for a failing judge: every question gets a verdict, with a value or with a typed failure."""
        fingerprint = judge.reference.fingerprint
        asked = [
            _Asked(question, cache_key(fingerprint, question.criterion, question.material)) for question in questions
        ]
        known = await self.cache.recall([one.key for one in asked])
        open_questions = [one for one in asked if one.key not in known]
        answers = await self._ask(judge, open_questions, terms)
        fresh = {key: answer.reading for key, answer in answers.items() if answer.reading}
        await self.cache.remember(fresh)
        verdicts = tuple(_verdict(one, known.get(one.key), answers.get(one.key)) for one in asked)
        usage = sum((answer.usage for answer in answers.values()), Usage())
        return Findings(verdicts, usage, max((answer.model_seconds for answer in answers.values()), default=0.0))

    async def _ask(self, judge: Judge, asked: Sequence[_Asked], terms: Terms) -> dict[str, Answer]:
        calls = [self._call(judge, batch, terms) for batch in _batches(asked, judge.specification.criteria_per_call)]
        answers: dict[str, Answer] = {}
        for result in await asyncio.gather(*calls):
            answers.update(result)
        return answers

    async def _call(self, judge: Judge, batch: Sequence[_Asked], terms: Terms) -> dict[str, Answer]:
        """One call of the judge, or the answer of an identical call that is under way."""
        keys = [one.key for one in batch]
        criteria = tuple(one.question.criterion for one in batch)
        material = batch[0].question.material
        try:
            async with asyncio.timeout(remaining(terms.deadline)):
                answers, first = await self._shared("\n".join(keys), judge, material, criteria, terms)
        except TimeoutError:
            return {key: failed(_TIMEOUT) for key in keys}
        except JudgeFailure as fault:
            return {key: failed(Failure.of(fault)) for key in keys}
        if not first:
            answers = tuple(replace(answer, usage=Usage(), model_seconds=0.0) for answer in answers)
        return dict(zip(keys, answers, strict=True))

    async def _shared(
        self, key: str, judge: Judge, material: Material, criteria: tuple[Judged, ...], terms: Terms
    ) -> tuple[tuple[Answer, ...], bool]:
        """Another caller's deadline is not ours: what timed out for it is asked again while we have time."""
        while True:
            answers, first = await self._flights.join(key, lambda: judge.ask(material, criteria, terms))
            timed_out = any(answer.failure and answer.failure.type == DeadlineExceeded.type for answer in answers)
            if first or not timed_out or expired(terms.deadline):
                return answers, first


def _batches(asked: Sequence[_Asked], size: int) -> list[list[_Asked]]:
    """Questions on the same material, at most ``size`` together."""
    by_material: dict[str, list[_Asked]] = defaultdict(list)
    for one in {one.key: one for one in asked}.values():
        by_material[one.question.material.digest].append(one)
    return [same[start : start + size] for same in by_material.values() for start in range(0, len(same), size)]


def _verdict(one: _Asked, known: Reading | None, answer: Answer | None) -> Verdict:
    if known is not None:
        return verdict_of(one.question.criterion, Answer(reading=known), step=one.question.material.step, cached=True)
    return verdict_of(one.question.criterion, answer or failed(_TIMEOUT), step=one.question.material.step)
