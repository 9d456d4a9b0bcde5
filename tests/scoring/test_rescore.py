import pytest

from judge_server.core.errors import BadInput
from judge_server.scoring.rescore import rescore
from tests.scoring.assembly import judge, rubric, scorer, submission
from tests.scripted_model import ScriptedModel, labelled

CRITERIA = [
    {"id": "water", "statement": "Names water.", "points": 1},
    {"id": "harm", "statement": "Does harm.", "points": -1},
    {"id": "kind", "statement": "Is kind.", "points": 2, "when": {"facts.audience": "patient"}},
]
PROBABILITIES = {"Names water.": 0.9, "Does harm.": 0.25, "Is kind.": 0.5}


def script(request):
    probability = PROBABILITIES[request.prompt.text_of("criterion")]
    return labelled(Yes=probability, No=1 - probability)


def under(version="1.0.0", more=(), aggregate=None, **changes):
    """The criteria above with these changes."""
    criteria = [one | changes.get(one["id"], {}) for one in CRITERIA if changes.get(one["id"], {}) is not None]
    return rubric(*criteria, *more, version=version, aggregate=aggregate or {"kind": "points"})


async def judged(of=None, response="Drink water and rest.", facts=None):
    given = submission(response, rubric=of or under(), facts={"audience": "patient"} if facts is None else facts)
    return await scorer(judge(ScriptedModel(script))).score(given)


async def test_the_same_rubric_gives_the_same_reward():
    judgment = await judged()
    found = rescore(judgment, under(), under())
    assert found.difference == 0.0
    assert found.outcome.reward == found.reward_before == judgment.reward


async def test_a_reweighted_version_is_what_scoring_afresh_would_give():
    heavier = under("1.1.0", water={"points": 10}, harm={"points": -3}, aggregate={"kind": "points", "clip": [0, 1]})
    before, after = await judged(), await judged(heavier)
    found = rescore(before, heavier, under())
    assert found.outcome.reward == after.reward
    assert found.outcome.components == after.components
    assert found.difference == pytest.approx(after.reward - before.reward)
    assert (found.rubric_before.version, found.rubric.version) == ("1.0.0", "1.1.0")


async def test_a_version_without_a_criterion_can_be_rescored():
    found = rescore(await judged(), under("1.1.0", kind=None), under())
    assert found.outcome.reward == pytest.approx(0.9 - 0.25)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"water": {"statement": "Names water or tea."}}, "water"),
        ({"water": {"scope": "reasoning"}}, "water"),
        ({"water": {"examples": [{"response": "Tea.", "met": False}]}}, "water"),
        ({"kind": {"when": {"facts.audience": "doctor"}}}, "kind"),
        ({"kind": {"when": {}}}, "kind"),
        ({"harm": {"when": {"policy": "p"}}}, "harm"),
        ({"more": [{"id": "fresh", "statement": "Is new."}]}, "fresh"),
        ({"water": {"id": "renamed"}}, "renamed"),
    ],
    ids=range(8),
)
async def test_a_changed_question_is_refused_by_name(change, named):
    with pytest.raises(BadInput, match=rf"was not judged on: {named}\."):
        rescore(await judged(), under("1.1.0", **change), under())


async def test_conditions_of_a_group_are_conditions_of_its_criteria():
    inner = [{"id": "water", "statement": "Names water."}]
    plain = rubric({"id": "g", "kind": "group", "criteria": inner})
    conditional = rubric({"id": "g", "kind": "group", "criteria": inner, "when": {"facts.x": 1}}, version="1.1.0")
    with pytest.raises(BadInput, match="water"):
        rescore(await judged(plain), conditional, plain)


async def test_without_the_rubric_of_the_time_only_the_same_rubric_will_do():
    judgment = await judged()
    assert rescore(judgment, under(), None).difference == 0.0
    with pytest.raises(BadInput, match="cannot be compared"):
        rescore(judgment, under("1.1.0", water={"points": 10}), None)


async def test_what_did_not_apply_still_does_not():
    judgment = await judged(facts={})
    found = rescore(judgment, under("1.1.0", kind={"points": 50}), under())
    assert found.outcome.reward == pytest.approx(0.9 - 0.25)


async def test_a_degenerate_response_stays_at_the_lowest_reward():
    judgment = await judged(response="Solution:")
    assert judgment.reward == pytest.approx(-1 / 3)
    turned = under("1.1.0", water={"points": -1}, harm={"points": 1})
    assert rescore(judgment, turned, under()).outcome.reward == (await judged(turned, "Solution:")).reward
    bonus = under("1.2.0", aggregate={"kind": "points", "length_adjustment": {"penalty": 0.1}})
    assert rescore(judgment, bonus, under()).outcome.reward == (await judged(bonus, "Solution:")).reward


async def test_without_a_reward_there_is_no_difference():
    judgment = await judged(rubric({"id": "water", "statement": "Names water.", "points": -1}))
    assert judgment.reward is None
    positive = rubric({"id": "water", "statement": "Names water.", "points": 1}, version="1.1.0")
    found = rescore(judgment, positive, rubric({"id": "water", "statement": "Names water.", "points": -1}))
    assert (found.reward_before, found.difference) == (None, None)
    assert found.outcome.reward == pytest.approx(0.9)


async def test_step_rewards_are_rescored_with_their_places_and_reasons():
    steps = {"id": "water", "statement": "Names water.", "scope": "step"}
    harm = {"id": "harm", "statement": "Does harm.", "scope": "step"}
    before, after = rubric(steps, harm), rubric(steps | {"points": 3}, harm | {"points": -1}, version="1.1.0")
    judgment = await judged(before, response="Drink water.\n\nRest.")
    found = rescore(judgment, after, before)
    assert [step.value for step in judgment.step_rewards] == pytest.approx([(0.9 + 0.25) / 2] * 2)
    assert [step.value for step in found.outcome.step_rewards] == pytest.approx([(3 * 0.9 - 0.25) / 3] * 2)
    assert [step.span for step in found.outcome.step_rewards] == [(0, 12), (14, 19)]
