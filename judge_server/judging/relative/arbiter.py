"""One judge, shown candidates of a comparison in one order."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from math import fsum

from judge_server.core.judgment import Usage
from judge_server.core.verdict import VerdictStatus
from judge_server.judging.answer import Answer, Judge, Reading, Terms
from judge_server.judging.panel import Panel
from judge_server.judging.relative.comparison import Shown
from judge_server.judging.relative.options import Kind
from judge_server.judging.relative.prompt import Question, Script, letters, relative_digest
from judge_server.judging.relative.reading import (
    PAIR,
    PAIR_SCHEMA,
    list_schema,
    read_list,
    read_pair,
    read_pair_labels,
)
from judge_server.judging.retry import asked, trusted
from judge_server.judging.single import SingleJudge
from judge_server.models.protocol import Completion, Labels, Request, Sampling, Structured
from judge_server.models.reserved import RESERVED_DIGEST
from judge_server.util.concurrency import together


class Arbiter:
    """Compares as its judge judges: same model, mode, votes, attempts and label mass."""

    def __init__(self, judge: SingleJudge, kind: Kind) -> None:
        self.judge = judge
        self.kind = kind

    def key(self, presentation: str) -> str:
        """What determines an answer, as 64 hexadecimal digits; ``presentation`` is the comparison's key of it."""
        fingerprint = self.judge.reference.fingerprint
        content = f"{fingerprint}\n{RESERVED_DIGEST}\n{relative_digest()}\n{self.kind}\n{presentation}"
        return hashlib.sha256(content.encode()).hexdigest()

    async def ask(self, script: Script, shown: Shown, terms: Terms) -> Answer:
        """An answer whose ``shares`` are a score in [0, 1] for each candidate shown: in a list each its own, of a pair
        the probabilities that it is the better one. Never raises for a judge that failed."""
        votes = range(self.judge.specification.votes)
        return _mean(await together([self._vote(script, shown, terms, vote) for vote in votes]))

    async def _vote(self, script: Script, shown: Shown, terms: Terms, vote: int) -> Answer:
        if self.kind == "listwise":
            return await self._list(script, shown, terms, vote)
        if self.judge.mode == "reason":
            return await self._pair_reason(script, shown, terms, vote)
        answer = await self._pair_direct(script, shown, terms, vote)
        settled = answer.reading or answer.status is VerdictStatus.UNAVAILABLE
        if settled or self.judge.specification.fallback != "reason":
            return answer
        second = await self._pair_reason(script, shown, terms, vote)
        seconds = answer.model_seconds + second.model_seconds
        return replace(second, usage=answer.usage + second.usage, model_seconds=seconds)

    async def _list(self, script: Script, shown: Shown, terms: Terms, vote: int) -> Answer:
        labels = letters(len(shown))
        tokens = self.judge.specification.reason_tokens * len(shown)
        wanted = Structured(list_schema(labels), tokens, "scores")

        def read(completion: Completion) -> Reading:
            scores = read_list(completion, labels)
            return Reading(fsum(scores) / len(scores), scores)

        return await self._ask(script, shown, "relative_list", wanted, read, terms, vote)

    async def _pair_direct(self, script: Script, shown: Shown, terms: Terms, vote: int) -> Answer:
        def read(completion: Completion) -> Reading:
            first, second, mass = read_pair_labels(completion)
            return Reading(first, (first, second), label_mass=mass)

        answer = await self._ask(script, shown, "relative_pair_direct", Labels(PAIR), read, terms, vote)
        return trusted(answer, self.judge.least_mass)

    async def _pair_reason(self, script: Script, shown: Shown, terms: Terms, vote: int) -> Answer:
        def read(completion: Completion) -> Reading:
            first, second = read_pair(completion)
            return Reading(first, (first, second))

        wanted = Structured(PAIR_SCHEMA, self.judge.specification.reason_tokens)
        return await self._ask(script, shown, "relative_pair_reason", wanted, read, terms, vote)

    async def _ask(
        self,
        script: Script,
        shown: Shown,
        question: Question,
        wanted: Labels | Structured,
        read: Callable[[Completion], Reading],
        terms: Terms,
        vote: int,
    ) -> Answer:
        specification = self.judge.specification
        request = Request(
            prompt=script.prompt(shown, question),
            answer=wanted,
            sampling=Sampling(self.judge.temperature, specification.seed + vote),
            thinking_tokens=specification.thinking_tokens if isinstance(wanted, Structured) else None,
            priority=terms.priority,
            deadline=terms.deadline,
        )
        (answer,) = await asked(specification, self.judge.model, request, lambda completion: (read(completion),))
        return answer


def singles(judge: Judge) -> tuple[SingleJudge, ...]:
    """The judges with a model of their own behind ``judge``."""
    if isinstance(judge, Panel):
        return tuple(single for member in judge.members for single in singles(member))
    return (judge,) if isinstance(judge, SingleJudge) else ()


def _mean(votes: list[Answer]) -> Answer:
    """The mean of the usable votes, of which there must be more than half."""
    if len(votes) == 1:
        return votes[0]
    usage = Usage.total(answer.usage for answer in votes)
    seconds = fsum(answer.model_seconds for answer in votes)
    readings = [answer.reading for answer in votes if answer.reading]
    if len(readings) * 2 <= len(votes):
        failed = next(answer for answer in votes if answer.failure)
        return replace(failed, usage=usage, model_seconds=seconds)
    shares = tuple(fsum(column) / len(readings) for column in zip(*(r.shares for r in readings), strict=True))
    return Answer(reading=Reading(fsum(shares) / len(shares), shares), usage=usage, model_seconds=seconds)
