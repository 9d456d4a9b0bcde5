"""A response that may say nothing: the judge is asked whether it does, and believed only if it can tell."""

import re

import pytest

from judge_server.core.errors import ModelUnavailable
from judge_server.guard.guard import DEGENERATE, THIN
from judge_server.scoring.witness import CANNOT_TELL, REMARKS, Witness
from judge_server.settings.settings import Settings
from judge_server.wiring.service import open_service
from tests.scoring.assembly import RESPONSE, judge, rubric, scorer, submission
from tests.scripted_model import ScriptedModel, labelled, yes

THIN_TEXT = "Let me see what can be said about this in general terms."
SHORT_ANSWER = "I would go to the doctor right away."


def asked_about(request) -> tuple[str, bool]:
    """The response in a prompt, and whether the question is whether it says anything."""
    text = "".join(segment.text for turn in request.prompt.turns for segment in turn.segments)
    found = re.search(r"\[BEGIN RESPONSE \w+\]\n(.*)\n\[END RESPONSE", text, re.DOTALL)
    return found[1], "at least a part of what the user asks for" in text


class Judging:
    """A model that pays every criterion. ``empty``: texts that it finds to say nothing."""

    def __init__(self, *empty: str) -> None:
        self.empty = empty
        self.questions: list[tuple[str, bool]] = []
        self.model = ScriptedModel(self._answer)

    def _answer(self, request):
        response, about_saying = asked_about(request)
        self.questions.append((response, about_saying))
        says = not any(text in response for text in self.empty)
        return labelled(Yes=0.9, No=0.1) if says or not about_saying else labelled(Yes=0.1, No=0.9)


async def test_a_thin_response_that_the_judge_finds_empty_gets_the_lowest_reward_and_no_criterion_is_asked():
    discerning = Judging("Thank you for this", "general terms")
    judgment = await scorer(judge(discerning.model)).score(submission(THIN_TEXT))
    assert judgment.reward == 0
    assert judgment.flags == (DEGENERATE, THIN)
    assert {verdict.source for verdict in judgment.verdicts} == {"guard"}
    assert all("says nothing" in verdict.reason for verdict in judgment.verdicts)
    assert [about for _, about in discerning.questions] == [True] * 3
    assert judgment.usage.calls == 3


async def test_a_thin_response_that_says_something_is_judged():
    discerning = Judging("Thank you for this")
    judgment = await scorer(judge(discerning.model)).score(submission(SHORT_ANSWER))
    assert judgment.flags == (THIN,)
    assert judgment.reward == pytest.approx(0.9)
    assert judgment.usage.calls == 3 + 3


async def test_a_judge_that_denies_everything_judges_a_thin_response_as_any_other():
    judgment = await scorer(judge(ScriptedModel(yes(0.02)))).score(submission(THIN_TEXT))
    assert judgment.reward == pytest.approx(0.02)
    assert judgment.flags == (THIN,)


async def test_a_judge_that_takes_a_remark_for_an_answer_gives_no_reward_for_a_thin_response():
    judgment = await scorer(judge(ScriptedModel(yes(0.98)))).score(submission(THIN_TEXT))
    assert judgment.reward is None
    assert judgment.error.type == CANNOT_TELL
    assert {verdict.status.value for verdict in judgment.verdicts} == {"abstained"}
    assert judgment.flags == (THIN,)


async def test_a_judge_that_fails_on_the_question_gives_its_failure():
    def away(_request):
        raise ModelUnavailable("gone")

    judgment = await scorer(judge(ScriptedModel(away))).score(submission(THIN_TEXT))
    assert (judgment.reward, judgment.error.type) == (None, "judge_unavailable")


async def test_the_known_texts_are_asked_once_for_a_judge():
    discerning = Judging("Thank you for this")
    made = scorer(judge(discerning.model))
    for number in range(4):
        await made.score(submission(f"{SHORT_ANSWER} {'Please. ' * number}"))
    known = [
        response for response, _ in discerning.questions if "Paris" in response or "Thank you for this" in response
    ]
    assert len(known) == 2


async def test_other_responses_are_not_asked_about():
    discerning = Judging()
    await scorer(judge(discerning.model)).score(submission(RESPONSE))
    assert not any(about for _, about in discerning.questions)


def doubting(*judges):
    """A scorer as a server has it with ``obliging_judges = "abstain"``."""
    made = scorer(*judges)
    made.witness = Witness(made._cached_judge, made.admission, doubting=True)
    return made


LONG = " ".join(f"One may weigh side {number} of it." for number in range(300))


@pytest.mark.parametrize(
    "response", [RESPONSE, "Mae'r pwnc yn un difyr dros ben.", LONG], ids=["english", "welsh", "long"]
)
async def test_a_judge_that_pays_every_known_remark_is_believed_about_no_response(response):
    judgment = await doubting(judge(ScriptedModel(yes(0.98)))).score(submission(response))
    assert (judgment.reward, judgment.error.type) == (None, CANNOT_TELL)
    assert {verdict.status.value for verdict in judgment.verdicts} == {"abstained"}
    assert DEGENERATE not in judgment.flags


@pytest.mark.parametrize("known", range(len(REMARKS)))
async def test_a_judge_that_knows_one_of_the_remarks_is_believed_and_asked_once(known):
    discerning = Judging(REMARKS[known])
    made = doubting(judge(discerning.model))
    judgments = [await made.score(submission(f"{RESPONSE} {number}")) for number in range(3)]
    assert [one.reward for one in judgments] == [pytest.approx(0.9)] * 3
    assert [one.usage.calls for one in judgments] == [3 + 3, 3, 3]
    assert sum(about for _, about in discerning.questions) == len(REMARKS)


async def test_a_judge_whose_failure_hides_whether_it_obliges_gives_its_failure_and_is_asked_again():
    failing = [True]

    def away(request):
        if failing[0]:
            raise ModelUnavailable("gone")
        return labelled(Yes=0.1, No=0.9)

    made = doubting(judge(ScriptedModel(away)))
    judgment = await made.score(submission(RESPONSE))
    assert (judgment.reward, judgment.error.type) == (None, "judge_unavailable")
    failing[0] = False
    assert (await made.score(submission(RESPONSE))).reward == pytest.approx(0.1)


async def test_checks_are_decided_whatever_the_judge_can_tell():
    check = {"id": "short", "kind": "check", "check": {"kind": "length", "unit": "words", "max": 50}}
    asked = {"id": "good", "statement": "Is good."}
    judgment = await scorer(judge(ScriptedModel(yes(1.0)))).score(submission(THIN_TEXT, rubric=rubric(check, asked)))
    assert {v.criterion: (v.value, v.status.value) for v in judgment.verdicts} == {
        "short": (1.0, "ok"),
        "good": (None, "abstained"),
    }


async def test_a_rubric_that_vetoes_thin_responses_asks_no_judge():
    model = ScriptedModel(yes(1.0))
    judgment = await scorer(judge(model)).score(submission(THIN_TEXT, rubric=rubric(guard={"veto": ["thin"]})))
    assert judgment.reward == 0
    assert model.asked == []


async def test_a_server_may_judge_thin_responses_as_any_others():
    model = ScriptedModel(yes(1.0))
    made = scorer(judge(model))
    made.witness = None
    judgment = await made.score(submission(THIN_TEXT))
    assert judgment.reward == pytest.approx(1.0)
    assert judgment.flags == (THIN,)


async def test_the_settings_say_what_is_thin_and_who_is_asked():
    plain = Settings(judges={"main": {"model": "baseline"}})
    async with open_service(plain) as service:
        assert service.scorer.witness is not None
        assert service.scorer.inspect(submission("Paris."), rubric()).flags == ()
        version = service.scorer._run_pins.guard
    other = Settings(judges={"main": {"model": "baseline"}}, thin_responses="judge", thin_characters=40)
    async with open_service(other) as service:
        assert service.scorer.witness is None
        assert service.scorer.inspect(submission("Paris."), rubric()).flags == (THIN,)
        assert service.scorer._run_pins.guard.startswith(f"{version} thin_responses judge thin_characters 40")


@pytest.mark.parametrize("thin", ["witness", "judge"])
async def test_a_server_doubts_its_judges_if_it_is_told_to(thin):
    settings = Settings(judges={"main": {"model": "baseline"}}, thin_responses=thin, obliging_judges="abstain")
    async with open_service(settings) as service:
        assert (service.scorer.witness.thin, service.scorer.witness.doubting) == (thin == "witness", True)
    async with open_service(Settings(judges={"main": {"model": "baseline"}})) as service:
        assert (service.scorer.witness.thin, service.scorer.witness.doubting) == (True, False)
