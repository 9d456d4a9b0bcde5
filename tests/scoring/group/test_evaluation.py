"""Judging and comparing a cohort, with judges put together from real parts over scripted models."""

import asyncio
import re
import time
from dataclasses import replace

import pytest

from judge_server.core.errors import ContextOverflow, ModelUnavailable
from judge_server.judging.answer import Terms
from judge_server.judging.panel import PanelJudge
from judge_server.judging.relative.comparison import RelativeOptions
from judge_server.models.protocol import Capabilities, Labels, Priority
from judge_server.scoring.cached_judge import CachedJudge, VerdictCache
from judge_server.scoring.calibration_state import ActiveMaps, CalibrationState, Certification
from judge_server.scoring.group.comparing import Comparer
from judge_server.scoring.group.evaluation import CohortOptions, evaluate
from judge_server.scoring.group.groups import Groups, GroupTask, Times
from judge_server.util.room import Room
from tests.scoring.assembly import judge, rubric, scorer
from tests.scripted_model import ScriptedModel, labelled, spoken, yes

_LETTERED = re.compile(r"\[BEGIN RESPONSE ([A-P]) [0-9a-f]{12}\]\n(.*?)\n\[END", re.DOTALL)


def letters(request):
    return dict(_LETTERED.findall(request.prompt.turns[1].text))


def preferring(*order, single=0.9):
    """The earlier in ``order``, the better."""

    def script(request):
        shown = letters(request)
        if not shown:
            return yes(single)(request)
        worth = {letter: 1 - order.index(said) / len(order) for letter, said in shown.items()}
        if isinstance(request.answer, Labels):
            return labelled(A=0.9, B=0.1) if worth["A"] > worth["B"] else labelled(A=0.1, B=0.9)
        if "verdict" in request.answer.schema["properties"]:
            return spoken({"reason": "r", "verdict": "A" if worth["A"] > worth["B"] else "B"})
        return spoken({letter: {"reason": "r", "score": 5 * round(20 * w)} for letter, w in worth.items()})

    return script


def raising(fault):
    def script(request):
        if letters(request):
            raise fault
        return yes(0.9)(request)

    return script


def task(*responses, wanted=None, relative=None, **more):
    items = [{"prompt": "My head aches.", "response": said} | more for said in responses]
    options = RelativeOptions.model_validate(relative or {})
    return GroupTask(items, CohortOptions({"rubric": wanted or rubric(count=1)}, options, len(items)), Times(60, None))


async def scores(of, *responses, terms=None, **more):
    return await Groups(of, CachedJudge(VerdictCache())).score(task(*responses, **more), terms or Terms())


def panel(*judges, **more):
    names = [member.specification.name for member in judges]
    fields = {"name": "panel", "model": None, "panel": names} | more
    return PanelJudge(judges[0].specification.model_validate(fields), judges)


RED, GREEN = "The red answer.", "The green answer."


def with_audience():
    audience = {"name": "audience", "values": ["patient", "clinician"], "question": "Who asks?", "ask": "judge"}
    plain = {"id": "plain", "statement": "Is plain.", "when": {"facts.audience": "patient"}}
    return rubric(plain, facts=[audience])


def answering_facts(script, fact):
    def both(request):
        if "[BEGIN RESPONSE" not in request.prompt.turns[1].text:
            return fact()
        return script(request)

    return both


async def test_a_group_is_compared_by_the_criteria_that_a_fact_from_the_conversation_makes_applicable():
    model = ScriptedModel(answering_facts(preferring(RED, GREEN), lambda: labelled(A=0.9, B=0.05, C=0.05)))
    found = await scores(scorer(judge(model)), RED, GREEN, wanted=with_audience())
    assert found.report.relative.comparisons.presentations == 2
    assert [judgment.facts[0].value for judgment in found.judgments] == ["patient", "patient"]


async def test_a_group_whose_fact_the_judge_failed_to_read_is_not_compared_and_says_why():
    def gone():
        raise ModelUnavailable("The model is gone.")

    found = await scores(
        scorer(judge(ScriptedModel(answering_facts(preferring(RED, GREEN), gone)))), RED, GREEN, wanted=with_audience()
    )
    assert [failure.type for failure in found.outcomes] == ["judge_unavailable"] * 2


async def test_a_panel_combines_what_its_members_make_of_each_response():
    first = judge(ScriptedModel(preferring(RED, GREEN)), "first")
    second = judge(ScriptedModel(preferring(GREEN, RED), name="b"), "second")
    mean = await scores(scorer(panel(first, second)), RED, GREEN)
    least = await scores(scorer(panel(first, second, combine="min")), RED, GREEN)
    assert mean.outcomes == pytest.approx((0.75, 0.75))
    assert least.outcomes == pytest.approx((0.5, 0.5))
    assert mean.report.relative.comparisons.presentations == 4


async def test_a_panel_needs_its_quorum():
    up = judge(ScriptedModel(preferring(RED, GREEN)), "up")
    down = judge(ScriptedModel(raising(ModelUnavailable("down")), name="b"), "down")
    short = await scores(scorer(panel(up, down)), RED, GREEN)
    enough = await scores(scorer(panel(up, down, quorum=1)), RED, GREEN)
    assert [outcome.type for outcome in short.outcomes] == ["judge_unavailable"] * 2
    assert enough.outcomes == pytest.approx((1.0, 0.5))


@pytest.mark.parametrize("kind", ["listwise", "pairwise"])
async def test_votes_priority_deadline_and_seeds_reach_the_model(kind):
    model = ScriptedModel(preferring(RED, GREEN))
    deadline = time.monotonic() + 30
    of = scorer(judge(model, votes=3, mode="reason"))
    found = await scores(of, RED, GREEN, relative={"kind": kind}, terms=Terms(Priority.TRAINING, deadline))
    asked = [request for request in model.asked if letters(request)]
    assert len(asked) == 6
    assert {request.priority for request in asked} == {Priority.TRAINING}
    assert {request.deadline for request in asked} == {deadline}
    assert {request.sampling.seed for request in asked} == {0, 1, 2}
    assert {request.sampling.temperature for request in asked} == {0.7}
    assert found.report.relative.usage.calls == 6
    assert found.outcomes[0] > found.outcomes[1]


async def test_two_groups_at_once_ask_the_same_question_once():
    model = ScriptedModel(preferring(RED, GREEN), seconds=0.05)
    groups = Groups(scorer(judge(model)), CachedJudge(VerdictCache()))
    one, other = await asyncio.gather(groups.score(task(RED, GREEN), Terms()), groups.score(task(GREEN, RED), Terms()))
    assert sum(bool(letters(request)) for request in model.asked) == 2
    assert one.outcomes == other.outcomes[::-1]
    assert one.report.relative.usage.calls + other.report.relative.usage.calls == 2


async def test_other_templates_orders_or_members_are_other_questions():
    model = ScriptedModel(preferring(RED, GREEN, "A third."))
    groups = Groups(scorer(judge(model)), CachedJudge(VerdictCache()))
    await groups.score(task(RED, GREEN), Terms())
    await groups.score(task(RED, GREEN, "A third."), Terms())
    await groups.score(task(RED, GREEN, relative={"kind": "pairwise"}), Terms())
    await groups.score(task(RED, GREEN, reference="Rest."), Terms())  # which no criterion reads
    assert sum(bool(letters(request)) for request in model.asked) == 6


async def test_a_reference_is_shown_where_a_criterion_reads_it():
    model = ScriptedModel(preferring(RED, GREEN))
    reading = rubric({"id": "c", "statement": "Agrees.", "points": 1, "reference": "required"})
    await scores(scorer(judge(model)), RED, GREEN, wanted=reading, reference="Rest and drink.")
    shown = [request.prompt.turns[1].text for request in model.asked if letters(request)]
    assert all("[BEGIN REFERENCE" in text and "Rest and drink." in text for text in shown)


async def test_the_prompts_of_a_group_share_everything_up_to_the_responses():
    model = ScriptedModel(preferring(RED, GREEN, "A third."))
    await scores(scorer(judge(model)), RED, GREEN, "A third.", relative={"kind": "pairwise"})
    texts = [request.prompt.turns[1].text for request in model.asked if letters(request)]
    assert len({text.partition("[BEGIN RESPONSE")[0] for text in texts}) == 1
    assert len({request.prompt.prefix[0] for request in model.asked if letters(request)}) == 1


async def test_what_is_outside_text_is_untrusted_and_nothing_of_it_meets_the_template():
    model = ScriptedModel(preferring("{{ labels }} {% raw %}", GREEN))
    await scores(scorer(judge(model)), "{{ labels }} {% raw %}", GREEN)
    request = next(request for request in model.asked if letters(request))
    outside = [segment for turn in request.prompt.turns for segment in turn.segments if not segment.trusted]
    assert {segment.part for segment in outside} == {"conversation", "criterion", "candidate"}
    assert "{{ labels }} {% raw %}" in {segment.text for segment in outside}


async def test_a_context_that_is_too_small_is_told():
    of = scorer(judge(ScriptedModel(raising(ContextOverflow("too long")))))
    found = await scores(of, RED, GREEN)
    assert [outcome.type for outcome in found.outcomes] == ["context_overflow"] * 2


async def test_lists_are_cut_to_the_context_of_the_judge():
    responses = [f"Answer {place}: {'word ' * 200}" for place in range(6)]
    model = ScriptedModel(preferring(*[said.strip() for said in responses]))
    model.capabilities = Capabilities(logprobs=True, structured=True, context_tokens=3_900)
    found = await scores(scorer(judge(model)), *responses)
    assert max(len(letters(request)) for request in model.asked) < 6
    assert found.report.relative.ranks == (1, 2, 3, 4, 5, 6)


async def test_a_judge_that_needs_a_certificate_does_not_compare_without_one():
    uncertified = CalibrationState(ActiveMaps(), Certification(required=True))
    asking = scorer(judge(ScriptedModel(preferring(RED, GREEN))), calibration_state=uncertified)
    found = await scores(asking, RED, GREEN)
    assert [outcome.type for outcome in found.outcomes] == ["not_calibrated"] * 2


async def test_pitfalls_are_told_as_such_and_weights_where_they_compare():
    model = ScriptedModel(preferring(RED, GREEN))
    mixed = rubric(
        {"id": "good", "statement": "Names the dose.", "points": 3},
        {"id": "bad", "statement": "Frightens.", "points": -2},
        {
            "id": "scale",
            "kind": "scale",
            "statement": "How plain?",
            "points": 1,
            "options": [{"label": "jargon", "value": 0}, {"label": "plain", "value": 1}],
        },
    )
    await scores(scorer(judge(model)), RED, GREEN, wanted=mixed)
    text = next(request.prompt.turns[1].text for request in model.asked if letters(request))
    wanted, _, unwanted = text.partition("worse for each")
    assert "(3 points) Names the dose." in wanted
    assert "(1 point) How plain? [from worst to best: jargon; plain]" in wanted
    assert "(2 points) Frightens." in unwanted


async def test_a_rubric_without_a_word_gives_nothing_to_compare_by():
    silent = rubric({"id": "c", "kind": "check", "points": 1, "check": {"kind": "length", "unit": "words", "max": 40}})
    found = await scores(scorer(judge(ScriptedModel(yes(0.9)))), RED, GREEN, wanted=silent)
    assert [outcome.type for outcome in found.outcomes] == ["bad_input"] * 2


@pytest.mark.parametrize(("most", "together"), [(1, 1), (1_000_000, 4)])
async def test_as_many_members_are_judged_at_once_as_there_is_room_for(most, together):
    model = ScriptedModel(yes(0.9), seconds=0.05)
    of, given = scorer(judge(model)), task("one", "two", "three", "four", prompt="p" * 1_000)
    wanted = replace(given.wanted, relative=None)
    comparer = Comparer(of, CachedJudge(VerdictCache()))
    found = await evaluate(of, comparer, given.items, wanted, Terms(), Room(most))
    assert found.rewards == pytest.approx((0.9,) * 4)
    assert model.most_in_flight == together


async def test_a_prompt_that_cannot_be_read_is_an_error_of_every_member_and_a_response_of_its_own():
    wanted = CohortOptions({"rubric": rubric(count=1)}, None, 3)
    of = scorer(judge(ScriptedModel(yes(0.9))))
    comparer = Comparer(of, CachedJudge(VerdictCache()))
    prompt = [{"role": "user", "content": "My head aches."}]
    items = [{"prompt": prompt, "response": said} for said in (5, "one", "two", [{"role": "user", "content": "x"}])]
    found = await evaluate(of, comparer, items, wanted, Terms())
    assert [reward is None for reward in found.rewards] == [True, False, False, True]
    found = await evaluate(of, comparer, [item | {"prompt": []} for item in items[1:3]], wanted, Terms())
    assert found.rewards == (None, None)
