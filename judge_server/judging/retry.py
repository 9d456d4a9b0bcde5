"""Ask a model until its answer can be read, and turn every failure into a typed answer instead of an exception."""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from math import fsum

from judge_server.core.errors import DeadlineExceeded, JudgeFailure, ModelUnavailable, UnusableVerdict
from judge_server.core.judge import JudgeSpecification
from judge_server.core.judgment import Usage
from judge_server.core.verdict import Failure, VerdictStatus
from judge_server.judging.answer import Answer, Reading, ValueBounds, failed
from judge_server.models.protocol import Completion, Labels, Model, Request

_NEGLIGIBLE = 0.01
_LOG = logging.getLogger(__name__)
Read = Callable[[Completion], tuple[Reading, ...]]


async def asked(
    specification: JudgeSpecification, model: Model, request: Request, read: Read, count: int = 1
) -> tuple[Answer, ...]:
    """Ask at most ``attempts`` times until the answer can be read; a failure becomes ``count`` typed answers. ``read``
    returns ``count`` readings or raises UnusableVerdict."""
    usage, seconds = Usage(), 0.0
    failure: JudgeFailure = UnusableVerdict("The judge was not asked.")
    for attempt in range(specification.attempts):
        started = time.monotonic()
        sampling = replace(request.sampling, seed=(request.sampling.seed or 0) + 1_000 * attempt)
        try:
            completion = await _complete(
                specification, model, replace(request, sampling=sampling) if attempt else request
            )
            usage, seconds = usage + completion.usage, seconds + time.monotonic() - started
            readings = read(completion)
            if _gap(specification, readings) and isinstance(request.answer, Labels) and model.capabilities.relisting:
                again = replace(request, answer=replace(request.answer, every=True))
                started = time.monotonic()
                completion = await _complete(specification, model, again)
                usage, seconds = usage + completion.usage, seconds + time.monotonic() - started
                readings = read(completion)
        except UnusableVerdict as fault:
            failure = fault
        except JudgeFailure as fault:
            failure = fault
            break
        else:
            gap = _gap(specification, readings)
            return _shared(readings, usage, seconds) if gap is None else _not_listed(readings, gap, usage, seconds)
    status = VerdictStatus.UNUSABLE if isinstance(failure, UnusableVerdict) else VerdictStatus.UNAVAILABLE
    first = failed(Failure.of(failure), status, usage=usage, model_seconds=seconds)
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
        raise ModelUnavailable("The judge model broke the request off.") from None
    except TimeoutError:
        raise DeadlineExceeded("The judge model did not answer in its time.") from None
    except Exception as fault:
        _LOG.exception("judge %s: the model %s raised", specification.name, model.name)
        raise ModelUnavailable(f"The judge model failed with {type(fault).__name__}.") from fault


def _gap(specification: JudgeSpecification, readings: tuple[Reading, ...]) -> ValueBounds | None:
    """The bounds of a reading that unlisted labels leave too uncertain: its likeliest label is not known, or its value
    only within ``max_label_gap``. Labels that have too little probability in any case are not of interest."""
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
    return (replace(abstained, usage=usage, model_seconds=seconds), *(abstained for _ in readings[1:]))


def trusted(answer: Answer, least: float) -> Answer:
    """``answer``, or an abstention if its labels had too little probability."""
    reading = answer.reading
    if reading is None or reading.label_mass is None or reading.label_mass >= least:
        return answer
    mass = reading.label_mass
    failure = Failure(
        type="low_label_mass",
        detail=f"The labels had {mass:.3g} of the probability, less than the {least:g} that the judge demands.",
    )
    return replace(
        answer, reading=None, failure=failure, status=VerdictStatus.ABSTAINED, distrusted=reading if mass else None
    )


def counted(answers: tuple[Answer, ...]) -> Answer:
    """The mean of the usable votes; more than half must be usable."""
    usage = Usage.total(answer.usage for answer in answers)
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
