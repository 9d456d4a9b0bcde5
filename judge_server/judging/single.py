"""One model asked in one mode: direct reads one token's probabilities, reason reads a reason and then a verdict."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cached_property
from math import fsum

from judge_server.core.canonical import digest
from judge_server.core.criterion import Judged, Scale
from judge_server.core.errors import JudgeFailure, UnusableVerdict
from judge_server.core.judge import JudgeSpecification, Mode
from judge_server.core.judgment import JudgeReference, Usage
from judge_server.core.verdict import Failure, VerdictStatus
from judge_server.judging.answer import Answer, Reading, Terms, failed
from judge_server.judging.material import Material
from judge_server.judging.prompt import PromptWriter, labels_of, template_digest
from judge_server.judging.reading import read_labels, read_structured, verdict_schema
from judge_server.models.protocol import Completion, Labels, Model, Request, Sampling, Structured

_OUTSIDE_THE_ANSWER = {"name", "engine", "attempts", "panel", "combine", "quorum"}


class SingleJudge:
    """A judge with a model of its own. It owns the retries of unreadable answers, the model those of transport."""

    def __init__(self, specification: JudgeSpecification, model: Model, writer: PromptWriter) -> None:
        self.specification = specification
        self.model = model
        self._writer = writer

    async def start(self) -> None:
        await self.model.start()

    async def close(self) -> None:
        await self.model.close()

    async def healthy(self) -> bool:
        return await self.model.healthy()

    @cached_property
    def mode(self) -> Mode:
        """Reason mode where the model gives no probabilities, whatever was configured."""
        return self.specification.mode if self.model.capabilities.logprobs else "reason"

    @cached_property
    def reference(self) -> JudgeReference:
        model = self.model
        asked = self.specification.model_dump(mode="json", exclude=_OUTSIDE_THE_ANSWER)
        fingerprint = digest(
            {**asked, "mode": self.mode, "revision": model.revision, "templates": template_digest(), "name": model.name}
        )
        return JudgeReference(
            name=self.specification.name,
            model=self.specification.model or model.name,
            mode=self.mode,
            fingerprint=fingerprint,
            notice=model.notice,
        )

    async def ask(self, material: Material, criteria: tuple[Judged, ...], terms: Terms) -> tuple[Answer, ...]:
        votes = self.specification.votes
        ask = self._directly if self.mode == "direct" else self._with_reason
        if votes == 1:
            return await ask(material, criteria, terms, 0)
        ballots = await asyncio.gather(*(ask(material, criteria, terms, vote) for vote in range(votes)))
        return tuple(_counted(answers) for answers in zip(*ballots, strict=True))

    async def _directly(
        self, material: Material, criteria: tuple[Judged, ...], terms: Terms, vote: int
    ) -> tuple[Answer, ...]:
        return tuple([await self._direct(material, criterion, terms, vote) for criterion in criteria])

    async def _direct(self, material: Material, criterion: Judged, terms: Terms, vote: int) -> Answer:
        labels = labels_of(criterion)

        def read(completion: Completion) -> tuple[Reading]:
            if not completion.candidates:
                raise UnusableVerdict("The answer came without token probabilities.")
            found = read_labels(completion.candidates, labels)
            if found is None:
                return (Reading(0.0, tuple(0.0 for _ in labels), label_mass=0.0),)
            return (Reading(_expected(criterion, found.shares), found.shares, label_mass=min(found.mass, 1.0)),)

        (answer,) = await self._asked(
            Request(
                prompt=self._writer.write(material, (criterion,), "direct"),
                answer=Labels(labels),
                sampling=self._sampling(vote),
                priority=terms.priority,
                deadline=terms.deadline,
            ),
            read,
        )
        reading = answer.reading
        if reading is None or reading.label_mass is None or reading.label_mass >= self._least_mass:
            return answer
        if self.specification.fallback == "reason":
            (second,) = await self._with_reason(material, (criterion,), terms, vote)
            return replace(second, usage=answer.usage + second.usage)
        return _abstained(answer, reading, self._least_mass)

    @property
    def _least_mass(self) -> float:
        """Never quite 0: a judge that gave its labels no mass at all said nothing."""
        return max(self.specification.min_label_mass, 1e-12)

    async def _with_reason(
        self, material: Material, criteria: tuple[Judged, ...], terms: Terms, vote: int
    ) -> tuple[Answer, ...]:
        labels = [labels_of(criterion) for criterion in criteria]

        def read(completion: Completion) -> tuple[Reading, ...]:
            spoken = read_structured(completion, labels)
            readings = []
            for criterion, words, said in zip(criteria, labels, spoken, strict=True):
                shares = tuple(1.0 if word == said.label else 0.0 for word in words)
                readings.append(Reading(_expected(criterion, shares), shares, reason=said.reason))
            return tuple(readings)

        request = Request(
            prompt=self._writer.write(material, criteria, "reason"),
            answer=Structured(verdict_schema(labels), self.specification.reason_tokens * len(criteria)),
            sampling=self._sampling(vote),
            thinking_tokens=self.specification.thinking_tokens,
            priority=terms.priority,
            deadline=terms.deadline,
        )
        return await self._asked(request, read, len(criteria))

    def _sampling(self, vote: int) -> Sampling:
        return Sampling(self.specification.effective_temperature, self.specification.seed + vote)

    async def _asked(
        self, request: Request, read: Callable[[Completion], tuple[Reading, ...]], count: int = 1
    ) -> tuple[Answer, ...]:
        """Ask until the answer can be read, at most ``attempts`` times; what fails becomes a typed answer."""
        usage, seconds = Usage(), 0.0
        failure: JudgeFailure = UnusableVerdict("The judge was not asked.")
        for attempt in range(self.specification.attempts):
            started = time.monotonic()
            sampling = replace(request.sampling, seed=(request.sampling.seed or 0) + 1_000 * attempt)
            try:
                completion = await self.model.complete(replace(request, sampling=sampling) if attempt else request)
                usage, seconds = usage + completion.usage, seconds + time.monotonic() - started
                readings = read(completion)
            except UnusableVerdict as fault:
                failure = fault
            except JudgeFailure as fault:
                failure = fault
                break
            else:
                return _shared(readings, usage, seconds)
        status = VerdictStatus.UNUSABLE if isinstance(failure, UnusableVerdict) else VerdictStatus.UNAVAILABLE
        first = failed(Failure.of(failure), status, usage=usage, model_seconds=seconds)
        return (first, *(failed(Failure.of(failure), status) for _ in range(count - 1)))


Asking = Callable[[Material, tuple[Judged, ...], Terms, int], Awaitable[tuple[Answer, ...]]]


def _shared(readings: tuple[Reading, ...], usage: Usage, seconds: float) -> tuple[Answer, ...]:
    """The cost of a call that answered several criteria stands with the first."""
    first = Answer(reading=readings[0], usage=usage, model_seconds=seconds)
    return (first, *(Answer(reading=reading) for reading in readings[1:]))


def _expected(criterion: Judged, shares: tuple[float, ...]) -> float:
    """P(met), or the expected value over the options."""
    if isinstance(criterion, Scale):
        pairs = zip(criterion.options, shares, strict=True)
        return min(max(fsum(option.value * share for option, share in pairs), 0.0), 1.0)
    return min(shares[0], 1.0)


def _abstained(answer: Answer, reading: Reading, least: float) -> Answer:
    mass = reading.label_mass or 0.0
    failure = Failure(
        type="low_label_mass",
        detail=f"The labels had {mass:.3g} of the probability, less than the {least:g} that the judge demands.",
    )
    return replace(
        answer, reading=None, failure=failure, status=VerdictStatus.ABSTAINED, distrusted=reading if mass else None
    )


def _counted(answers: tuple[Answer, ...]) -> Answer:
    """The mean of the usable votes, of which there must be more than half."""
    usage = sum((answer.usage for answer in answers), Usage())
    seconds = fsum(answer.model_seconds for answer in answers)
    readings = [answer.reading for answer in answers if answer.reading]
    if len(readings) * 2 <= len(answers):
        worst = next(answer for answer in answers if answer.failure)
        return replace(worst, usage=usage, model_seconds=seconds)
    value = fsum(reading.value for reading in readings) / len(readings)
    shares = tuple(fsum(column) / len(readings) for column in zip(*(r.shares for r in readings), strict=True))
    masses = [reading.label_mass for reading in readings if reading.label_mass is not None]
    nearest = min(readings, key=lambda reading: abs(reading.value - value))
    mean = Reading(value, shares, nearest.reason, fsum(masses) / len(masses) if masses else None)
    return Answer(reading=mean, usage=usage, model_seconds=seconds)
