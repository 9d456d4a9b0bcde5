import asyncio
import json
from dataclasses import replace
from itertools import count

import pytest

from judge_server.core.errors import ContextOverflow, DeadlineExceeded, ModelUnavailable
from judge_server.core.judgment import Usage
from judge_server.core.verdict import VerdictStatus
from judge_server.models.protocol import Completion, Labels, Structured, UnusableCompletion
from tests.judging.values import ask, binary, judge, material, scale
from tests.scripted_model import ScriptedModel, labelled, spoken, yes

MET = {"reason": "It does.", "verdict": "Yes"}


def answering(*completions):
    """One after the other, the last one for ever."""
    places = count()
    return lambda request: completions[min(next(places), len(completions) - 1)]


def raising(fault):
    def script(request):
        raise fault

    return script


async def test_direct_mode_reads_the_probability_of_being_met():
    model = ScriptedModel(lambda request: labelled(Yes=0.72, No=0.18, Maybe=0.1))
    (answer,) = await ask(judge(model), binary())
    assert answer.reading.value == pytest.approx(0.8)
    assert answer.reading.label_mass == pytest.approx(0.9)
    assert answer.usage.calls == 1
    assert isinstance(model.asked[0].answer, Labels)
    assert model.asked[0].thinking_tokens is None


async def test_a_scale_gives_the_expected_value_over_its_options():
    model = ScriptedModel(lambda request: labelled(A=0.1, B=0.3, C=0.6))
    (answer,) = await ask(judge(model), scale(values=(0.0, 0.4, 1.0)))
    assert model.asked[0].answer.words == ("A", "B", "C")
    assert answer.reading.value == pytest.approx(0.3 * 0.4 + 0.6)
    assert answer.reading.shares == pytest.approx((0.1, 0.3, 0.6))


async def test_too_little_label_mass_is_an_abstention_that_shows_what_was_not_trusted():
    model = ScriptedModel(lambda request: labelled(Yes=0.3, No=0.1, Well=0.6))
    (answer,) = await ask(judge(model, min_label_mass=0.5), binary())
    assert answer.reading is None
    assert answer.status is VerdictStatus.ABSTAINED
    assert answer.failure.type == "low_label_mass"
    assert answer.distrusted.value == pytest.approx(0.75)
    assert len(model.asked) == 1


@pytest.mark.parametrize("least", [0.0, 0.5])
async def test_a_judge_that_says_no_label_at_all_has_abstained(least):
    model = ScriptedModel(lambda request: labelled(Well=1.0))
    (answer,) = await ask(judge(model, min_label_mass=least), binary())
    assert answer.reading is None
    assert answer.failure.type == "low_label_mass"
    assert answer.distrusted is None


@pytest.mark.parametrize("first", [labelled(Well=0.9, Yes=0.1), Completion("Yes")])
async def test_where_the_labels_say_nothing_a_judge_may_fall_back_to_reason_mode(first):
    def script(request):
        return first if isinstance(request.answer, Labels) else spoken(MET)

    model = ScriptedModel(script)
    (answer,) = await ask(judge(model, fallback="reason", attempts=1), binary())
    assert answer.reading.value == 1.0
    assert answer.reading.reason == "It does."
    assert answer.usage.calls == first.usage.calls + 1
    assert [type(request.answer) for request in model.asked] == [Labels, Structured]


async def test_a_judge_that_cannot_be_reached_is_not_asked_for_reasons():
    model = ScriptedModel(raising(ModelUnavailable("down")))
    (answer,) = await ask(judge(model, fallback="reason"), binary())
    assert answer.failure.type == "judge_unavailable"
    assert len(model.asked) == 1


async def test_a_model_without_probabilities_is_asked_for_reasons():
    model = ScriptedModel(yes(0.9), logprobs=False)
    asked = judge(model)
    (answer,) = await ask(asked, binary())
    assert asked.reference.mode == "reason"
    assert answer.reading.value == 1.0
    assert answer.reading.label_mass is None


async def test_votes_without_probabilities_are_drawn_at_a_temperature():
    model = ScriptedModel(yes(0.9), logprobs=False)
    await ask(judge(model, votes=3), binary())
    assert {request.sampling.temperature for request in model.asked} == {0.7}
    assert len({request.sampling.seed for request in model.asked}) == 3


async def test_an_unreadable_answer_is_asked_for_again_with_another_seed():
    model = ScriptedModel(answering(spoken("oh well"), spoken(MET)))
    (answer,) = await ask(judge(model, mode="reason"), binary())
    assert answer.reading.value == 1.0
    assert answer.usage.calls == 2
    assert len({request.sampling.seed for request in model.asked}) == 2


async def test_attempts_are_bounded():
    model = ScriptedModel(answering(spoken("oh well")))
    (answer,) = await ask(judge(model, mode="reason", attempts=3), binary())
    assert answer.status is VerdictStatus.UNUSABLE
    assert answer.failure.type == "unusable_verdict"
    assert answer.usage.calls == len(model.asked) == 3


async def test_tokens_of_an_answer_that_is_no_completion_are_counted():
    spent = Usage(calls=1, prompt_tokens=70, completion_tokens=9)
    model = ScriptedModel(raising(UnusableCompletion("It holds no choices.", spent)))
    (answer,) = await ask(judge(model, mode="reason", attempts=2), binary())
    assert answer.failure.type == "unusable_verdict"
    assert answer.usage == Usage(calls=2, prompt_tokens=140, completion_tokens=18)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (DeadlineExceeded("late"), "timeout"),
        (TimeoutError(), "timeout"),
        (ModelUnavailable("down"), "judge_unavailable"),
        (ContextOverflow("too long"), "context_overflow"),
        (RuntimeError("a bug"), "judge_unavailable"),
        (KeyError("choices"), "judge_unavailable"),
        (OverflowError(), "judge_unavailable"),
        (asyncio.CancelledError(), "judge_unavailable"),
    ],
)
@pytest.mark.parametrize("mode", ["direct", "reason"])
async def test_whatever_a_model_raises_is_a_typed_failure_and_no_retry(fault, kind, mode):
    model = ScriptedModel(raising(fault))
    (answer,) = await ask(judge(model, mode=mode), binary())
    assert answer.reading is None
    assert answer.status is VerdictStatus.UNAVAILABLE
    assert answer.failure.type == kind
    assert len(model.asked) == 1


async def test_a_fault_outside_the_contract_is_logged(caplog):
    await ask(judge(ScriptedModel(raising(RuntimeError("a bug")))), binary())
    assert "a bug" in caplog.text


async def test_a_caller_that_is_cancelled_is_cancelled():
    model = ScriptedModel(yes(0.9), seconds=60)
    asking = asyncio.create_task(ask(judge(model, votes=2), binary()))
    await asyncio.sleep(0.01)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert model.cancelled == 2


async def test_thinking_has_a_budget_of_its_own():
    model = ScriptedModel(yes(0.9))
    await ask(judge(model, mode="reason", thinking_tokens=2_000, reason_tokens=100), binary())
    assert model.asked[0].thinking_tokens == 2_000
    assert model.asked[0].answer.max_tokens == 100


async def test_thinking_that_is_cut_off_is_typed():
    model = ScriptedModel(lambda request: Completion("", truncated=True, thinking="Let me"))
    (answer,) = await ask(judge(model, mode="reason", thinking_tokens=10), binary())
    assert answer.status is VerdictStatus.UNUSABLE
    assert "thinking" in answer.failure.detail


async def test_votes_are_averaged():
    model = ScriptedModel(answering(labelled(Yes=0.9, No=0.1), labelled(Yes=0.3, No=0.7), labelled(Yes=0.6, No=0.4)))
    (answer,) = await ask(judge(model, votes=3), binary())
    assert answer.reading.value == pytest.approx(0.6)
    assert answer.usage.calls == 3


@pytest.mark.parametrize(("usable", "votes", "decided"), [(2, 3, True), (1, 3, False), (2, 4, False), (3, 4, True)])
async def test_more_than_half_of_the_votes_must_be_usable(usable, votes, decided):
    model = ScriptedModel(
        answering(*[labelled(Yes=0.9, No=0.1)] * usable, *[labelled(Hm=1.0)] * (votes - usable)), capacity=1
    )
    (answer,) = await ask(judge(model, votes=votes), binary())
    assert (answer.reading is not None) == decided
    assert answer.usage.calls == votes


async def test_several_criteria_in_one_call_share_its_cost():
    text = json.dumps({str(n): {"reason": "r", "verdict": v} for n, v in enumerate(["Yes", "B", "No"], 1)})
    model = ScriptedModel(lambda request: spoken(text))
    asked = judge(model, mode="reason", criteria_per_call=3, reason_tokens=50)
    answers = await ask(asked, binary("One."), scale(), binary("Two."))
    assert [answer.reading.value for answer in answers] == [1.0, 0.5, 0.0]
    assert sum(answer.usage.calls for answer in answers) == 1
    assert model.asked[0].answer.max_tokens == 150


async def test_an_incomplete_answer_fails_every_criterion_of_the_call():
    model = ScriptedModel(lambda request: spoken({"1": MET}))
    answers = await ask(judge(model, mode="reason", criteria_per_call=2), binary("One."), binary("Two."))
    assert [answer.status for answer in answers] == [VerdictStatus.UNUSABLE] * 2


async def test_a_judge_takes_no_more_criteria_in_one_call_than_it_is_set_to():
    model = ScriptedModel(yes(0.9))
    answers = await ask(judge(model, mode="reason"), binary("One."), binary("Two."))
    assert [answer.reading.value for answer in answers] == [1.0, 1.0]
    assert len(model.asked) == 2


async def test_criteria_of_one_question_are_asked_side_by_side():
    model = ScriptedModel(yes(0.9), seconds=0.01)
    await ask(judge(model), binary("One."), binary("Two."), binary("Three."))
    assert model.most_in_flight == 3


def fingerprint(revision="1", model="scripted", **specification) -> str:
    return judge(ScriptedModel(yes(1), name=model, revision=revision), **specification).reference.fingerprint


def test_the_fingerprint_names_everything_that_decides_the_answer():
    different = [
        fingerprint(),
        fingerprint(revision="2"),
        fingerprint(model="other"),
        fingerprint(mode="reason"),
        fingerprint(mode="reason", thinking_tokens=100),
        fingerprint(mode="reason", criteria_per_call=2),
        fingerprint(votes=3),
        fingerprint(temperature=0.5),
        fingerprint(seed=7),
        fingerprint(min_label_mass=0.9),
        fingerprint(fallback="reason"),
        fingerprint(engine={"quantization": "fp8"}),
        fingerprint(engine={"lora": "judge"}),
    ]
    assert len(set(different)) == len(different)


def test_the_fingerprint_knows_neither_names_nor_ways_of_reaching_the_model():
    same = [
        fingerprint(),
        fingerprint(name="other"),
        fingerprint(attempts=5),
        fingerprint(temperature=0.0),
        fingerprint(engine={"api_key": "secret", "timeout_seconds": 5, "max_in_flight": 3}),
    ]
    assert len(set(same)) == 1


def test_a_judge_without_probabilities_has_the_fingerprint_of_reason_mode():
    direct = judge(ScriptedModel(yes(1), logprobs=False)).reference
    reason = judge(ScriptedModel(yes(1), logprobs=False), mode="reason").reference
    assert direct.fingerprint == reason.fingerprint


async def test_a_material_that_is_asked_about_twice_is_written_the_same():
    model = ScriptedModel(yes(0.9))
    await ask(judge(model), binary(), on=material("One."))
    await ask(judge(model), binary(), on=material("One."))
    assert model.asked[0].prompt == model.asked[1].prompt


def sampled_only(request):
    """A server that lists the sampled token alone."""
    return replace(labelled(Yes=0.52), unlisted_logprob=0.0)


async def test_a_label_that_was_not_listed_is_not_zero():
    (answer,) = await ask(judge(ScriptedModel(sampled_only)), binary())
    assert answer.status is VerdictStatus.ABSTAINED
    assert answer.failure.type == "labels_not_listed"
    assert "0.52 to 1" in answer.failure.detail


async def test_an_unlisted_label_that_can_change_little_is_no_reason_to_abstain():
    model = ScriptedModel(lambda request: replace(labelled(Yes=0.97), unlisted_logprob=0.0))
    (answer,) = await ask(judge(model), binary())
    assert 0.97 <= answer.reading.value <= 1
    (answer,) = await ask(judge(model, max_label_gap=0.01), binary())
    assert answer.failure.type == "labels_not_listed"


async def test_a_model_that_can_list_every_label_is_asked_again():
    def script(request):
        return labelled(Yes=0.52, No=0.46) if request.answer.every else sampled_only(request)

    model = ScriptedModel(script)
    model.capabilities = replace(model.capabilities, relisting=True)
    (answer,) = await ask(judge(model), binary())
    assert answer.reading.value == pytest.approx(0.52 / 0.98)
    assert answer.usage.calls == len(model.asked) == 2


async def test_a_scale_whose_options_are_not_listed_abstains():
    model = ScriptedModel(lambda request: replace(labelled(B=0.6), unlisted_logprob=0.0))
    (answer,) = await ask(judge(model), scale(values=(0.0, 0.4, 1.0)))
    assert answer.failure.type == "labels_not_listed"


async def test_a_judge_with_a_fallback_asks_for_a_reason_instead():
    def script(request):
        return sampled_only(request) if isinstance(request.answer, Labels) else spoken(VERDICT)

    (answer,) = await ask(judge(ScriptedModel(script), fallback="reason"), binary())
    assert answer.reading.value == 1.0


VERDICT = {"reason": "r", "verdict": "Yes"}
