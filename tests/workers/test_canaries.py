"""What canaries find out about judges that work, that are weak, and whose servers do something else than they say."""

import asyncio
import json
import logging
import math

import pytest

from judge_server.core.errors import DeadlineExceeded, ModelUnavailable
from judge_server.core.judge import JudgeSpecification
from judge_server.judging.answer import Terms
from judge_server.judging.canary import report_on
from judge_server.judging.panel import PanelJudge
from judge_server.models.baseline import LexicalBaseline
from judge_server.models.protocol import Completion, Labels, Priority, TokenProbability
from judge_server.workers.canaries import Canaries
from tests.scoring.assembly import judge
from tests.scripted_model import ScriptedModel, labelled
from tests.yardstick import PATIENCE_SECONDS


def said(probability: float, temperature: float = 0.0, *, scaled: bool = False) -> Completion:
    """Yes with this probability; ``scaled``: as a server reports it that applies the temperature first."""
    odds = math.log(probability / (1 - probability)) / (max(temperature, 1.0) if scaled else 1.0)
    chance = 1 / (1 + math.exp(-odds))
    return labelled(Yes=chance, No=1 - chance)


def knowing(request, *, right=0.95, worthless=0.05, scaled=False):
    """A judge that knows Paris, and keeps to schemas."""
    knows = "Paris" in request.prompt.text_of("response")
    if isinstance(request.answer, Labels):
        return said(right if knows else worthless, request.sampling.temperature, scaled=scaled)
    (word, *_) = request.answer.schema["properties"]["verdict"]["enum"]
    return Completion(json.dumps({"reason": "because", "verdict": word}))


async def found(script, **more) -> dict:
    report = await report_on(judge(ScriptedModel(script, **more)), Terms(Priority.AUDIT))
    return {finding.canary: finding.passed for finding in report.findings}


GOOD = {
    "known_good": True, "known_bad": True, "constrained_output": True, "raw_probabilities": True,
    "steady_probabilities": True,
}  # fmt: skip


async def test_a_judge_that_works_passes_all_canaries():
    assert await found(knowing) == GOOD


async def test_a_judge_without_probabilities_has_no_canaries_about_them():
    def script(request):
        knows = "Paris" in request.prompt.text_of("response")
        words = request.answer.schema["properties"]["verdict"]["enum"]
        return Completion(json.dumps({"reason": "so", "verdict": words[0] if knows or len(words) == 1 else "No"}))

    assert await found(script, logprobs=False) == dict.fromkeys(list(GOOD)[:3], True)


async def test_a_judge_that_passes_everything_is_found_out():
    assert await found(lambda request: knowing(request, worthless=0.9)) == GOOD | {"known_bad": False}


async def test_a_judge_that_prefers_the_worthless_is_found_out():
    result = await found(lambda request: knowing(request, right=0.1, worthless=0.4))
    assert result == GOOD | {"known_good": False}


async def test_a_server_that_ignores_schemas_is_found_out():
    def script(request):
        return knowing(request) if isinstance(request.answer, Labels) else Completion("Hello! How can I help you?")

    assert await found(script) == GOOD | {"constrained_output": False}


async def test_probabilities_that_the_temperature_changes_are_found_out():
    assert await found(lambda request: knowing(request, scaled=True)) == GOOD | {"steady_probabilities": False}


async def test_numbers_that_are_no_probabilities_are_found_out():
    def script(request):
        if isinstance(request.answer, Labels) and "Paris" in request.prompt.text_of("response"):
            return Completion("Yes", (TokenProbability("Yes", -0.01), TokenProbability("No", -0.3)))
        return knowing(request)

    assert (await found(script))["raw_probabilities"] is False


async def test_a_judge_that_does_not_answer_is_no_judge_that_fails():
    def script(request):
        raise ModelUnavailable("away")

    assert await found(script) == dict.fromkeys(GOOD)


async def test_a_model_that_breaks_its_contract_ends_nothing():
    def script(request):
        raise ZeroDivisionError

    assert await found(script) == dict.fromkeys(GOOD)


async def test_labels_without_mass_are_said_to_be_no_verdict():
    report = await report_on(judge(ScriptedModel(lambda request: labelled(the=0.6, a=0.4))), Terms())
    assert report.findings[0].passed is None
    assert "low_label_mass" in report.findings[0].detail


async def test_the_baseline_answers_every_canary_about_its_mechanics():
    report = await report_on(judge(LexicalBaseline()), Terms())
    passed = {finding.canary: finding.passed for finding in report.findings}
    assert [passed[name] for name in list(GOOD)[2:]] == [True, True, True]
    assert passed["known_good"] is not None


async def test_a_panel_is_asked_as_one():
    members = [judge(ScriptedModel(knowing), name=name) for name in ("one", "two")]
    panel = PanelJudge(JudgeSpecification(name="panel", panel=("one", "two")), members)
    report = await report_on(panel, Terms())
    assert [(finding.canary, finding.passed) for finding in report.findings] == [
        ("known_good", True),
        ("known_bad", True),
    ]


async def until(condition) -> None:
    """Waits for a condition; fails where it does not come true in time."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for knows of no event
            await asyncio.sleep(0.002)


def canaries(model, strictness, seconds=0.0) -> Canaries:
    return Canaries({"main": judge(model)}, strictness, seconds)


async def test_switched_off_canaries_ask_nothing():
    model = ScriptedModel(knowing)
    of = canaries(model, "off", 0.001)
    await of.start()
    await asyncio.sleep(0.02)
    await of.close()
    assert (model.asked, of.reports) == ([], {})


async def test_a_server_that_refuses_does_not_start_with_unsteady_probabilities():
    with pytest.raises(ModelUnavailable, match=r"main: steady_probabilities.*canary = warn"):
        await canaries(ScriptedModel(lambda request: knowing(request, scaled=True)), "refuse").start()


def lax(request):
    return knowing(request, worthless=0.9)


def dumb(request):
    return labelled(the=1.0) if isinstance(request.answer, Labels) else knowing(request)


@pytest.mark.parametrize("script", [lax, dumb])
async def test_a_weak_judge_stops_no_server(script):
    of = canaries(ScriptedModel(script), "refuse")
    await of.start()
    await of.close()
    assert of.reports["main"].findings


async def test_a_server_that_warns_starts_at_once_and_says_what_fails(caplog):
    of = canaries(ScriptedModel(lambda request: knowing(request, scaled=True), seconds=0.01), "warn")
    with caplog.at_level(logging.INFO):
        await of.start()
        assert of.reports == {}
        await until(lambda: of.reports)
    await of.close()
    assert [record.message for record in caplog.records if "steady_probabilities" in record.message]


async def test_canaries_come_again_at_the_lowest_priority_and_only_changes_are_told(caplog):
    model = ScriptedModel(knowing)
    of = canaries(model, "warn", 0.005)
    with caplog.at_level(logging.INFO):
        await of.start()
        await until(lambda: len(model.asked) >= 30)
        assert len(caplog.records) == 1
        model.script = lambda request: knowing(request, worthless=0.9)
        asked = len(model.asked)
        await until(lambda: len(model.asked) >= asked + 30)
    await of.close()
    assert {request.priority for request in model.asked} == {Priority.AUDIT}
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
    assert of.reports["main"].failed[0].canary == "known_bad"


async def test_a_late_answer_is_no_failure():
    def script(request):
        raise DeadlineExceeded("too late")

    of = canaries(ScriptedModel(script), "refuse")
    await of.start()
    await of.close()
    assert of.reports["main"].failed == ()
