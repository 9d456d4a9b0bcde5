"""A judge with one model. Mode direct reads one token's probabilities, or asks a decision model all questions at once;
mode reason reads a reason, then a verdict.

A request is repeated until its answer can be read, and every failure becomes a typed answer instead of an exception.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import replace
from functools import cached_property, partial
from math import fsum
from typing import Any

from judge_server.core.criterion import Judged
from judge_server.core.errors import DeadlineExceeded, JudgeFailure, ModelUnavailable, UnusableVerdict
from judge_server.core.judge import JudgeSpecification, Mode
from judge_server.core.judgment import JudgeReference, Usage
from judge_server.core.verdict import Failure, VerdictStatus
from judge_server.judging.answer import Answer, Reading, Terms, ValueBounds, failed
from judge_server.judging.decision import decided
from judge_server.judging.judge_input import JudgeInput
from judge_server.judging.label_batch import ask_in_one_call
from judge_server.judging.prompt import PromptWriter, labels_of, template_digest
from judge_server.judging.reading import expected, label_reading, read_structured, verdict_schema
from judge_server.models.protocol import (
    Completion,
    LabelBatch,
    Labels,
    Model,
    Request,
    Sampling,
    Structured,
    UnusableCompletion,
)
from judge_server.util.apart import NotDone
from judge_server.util.canonical import digest
from judge_server.util.concurrency import together

_OUTSIDE_THE_ANSWER = {
    "name",
    "engine",
    "attempts",
    "panel",
    "combine",
    "quorum",
    "cascade",
    "examples",
    "temperature",
    "prompt",
    "price",
}
# options of transport and speed; every other option may change the answers
_OUTSIDE_THE_MODEL = {
    "api_key", "api_key_env", "connect_timeout_seconds", "gpu_memory_utilization", "hedge", "hedge_share",
    "kv_cache_gib", "max_in_flight", "prompt_lists", "send_priority", "start_timeout_seconds", "timeout_seconds",
    "tls_ca_file", "tls_verify", "transport_attempts",
}  # fmt: skip

_KNOWN_OF_THE_MODEL = ("_asking", "criteria_per_call", "explaining", "mode", "reference", "temperature")
_NEGLIGIBLE = 0.01
_OTHER_SEED = 500_000
_LOG = logging.getLogger(__name__)
Read = Callable[[Completion], tuple[Reading, ...]]
Asking = Callable[[JudgeInput, tuple[Judged, ...], Terms, int], Coroutine[Any, Any, tuple[Answer, ...]]]


class SingleJudge:
    """A judge with its own model. The judge retries unreadable answers; the model retries transport errors."""

    by_criterion = False

    def __init__(self, specification: JudgeSpecification, model: Model, writer: PromptWriter) -> None:
        self.specification = specification
        self.model = model
        self.writer = writer

    async def start(self) -> None:
        await self.model.start()

    async def close(self) -> None:
        await self.model.close()

    async def healthy(self) -> bool:
        return await self.model.healthy()

    def forget_model(self) -> None:
        """Another model answers now: find out anew what follows from it."""
        for known in _KNOWN_OF_THE_MODEL:
            self.__dict__.pop(known, None)

    @cached_property
    def explaining(self) -> "SingleJudge":
        """This judge in reason mode; a decision model has no reasons to give."""
        if self.mode == "reason" or self.model.capabilities.decisions:
            return self
        return SingleJudge(self.specification.model_copy(update={"mode": "reason"}), self.model, self.writer)

    @cached_property
    def mode(self) -> Mode:
        """Reason mode if the model gives no probabilities, whatever was configured."""
        return self.specification.mode if self.model.capabilities.logprobs else "reason"

    @cached_property
    def temperature(self) -> float:
        return self.specification.model_copy(update={"mode": self.mode}).effective_temperature

    @cached_property
    def reference(self) -> JudgeReference:
        specification, model = self.specification, self.model
        content = specification.model_dump(mode="json", exclude=_OUTSIDE_THE_ANSWER)
        if specification.order == "usual":
            del content["order"]  # fingerprints from before there was a choice stay what they are
        engine = specification.model_dump(mode="json", include={"engine"})["engine"]
        content |= {
            "engine": {name: value for name, value in engine.items() if name not in _OUTSIDE_THE_MODEL},
            "mode": self.mode,
            "name": model.name,
            "revision": model.revision,
            "temperature": self.temperature,
            "templates": template_digest(self.writer.version),
        }
        return JudgeReference(
            name=specification.name,
            model=specification.model or model.name,
            mode=self.mode,
            fingerprint=digest(content),
            notice=model.notice,
        )

    async def ask(self, judge_input: JudgeInput, criteria: tuple[Judged, ...], terms: Terms) -> tuple[Answer, ...]:
        size, ask = self.criteria_per_call, self._asking
        try:
            if judge_input.long:
                await self.writer.prepare(judge_input)
        except NotDone as fault:
            failure = Failure.of(ModelUnavailable(f"The prompt cannot be written: {fault}."))
            return tuple(failed(failure) for _ in criteria)
        some = [criteria[start : start + size] for start in range(0, len(criteria), size)]
        ballots: list[Answer] = []
        votes = range(self.specification.votes)
        if len(some) == 1 == len(votes):
            return await ask(judge_input, some[0], terms, 0)
        answered = await together([ask(judge_input, few, terms, vote) for vote in votes for few in some])
        for place in range(len(some)):
            same = answered[place :: len(some)]
            ballots += same[0] if len(same) == 1 else [counted(answers) for answers in zip(*same, strict=True)]
        return tuple(ballots)

    @cached_property
    def criteria_per_call(self) -> int:
        """How many criteria on one material go into one request."""
        can = self.model.capabilities
        if can.decisions:
            return can.decisions
        return self.specification.criteria_per_call if self.mode == "reason" else max(can.label_batch, 1)

    @cached_property
    def _asking(self) -> Asking:
        if self.model.capabilities.decisions:
            return self._by_typed_questions
        return self._with_reason if self.mode == "reason" else self._by_labels

    async def _by_typed_questions(
        self, judge_input: JudgeInput, criteria: tuple[Judged, ...], terms: Terms, vote: int
    ) -> tuple[Answer, ...]:
        """Ask a decision model, which has no sampling: every vote is the same question."""
        complete = partial(_complete, self.specification, self.model)
        answers = await decided(self.specification, complete, self.writer, judge_input, criteria, terms)
        least = self.least_mass
        return tuple([trusted(answer, least) for answer in answers])

    async def _by_labels(
        self, judge_input: JudgeInput, criteria: tuple[Judged, ...], terms: Terms, vote: int
    ) -> tuple[Answer, ...]:
        """All criteria in one request; those whose answer in it cannot be used are asked again alone."""
        if len(criteria) == 1:
            return await self._directly(judge_input, criteria, terms, vote)
        batch = LabelBatch(tuple([self.writer.label_prompt(judge_input, one) for one in criteria]))
        request = Request(
            prompt=batch.questions[0].prompt,
            answer=batch,
            sampling=self._sampling(vote),
            priority=terms.priority,
            deadline=terms.deadline,
        )
        complete = partial(_complete, self.specification, self.model)
        found = await ask_in_one_call(complete, request, batch, criteria, self._is_final)
        open_places = [place for place, answer in enumerate(found.answers) if answer is None]
        asked_again = [self._directly(judge_input, (criteria[place],), terms, vote) for place in open_places]
        again = dict(zip(open_places, await together(asked_again) if asked_again else [], strict=True))
        first, *others = [
            again[place][0] if answer is None else trusted(answer, self.least_mass)
            for place, answer in enumerate(found.answers)
        ]
        usage, seconds = found.usage + first.usage, found.seconds + first.model_seconds
        return (first._replace(usage=usage, model_seconds=seconds), *others)

    def _is_final(self, reading: Reading) -> bool:
        """Whether nothing would be asked after this reading: no unlisted label matters, and no other mode is wanted."""
        if _gap(self.specification, (reading,)) is not None:
            return False
        enough = reading.label_mass is None or reading.label_mass >= self.least_mass
        return enough or self.specification.fallback != "reason"

    async def _directly(
        self, judge_input: JudgeInput, criteria: tuple[Judged, ...], terms: Terms, vote: int
    ) -> tuple[Answer, ...]:
        """Ask about one criterion by its label tokens; in reason mode if that failed and a fallback is configured."""
        (criterion,) = criteria
        question = self.writer.label_prompt(judge_input, criterion)

        def read(completion: Completion) -> tuple[Reading]:
            return (label_reading(completion, question.words, criterion.values),)

        request = Request(
            prompt=question.prompt,
            answer=Labels(question.words),
            sampling=self._sampling(vote),
            priority=terms.priority,
            deadline=terms.deadline,
        )
        (answer,) = await asked(self.specification, self.model, request, read)
        answer = trusted(answer, self.least_mass)
        if answer.reading or answer.status is VerdictStatus.UNAVAILABLE or self.specification.fallback != "reason":
            return (answer,)
        (second,) = await self._with_reason(judge_input, criteria, terms, vote)
        seconds = answer.model_seconds + second.model_seconds
        return (second._replace(usage=answer.usage + second.usage, model_seconds=seconds),)

    @property
    def least_mass(self) -> float:
        """Above 0: an answer that gives the labels no probability is not a verdict."""
        return max(self.specification.min_label_mass, 1e-12)

    async def _with_reason(
        self, judge_input: JudgeInput, criteria: tuple[Judged, ...], terms: Terms, vote: int
    ) -> tuple[Answer, ...]:
        labels = [labels_of(criterion) for criterion in criteria]

        def read(completion: Completion) -> tuple[Reading, ...]:
            spoken = read_structured(completion, labels)
            readings = []
            for criterion, words, said in zip(criteria, labels, spoken, strict=True):
                shares = tuple(1.0 if word == said.label else 0.0 for word in words)
                readings.append(Reading(expected(criterion.values, shares), shares, reason=said.reason))
            return tuple(readings)

        request = Request(
            prompt=self.writer.write(judge_input, criteria, "reason"),
            answer=Structured(verdict_schema(labels), self.specification.reason_tokens * len(criteria)),
            sampling=self._sampling(vote),
            thinking_tokens=self.specification.thinking_tokens,
            priority=terms.priority,
            deadline=terms.deadline,
        )
        return await asked(self.specification, self.model, request, read, len(criteria))

    def _sampling(self, vote: int) -> Sampling:
        """Another seed where the prompt is reordered, for modes that draw their answer."""
        seed = self.specification.seed + vote
        return Sampling(self.temperature, seed + _OTHER_SEED if self.writer.reordered else seed)


async def asked(
    specification: JudgeSpecification, model: Model, request: Request, read: Read, count: int = 1
) -> tuple[Answer, ...]:
    """Ask at most ``attempts`` times until the answer can be read; a failure becomes ``count`` typed answers. ``read``
    returns ``count`` readings or raises UnusableVerdict."""
    usages: list[Usage] = []
    seconds = 0.0
    failure: JudgeFailure | None = None
    for attempt in range(specification.attempts):
        started = time.monotonic()
        sampling = replace(request.sampling, seed=(request.sampling.seed or 0) + 1_000 * attempt)
        try:
            completion = await _complete(
                specification, model, replace(request, sampling=sampling) if attempt else request
            )
            usages.append(completion.usage)
            seconds += time.monotonic() - started
            readings = read(completion)
            gap = _gap(specification, readings)
            if gap and isinstance(request.answer, Labels) and model.capabilities.relisting:
                again = replace(request, answer=replace(request.answer, every=True))
                started = time.monotonic()
                completion = await _complete(specification, model, again)
                usages.append(completion.usage)
                seconds += time.monotonic() - started
                readings = read(completion)
                gap = _gap(specification, readings)
        except UnusableVerdict as fault:
            failure = fault
            if isinstance(fault, UnusableCompletion):
                usages.append(fault.usage)
        except JudgeFailure as fault:
            failure = fault
            break
        else:
            usage = Usage.total(usages)
            return _shared(readings, usage, seconds) if gap is None else _not_listed(readings, gap, usage, seconds)
    failure = failure or UnusableVerdict("The judge was not asked.")
    status = VerdictStatus.UNUSABLE if isinstance(failure, UnusableVerdict) else VerdictStatus.UNAVAILABLE
    first = failed(Failure.of(failure), status, usage=Usage.total(usages), model_seconds=seconds)
    return (first, *(failed(Failure.of(failure), status) for _ in range(count - 1)))


async def _complete(specification: JudgeSpecification, model: Model, request: Request) -> Completion:
    """Turn exceptions outside the Model contract into JudgeFailure. Cancellation by the caller passes through."""
    try:
        return await model.complete(request)
    except JudgeFailure:
        raise
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise ModelUnavailable("The judge model cancelled the request.") from None
    except TimeoutError:
        raise DeadlineExceeded("The judge model did not answer in time.") from None
    except Exception as fault:
        _LOG.exception("judge %s: the model %s raised", specification.name, model.name)
        raise ModelUnavailable(f"The judge model failed with {type(fault).__name__}.") from fault


def _gap(specification: JudgeSpecification, readings: tuple[Reading, ...]) -> ValueBounds | None:
    """The bounds of a reading that unlisted labels leave too uncertain: its likeliest label is not known, or its value
    only within ``max_label_gap``. None if the labels have too little probability in any case."""
    for reading in readings:
        bounds = reading.bounds
        if bounds is None or bounds.most_mass < specification.min_label_mass:
            continue
        if bounds.width > specification.max_label_gap or (not bounds.decided and bounds.width > _NEGLIGIBLE):
            return bounds
    return None


def _shared(readings: tuple[Reading, ...], usage: Usage, seconds: float) -> tuple[Answer, ...]:
    """Answers of one call; its cost is counted on the first one."""
    first = Answer(reading=readings[0], usage=usage, model_seconds=seconds)
    return (first, *(Answer(reading=reading) for reading in readings[1:]))


def _not_listed(readings: tuple[Reading, ...], gap: ValueBounds, usage: Usage, seconds: float) -> tuple[Answer, ...]:
    failure = Failure(
        type="labels_not_listed",
        detail="The model server did not list the probability of every label, so the value can be anything from "
        f"{gap.low:.3g} to {gap.high:.3g}.",
    )
    abstained = Answer(failure=failure, status=VerdictStatus.ABSTAINED)
    return (abstained._replace(usage=usage, model_seconds=seconds), *(abstained for _ in readings[1:]))


def trusted(answer: Answer, least: float) -> Answer:
    """``answer``, or an abstention if its labels had too little probability."""
    reading = answer.reading
    if reading is None or reading.label_mass is None or reading.label_mass >= least:
        return answer
    mass = reading.label_mass
    failure = Failure(
        type="low_label_mass",
        detail=f"The labels had {mass:.3g} of the probability, less than the {least:g} that the judge requires.",
    )
    distrusted = reading if mass else None
    return answer._replace(reading=None, failure=failure, status=VerdictStatus.ABSTAINED, distrusted=distrusted)


def counted(answers: tuple[Answer, ...]) -> Answer:
    """The mean of the usable votes; more than half must be usable."""
    usage = Usage.total(answer.usage for answer in answers)
    seconds = fsum(answer.model_seconds for answer in answers)
    readings = [answer.reading for answer in answers if answer.reading]
    if len(readings) * 2 <= len(answers):
        worst = next(answer for answer in answers if answer.failure)
        return worst._replace(usage=usage, model_seconds=seconds)
    value = fsum(reading.value for reading in readings) / len(readings)
    shares = tuple(fsum(column) / len(readings) for column in zip(*(r.shares for r in readings), strict=True))
    masses = [reading.label_mass for reading in readings if reading.label_mass is not None]
    nearest = min(readings, key=lambda reading: abs(reading.value - value))
    mean = Reading(value, shares, nearest.reason, fsum(masses) / len(masses) if masses else None)
    return Answer(reading=mean, usage=usage, model_seconds=seconds)
