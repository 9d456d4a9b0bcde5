"""One question of a grader to a judge: from the cache, with others who ask the same, or by asking its model."""

import asyncio
import hashlib
from dataclasses import asdict, dataclass, replace

from judge_server.core.errors import DeadlineExceeded
from judge_server.core.grader import SamplingParams
from judge_server.core.judgment import Usage
from judge_server.core.verdict import Failure
from judge_server.judging.answer import Answer, Terms, failed
from judge_server.judging.retry import Read, asked, counted
from judge_server.judging.single import SingleJudge
from judge_server.models.protocol import Labels, Prompt, Request, Sampling, Structured
from judge_server.scheduling.deadline import expired, remaining
from judge_server.scheduling.single_flight import SingleFlight
from judge_server.scheduling.urgency import Waiter
from judge_server.scoring.cache import VerdictCache
from judge_server.util.canonical import canonical_json
from judge_server.util.concurrency import together

_TIMEOUT = failed(Failure.of(DeadlineExceeded("The deadline passed before the judge answered.")))


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked and how its answer is read. Equal questions give equal answers, so they are asked once."""

    prompt: Prompt
    answer: Labels | Structured
    read: Read


class JudgeCalls:
    """Asks judges. Never raises for a judge that failed: its answer says so."""

    def __init__(self, cache: VerdictCache) -> None:
        self._cache = cache
        self._flights: SingleFlight[Answer] = SingleFlight()

    async def ask(
        self, judge: SingleJudge, question: Question, sampling: SamplingParams | None, terms: Terms
    ) -> Answer:
        """The mean of the judge's votes, or a typed failure; within the deadline of ``terms``."""
        request = _request(judge, question, sampling or SamplingParams(), terms)
        key = _key(judge, request)
        known = await self._cache.recall([key], terms.deadline)
        if key in known:
            return Answer(reading=known[key])
        answer = await self._fly(key, judge, request, question.read, terms)
        if answer.reading is not None:
            await self._cache.remember({key: answer.reading}, terms.deadline)
        return answer

    async def _fly(self, key: str, judge: SingleJudge, request: Request, read: Read, terms: Terms) -> Answer:
        """Another caller's deadline is not ours: what timed out for it is asked again while we have time."""
        while not expired(terms.deadline):
            first, want = key not in self._flights, Waiter.of(terms.priority)
            flight = self._flights.board(key, lambda: _votes(judge, request, read), want)
            try:
                await asyncio.wait([flight.task], timeout=remaining(terms.deadline))
            finally:
                self._flights.leave(flight, want)
            if not flight.task.done():
                break
            answer = flight.task.result()
            if first or not _timed_out(answer):
                return answer if flight.pay() else replace(answer, usage=Usage(), model_seconds=0.0)
        return _TIMEOUT


async def _votes(judge: SingleJudge, request: Request, read: Read) -> Answer:
    specification = judge.specification
    seed = request.sampling.seed or 0
    requests = [
        replace(request, sampling=replace(request.sampling, seed=seed + vote)) for vote in range(specification.votes)
    ]
    answers = await together([asked(specification, judge.model, one, read) for one in requests])
    votes = tuple(answer for (answer,) in answers)
    return votes[0] if len(votes) == 1 else counted(votes)


def _request(judge: SingleJudge, question: Question, sampling: SamplingParams, terms: Terms) -> Request:
    specification, answer = judge.specification, question.answer
    thinking = specification.thinking_tokens
    if isinstance(answer, Structured) and sampling.max_completions_tokens is not None:
        answer = replace(answer, max_tokens=min(answer.max_tokens, sampling.max_completions_tokens))
    return Request(
        prompt=question.prompt,
        answer=answer,
        sampling=Sampling(
            judge.temperature if sampling.temperature is None else sampling.temperature,
            specification.seed if sampling.seed is None else sampling.seed,
        ),
        thinking_tokens=None if isinstance(answer, Labels) or sampling.reasoning_effort == "none" else thinking,
        priority=terms.priority,
        deadline=terms.deadline,
    )


def _key(judge: SingleJudge, request: Request) -> str:
    """What determines the answer, as 64 hexadecimal digits: the prompt's roles and runs count, not only its text."""
    content = {
        "grader": judge.reference.fingerprint,
        "turns": [[turn.role, [[run.text, run.trusted] for run in turn.segments]] for turn in request.prompt.turns],
        "answer": asdict(request.answer),
        "sampling": asdict(request.sampling),
        "thinking": request.thinking_tokens,
    }
    return hashlib.sha256(canonical_json(content).encode("utf-8", "surrogatepass")).hexdigest()


def _timed_out(answer: Answer) -> bool:
    return answer.failure is not None and answer.failure.type == DeadlineExceeded.type
