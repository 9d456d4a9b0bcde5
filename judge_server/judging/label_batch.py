"""The label questions of one submission in one request to the model.

Each answer is read by itself. A question whose answer cannot be used is left open, for the caller to ask it alone with
everything that a single question has: further attempts, unlisted labels asked for, another mode.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from judge_server.core.criterion import Judged
from judge_server.core.errors import DeadlineExceeded, JudgeFailure, ModelUnavailable, UnusableVerdict
from judge_server.core.judgment import NO_USAGE, Usage
from judge_server.core.verdict import Failure
from judge_server.judging.answer import Answer, Reading, failed
from judge_server.judging.reading import label_reading
from judge_server.models.protocol import Completion, LabelBatch, Request, UnusableCompletion


@dataclass(frozen=True, slots=True)
class BatchAnswers:
    """``answers``: one for each question, None if it is to be asked alone. ``usage`` and ``seconds`` of the request."""

    answers: tuple[Answer | None, ...]
    usage: Usage = NO_USAGE
    seconds: float = 0.0


async def ask_in_one_call(
    complete: Callable[[Request], Awaitable[Completion]],
    request: Request,
    batch: LabelBatch,
    criteria: Sequence[Judged],
    usable: Callable[[Reading], bool],
) -> BatchAnswers:
    """``request`` asks the questions of ``batch``, one about each of ``criteria``; ``usable``: whether a reading may
    count as it is. A request that fails for a reason that may concern one question leaves all of them open."""
    started = time.monotonic()
    try:
        completion = await complete(request)
    except (DeadlineExceeded, ModelUnavailable) as fault:
        return BatchAnswers((failed(Failure.of(fault)),) * len(criteria), seconds=time.monotonic() - started)
    except JudgeFailure as fault:
        spent = fault.usage if isinstance(fault, UnusableCompletion) else NO_USAGE
        return BatchAnswers((None,) * len(criteria), spent, time.monotonic() - started)
    seconds = time.monotonic() - started
    answers = [
        _answer(one, question.words, criterion, usable)
        for one, question, criterion in zip(completion.batch, batch.questions, criteria, strict=True)
    ]
    return BatchAnswers(tuple(answers), completion.usage, seconds)


def _answer(
    one: Completion | JudgeFailure, words: Sequence[str], criterion: Judged, usable: Callable[[Reading], bool]
) -> Answer | None:
    if isinstance(one, UnusableVerdict):
        return None
    if isinstance(one, JudgeFailure):
        return failed(Failure.of(one))
    try:
        reading = label_reading(one, words, criterion.values)
    except UnusableVerdict:
        return None
    return Answer(reading=reading) if usable(reading) else None
