"""Ask a decision model: all criteria on one material in one request, each as a typed question.

Values of options are applied to the returned distribution here, never taken from the server. Only questions without a
usable answer are asked again; a refused question is an abstention of its own, and the others count.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from judge_server.core.criterion import Choice, Judged, Scale
from judge_server.core.errors import JudgeFailure, UnusableVerdict
from judge_server.core.judge import JudgeSpecification
from judge_server.core.judgment import Usage
from judge_server.core.verdict import Failure, VerdictStatus
from judge_server.judging.answer import Answer, Reading, Terms, failed
from judge_server.judging.judge_input import JudgeInput
from judge_server.judging.prompt import PromptWriter
from judge_server.judging.reading import expected
from judge_server.models.protocol import (
    Completion,
    Decisions,
    Request,
    Segment,
    TypedAnswer,
    TypedOption,
    TypedQuestion,
    UnusableCompletion,
)
from judge_server.util.lru import BoundedCache

REFUSED = "question_refused"
Complete = Callable[[Request], Awaitable[Completion]]
_MET = Segment("Is this criterion met by the response? ", "question", trusted=True)
_LEVEL = Segment("Which of the levels, from worst to best, does the response reach? ", "question", trusted=True)
_OPTION = Segment("Which of the options fits the response best? ", "question", trusted=True)
_MET_OR_NOT = (TypedOption("met"), TypedOption("not met"))
_ABSENT = TypedOption("does not apply", "What this criterion presupposes is absent.")
_QUESTIONS = BoundedCache[tuple[object, ...], Decisions](10_000, lambda some: len(some.questions))


def typed_question(criterion: Judged, writer: PromptWriter) -> TypedQuestion:
    """A criterion as a typed question. One that may turn out not to apply is a choice with a last option for that."""
    statement = writer.statement(criterion)
    absent = (_ABSENT,) if criterion.if_absent == "skip" else ()
    if not isinstance(criterion, Choice):
        if absent:
            return TypedQuestion("choice", (_MET, *statement), (*_MET_OR_NOT, *absent))
        return TypedQuestion("predicate", (_MET, *statement))
    options = tuple(TypedOption(option.label, option.description) for option in criterion.options)
    if isinstance(criterion, Scale) and not absent:
        return TypedQuestion("score", (_LEVEL, *statement), options)
    return TypedQuestion("choice", (_OPTION, *statement), (*options, *absent))


def typed_questions(criteria: Sequence[Judged], writer: PromptWriter) -> Decisions:
    """Those of a rubric are made once, and not for every submission."""
    key = (writer, *[criterion.question_digest for criterion in criteria])
    return _QUESTIONS.get_or_make(key, lambda: Decisions(tuple([typed_question(one, writer) for one in criteria])))


async def decided(
    specification: JudgeSpecification,
    complete: Complete,
    writer: PromptWriter,
    material: JudgeInput,
    criteria: Sequence[Judged],
    terms: Terms,
) -> tuple[Answer, ...]:
    """One answer for each criterion, in order. The cost of all is counted on the first."""
    questions = typed_questions(criteria, writer)
    request = Request(writer.material(material), questions, priority=terms.priority, deadline=terms.deadline)
    answers: dict[int, Answer] = {}
    usages: list[Usage] = []
    started = time.monotonic()
    left = list(range(len(criteria)))
    for attempt in range(specification.attempts):
        asked = replace(request, answer=questions.only(left)) if attempt else request
        try:
            completion = await complete(asked)
        except UnusableVerdict as fault:
            if isinstance(fault, UnusableCompletion):
                usages.append(fault.usage)
            answers |= dict.fromkeys(left, failed(Failure.of(fault), VerdictStatus.UNUSABLE))
            continue
        except JudgeFailure as fault:
            answers |= dict.fromkeys(left, failed(Failure.of(fault)))
            break
        usages.append(completion.usage)
        for place, decision in zip(left, completion.decisions, strict=True):
            answers[place] = answer_of(decision, criteria[place])
        left = [place for place in left if answers[place].status is VerdictStatus.UNUSABLE]
        if not left:
            break
    usage, seconds = Usage.total(usages), time.monotonic() - started
    first, *others = (answers[place] for place in range(len(criteria)))
    return (first._replace(usage=usage, model_seconds=seconds), *others)


def answer_of(decision: TypedAnswer | JudgeFailure, criterion: Judged) -> Answer:
    """The reading of a decision; an abstention if the question was refused."""
    if isinstance(decision, JudgeFailure):
        unusable = isinstance(decision, UnusableVerdict)
        return failed(Failure.of(decision), VerdictStatus.UNUSABLE if unusable else VerdictStatus.UNAVAILABLE)
    if decision.refused:
        failure = Failure(type=REFUSED, detail="The decision model refused to answer this question.")
        return Answer(failure=failure, status=VerdictStatus.ABSTAINED)
    if not decision.shares:
        fault = UnusableVerdict(f"The decision server's answer is not usable: {decision.unusable}.")
        return failed(Failure.of(fault), VerdictStatus.UNUSABLE)
    reading = Reading(expected(criterion.values, decision.shares), decision.shares, label_mass=decision.label_mass)
    return Answer(reading=reading)
