"""From a criterion with ``evidence: quote`` to the steps in its verdict."""

from judge_server.core.judge import JudgeSpecification
from judge_server.judging.panel import PanelJudge
from tests.scoring.assembly import judge, rubric, scorer, submission
from tests.scripted_model import ScriptedModel, labelled, spoken

TEXT = "First, drink water.\n\nThen rest; don't run. Drink water again.\n\nSee a doctor today."
QUOTING = {"id": "remedy", "statement": "Names a remedy.", "evidence": "quote"}


async def test_a_judge_with_reasons_is_asked_to_quote_and_its_verdict_says_where(store):
    model = ScriptedModel(lambda _: spoken({"reason": "It says «drink water again».", "verdict": "Yes"}))
    given = submission(TEXT, rubric=rubric(QUOTING, {"id": "plain", "statement": "Is plain."}))
    judgment = await scorer(judge(model, mode="reason"), store=store).score(given)
    quoting, plain = judgment.verdicts
    assert [(one.step, one.span, one.quotes) for one in quoting.evidence] == [(1, (21, 61), ((43, 60),))]
    assert plain.evidence == ()
    assert await store.judgment(judgment.id) == judgment
    asked = [request.prompt.turns[-1].text for request in model.asked]
    assert sum("between « and »" in text for text in asked) == 1


async def test_without_reasons_nothing_is_quoted_nor_asked_for():
    model = ScriptedModel(lambda _: labelled(Yes=0.9, No=0.1))
    judgment = await scorer(judge(model)).score(submission(TEXT, rubric=rubric(QUOTING)))
    assert judgment.verdicts[0].evidence == ()
    assert "«" not in model.asked[0].prompt.turns[-1].text


async def test_of_several_criteria_in_one_call_those_that_quote_are_named():
    entry = {"reason": "It says «a doctor».", "verdict": "Yes"}
    model = ScriptedModel(lambda _: spoken({"1": entry, "2": entry}))
    given = submission(TEXT, rubric=rubric({"id": "plain", "statement": "Is plain."}, QUOTING))
    judgment = await scorer(judge(model, mode="reason", criteria_per_call=2)).score(given)
    assert [[one.step for one in verdict.evidence] for verdict in judgment.verdicts] == [[], [2]]
    (request,) = model.asked
    assert "The reason for criterion 2 quotes" in request.prompt.turns[-1].text


async def test_a_long_response_is_searched_in_another_process():
    model = ScriptedModel(lambda _: spoken({"reason": "It says «see a doctor».", "verdict": "Yes"}))
    long = "\n\n".join(f"Sentence {number} says something of its own kind." for number in range(600))
    given = submission(f"{long}\n\nSee a doctor.", rubric=rubric(QUOTING))
    judgment = await scorer(judge(model, mode="reason")).score(given)
    assert [one.step for one in judgment.verdicts[0].evidence] == [600]


async def test_a_panel_of_reasons_has_evidence():
    def member(name, quote):
        return judge(ScriptedModel(lambda _: spoken({"reason": quote, "verdict": "Yes"})), name, mode="reason")

    members = (member("one", "«drink water again»"), member("two", "«a doctor»"))
    panel = PanelJudge(JudgeSpecification(name="both", panel=("one", "two")), members)
    judgment = await scorer(panel).score(submission(TEXT, rubric=rubric(QUOTING)))
    assert [(one.step, one.weight) for one in judgment.verdicts[0].evidence] == [(1, 0.5), (2, 0.5)]
