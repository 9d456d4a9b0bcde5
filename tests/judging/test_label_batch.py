"""Direct mode with a model that takes all questions of a submission in one request."""

import time
from dataclasses import replace

import pytest

from judge_server.core.criterion import Binary
from judge_server.core.errors import ContextOverflow, DeadlineExceeded, ModelUnavailable, UnusableVerdict
from judge_server.core.judge import JudgeSpecification
from judge_server.core.judgment import Usage
from judge_server.judging.answer import Terms
from judge_server.judging.judge_input import shown_input
from judge_server.judging.prompt import PromptWriter
from judge_server.judging.single import SingleJudge
from judge_server.models.protocol import (
    Capabilities,
    Completion,
    LabelBatch,
    Labels,
    Priority,
    Request,
    Structured,
    TokenProbability,
    UnusableCompletion,
)
from judge_server.scheduling.scheduler import ScheduledModel
from tests.scripted_model import ScriptedModel

CRITERIA = tuple(Binary(id=f"c{number}", statement=f"Names sign {number}.") for number in range(3))
MATERIAL = shown_input("Rest and drink water.")
TERMS = Terms(Priority.TRAINING, time.monotonic() + 86_400)  # counted from the collection of all tests


def listed(yes: float, no: float) -> Completion:
    from math import log

    return Completion("Yes", (TokenProbability("Yes", log(yes)), TokenProbability("No", log(no))), usage=Usage(calls=1))


def judging(answers, alone=None, **options):
    """A judge whose model gives ``answers`` to a batch and ``alone`` to a single question."""

    def script(request: Request):
        if not isinstance(request.answer, LabelBatch):
            return alone(request) if alone else listed(0.5, 0.5)
        if isinstance(answers, Exception):
            raise answers
        return Completion("", usage=Usage(calls=1, prompt_tokens=30), batch=tuple(answers))

    model = ScriptedModel(script)
    model.capabilities = Capabilities(logprobs=True, structured=True, label_batch=64)
    specification = JudgeSpecification(name="main", model="scripted", **options)
    return SingleJudge(specification, ScheduledModel(model), PromptWriter(b"k" * 32)), model


async def test_one_request_carries_every_question_and_each_prompt_is_what_it_would_be_alone():
    judge, model = judging([listed(0.9, 0.1), listed(0.2, 0.8), listed(0.6, 0.4)])
    answers = await judge.ask(MATERIAL, CRITERIA, TERMS)
    assert [round(answer.reading.value, 6) for answer in answers] == [0.9, 0.2, 0.6]
    (asked,) = model.asked
    assert (asked.priority, asked.deadline) == (TERMS.priority, TERMS.deadline)
    written = [judge.writer.write(MATERIAL, (criterion,), "direct") for criterion in CRITERIA]
    assert [question.prompt for question in asked.answer.questions] == written
    assert [answer.usage.calls for answer in answers] == [1, 0, 0]


async def test_one_question_that_cannot_be_read_is_asked_again_alone():
    judge, model = judging([listed(0.9, 0.1), UnusableVerdict("no"), Completion("Hm")], lambda _: listed(0.3, 0.7))
    answers = await judge.ask(MATERIAL, CRITERIA, TERMS)
    assert [round(answer.reading.value, 6) for answer in answers] == [0.9, 0.3, 0.3]
    assert [type(request.answer) for request in model.asked] == [LabelBatch, Labels, Labels]


async def test_a_failure_of_one_question_is_typed_and_the_others_count():
    judge, _ = judging([listed(0.9, 0.1), ContextOverflow("long"), DeadlineExceeded("late")])
    answers = await judge.ask(MATERIAL, CRITERIA, TERMS)
    assert [answer.failure.type if answer.failure else None for answer in answers] == [
        None,
        "context_overflow",
        "timeout",
    ]


@pytest.mark.parametrize(
    ("fault", "type_"), [(ModelUnavailable("gone"), "judge_unavailable"), (DeadlineExceeded("late"), "timeout")]
)
async def test_a_request_that_nobody_answers_is_not_repeated_question_by_question(fault, type_):
    judge, model = judging(fault)
    assert {answer.failure.type for answer in await judge.ask(MATERIAL, CRITERIA, TERMS)} == {type_}
    assert len(model.asked) == 1


async def test_a_request_refused_as_a_whole_is_asked_question_by_question():
    judge, model = judging(ContextOverflow("one is long"), lambda _: listed(0.3, 0.7))
    answers = await judge.ask(MATERIAL, CRITERIA, TERMS)
    assert [round(answer.reading.value, 6) for answer in answers] == [0.3] * 3
    assert len(model.asked) == 4


async def test_a_list_whose_answer_cannot_be_used_has_its_cost():
    spent = Usage(calls=1, prompt_tokens=30)
    judge, _ = judging(UnusableCompletion("no list", spent), lambda _: listed(0.3, 0.7))
    answers = await judge.ask(MATERIAL, CRITERIA, TERMS)
    assert Usage.total(answer.usage for answer in answers) == Usage(calls=4, prompt_tokens=30)


async def test_labels_without_probability_abstain_or_fall_back_as_alone():
    weak = replace(listed(0.01, 0.01), unlisted_logprob=-9_999.0)
    judge, _ = judging([weak, listed(0.9, 0.1), listed(0.9, 0.1)])
    assert [answer.status.value for answer in await judge.ask(MATERIAL, CRITERIA, TERMS)] == ["abstained", "ok", "ok"]

    def alone(request: Request) -> Completion:
        return Completion('{"reason":"So.","verdict":"Yes"}') if isinstance(request.answer, Structured) else weak

    judge, _ = judging([weak, listed(0.9, 0.1), listed(0.9, 0.1)], alone, fallback="reason")
    first, *_ = await judge.ask(MATERIAL, CRITERIA, TERMS)
    assert (first.reading.value, first.reading.reason) == (1.0, "So.")


async def test_a_batch_takes_as_many_slots_as_it_has_prompts():
    judge, _ = judging([listed(0.9, 0.1)] * 3)
    scheduler = judge.model.scheduler
    taken = []

    class Watching(ScriptedModel):
        async def complete(self, request):
            taken.append(scheduler.in_flight)
            return await super().complete(request)

    judge.model._model = Watching(judge.model._model.script)
    judge.model._model.capabilities = Capabilities(logprobs=True, structured=True, label_batch=64)
    await judge.ask(MATERIAL, CRITERIA, TERMS)
    assert (taken, scheduler.in_flight) == ([3], 0)
