import pytest

from judge_server.core.errors import BadSubmission, ModelUnavailable
from judge_server.scheduling.admission import MOST_STEPS
from judge_server.scoring.plan import plan
from tests.scoring.assembly import judge, rubric, scorer, submission
from tests.scripted_model import ScriptedModel, labelled, yes

CHECK = {"id": "short", "kind": "check", "check": {"kind": "length", "max": 5, "unit": "words"}}


def planned(*criteria, **more):
    given = submission(rubric=rubric(*criteria), **more)
    return plan(given, given.rubric)


def settled(found) -> dict:
    return {verdict.criterion: (verdict.status.value, verdict.value) for verdict in found.settled}


def test_what_a_program_decides_and_what_a_judge_is_asked():
    found = planned(CHECK, {"id": "kind", "statement": "Is kind."})
    assert [checking.criterion.id for checking in found.checks] == ["short"]
    assert [question.criterion.id for question in found.questions] == ["kind"]
    assert not found.settled


def test_a_criterion_applies_when_its_conditions_hold():
    criteria = [
        {"id": "lay", "statement": "Plain words.", "when": {"facts.audience": "patient"}},
        {"id": "expert", "statement": "Exact words.", "when": {"facts.audience": "doctor"}},
        CHECK | {"when": {"policy": {"exists": True}}},
    ]
    found = planned(*criteria, facts={"audience": "patient"})
    assert [question.criterion.id for question in found.questions] == ["lay"]
    assert settled(found) == {"expert": ("not_applicable", None), "short": ("not_applicable", None)}


def test_a_group_that_does_not_apply_takes_its_children_with_it():
    group = {"id": "g", "kind": "group", "criteria": [{"id": "inner", "statement": "Inner."}, CHECK]}
    found = planned(group | {"when": {"facts.deep": True}}, {"id": "outer", "statement": "Outer."})
    assert set(settled(found)) == {"inner", "short"}
    assert [question.criterion.id for question in found.questions] == ["outer"]


def test_a_missing_reference_names_the_field_and_the_criteria():
    needing = {"id": "as_given", "statement": "As the reference says.", "reference": "required"}
    with pytest.raises(BadSubmission, match=r"^reference: medical/test@1\.0\.0 judges as_given "):
        planned(needing)
    with pytest.raises(BadSubmission):
        planned(needing, reference="  ")
    assert len(planned(needing, reference="Water.").questions) == 1
    planned(needing | {"when": {"facts.hard": True}})
    planned(needing | {"reference": "optional"})


STEPS = "First this tablet.\n\nThen that tablet.\n\nSo it is safe."


def test_a_step_criterion_is_asked_of_every_step():
    by_step = {"id": "sound", "statement": "Follows.", "scope": "step"}
    found = planned(by_step, CHECK | {"scope": "step"}, response=STEPS)
    assert [question.material.step.text for question in found.questions] == STEPS.split("\n\n")
    assert [checking.step.index for checking in found.checks] == [0, 1, 2]


async def test_steps_get_verdicts_with_their_places():
    def script(request):
        step = [s.text for s in request.prompt.turns[1].segments if s.part == "response" and not s.trusted][-1]
        return labelled(Yes=0.2, No=0.8) if "that" in step else labelled(Yes=1.0)

    by_step = {"id": "sound", "statement": "Follows.", "scope": "step"}
    check = {"id": "this", "kind": "check", "scope": "step", "check": {"kind": "contains", "any": ["this"]}}
    given = submission(STEPS, rubric=rubric(by_step, check))
    judgment = await scorer(judge(ScriptedModel(script))).score(given)
    assert [(v.criterion, v.step, v.value) for v in judgment.verdicts] == [
        ("sound", 0, pytest.approx(1.0)),
        ("sound", 1, pytest.approx(0.2)),
        ("sound", 2, pytest.approx(1.0)),
        ("this", 0, 1.0),
        ("this", 1, 0.0),
        ("this", 2, 0.0),
    ]
    assert [STEPS[slice(*verdict.span)] for verdict in judgment.verdicts[:3]] == STEPS.split("\n\n")
    assert [reward.value for reward in judgment.step_rewards] == pytest.approx([1.0, 0.1, 0.5])


async def test_a_response_of_endless_steps_costs_no_more_than_the_most_and_says_so():
    many = "".join(f"So it is {number}.\n\n" for number in range(100_000)) + "Therefore it is unsafe."
    by_step = {"id": "sound", "statement": "Follows.", "scope": "step"}
    model = ScriptedModel(yes(1.0))
    judgment = await scorer(judge(model), most_steps=3).score(submission(many, rubric=rubric(by_step)))
    assert len(model.asked) == len(judgment.step_rewards) == 3
    assert judgment.flags == ("steps_joined",)
    assert many[slice(*judgment.step_rewards[-1].span)].endswith("unsafe.")
    assert len(planned(by_step, response=many).questions) == MOST_STEPS


async def test_many_steps_are_no_matter_where_none_is_judged():
    model = ScriptedModel(yes(1.0))
    kind = rubric({"id": "kind", "statement": "Is kind."})
    judgment = await scorer(judge(model), most_steps=1).score(submission(STEPS, rubric=kind))
    assert judgment.flags == ()


async def test_a_step_that_the_judge_failed_on_has_a_typed_reason_and_the_others_their_rewards():
    def script(request):
        step = [s.text for s in request.prompt.turns[1].segments if s.part == "response" and not s.trusted][-1]
        return ModelUnavailable("Gone.") if "that" in step else labelled(Yes=1.0)

    by_step = {"id": "sound", "statement": "Follows.", "scope": "step"}
    judgment = await scorer(judge(ScriptedModel(script))).score(submission(STEPS, rubric=rubric(by_step)))
    assert judgment.reward is None
    assert [step.value for step in judgment.step_rewards] == [1.0, None, 1.0]
    assert [step.error and step.error.type for step in judgment.step_rewards] == [None, "judge_unavailable", None]


async def test_tool_turns_get_verdicts_with_message_and_field():
    said = [
        {"role": "assistant", "content": "Look.", "tool_calls": [{"function": {"name": "f"}}]},
        {"role": "tool", "content": "42"},
        {"role": "assistant", "content": "It is 42."},
    ]
    by_step = {"id": "sound", "statement": "Follows.", "scope": "step"}
    check = {"id": "number", "kind": "check", "scope": "step", "check": {"kind": "contains", "any": ["42"]}}
    judgment = await scorer(judge(ScriptedModel(yes(1.0)))).score(submission(said, rubric=rubric(by_step, check)))
    places = [(v.step, v.message, v.field, v.span) for v in judgment.verdicts]
    assert places == [(0, 0, "content", (0, 5)), (1, 2, "content", (0, 9))] * 2
    assert [(s.message, s.field, s.span) for s in judgment.step_rewards] == [place[1:] for place in places[:2]]


SCALE = {
    "id": "depth",
    "kind": "scale",
    "scope": "reasoning",
    "statement": "How deep?",
    "options": [{"label": "flat", "value": 0.1}, {"label": "deep", "value": 1}],
}


async def test_a_judge_is_not_shown_a_part_that_is_not_there():
    reasoned = [
        {"id": "checks", "statement": "Checks its units.", "scope": "reasoning"},
        {"id": "harm", "statement": "Plans harm.", "scope": "reasoning", "points": -5},
        SCALE,
        {"id": "kind", "statement": "Is kind."},
    ]
    model = ScriptedModel(yes(1.0))
    judgment = await scorer(judge(model)).score(submission("Drink water.", rubric=rubric(*reasoned)))
    assert len(model.asked) == 1
    values = {verdict.criterion: (verdict.source, verdict.value) for verdict in judgment.verdicts}
    assert values == {"checks": ("guard", 0.0), "harm": ("guard", 0.0), "depth": ("guard", 0.1), "kind": ("judge", 1.0)}
    assert judgment.verdicts[2].option == "flat"
    assert "no reasoning" in judgment.verdicts[0].reason
    assert judgment.status == "ok"


async def test_a_response_of_tool_calls_is_judged_by_its_calls():
    model = ScriptedModel(yes(0.9))
    calls = [{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}]
    judgment = await scorer(judge(model)).score(submission([{"role": "assistant", "tool_calls": calls}]))
    assert judgment.reward == pytest.approx(0.9)
    assert "weather" in model.asked[0].prompt.text_of("response")


@pytest.mark.parametrize("key", ["Solution:", "…", "Sоlution", "Let's think step by step.", "excellent " * 200])
async def test_words_that_say_nothing_beside_tool_calls_are_not_shown_for_an_answer(key):
    model = ScriptedModel(yes(0.9))
    calls = [{"function": {"name": "weather", "arguments": {"city": "Oslo"}}}]
    said = [{"role": "assistant", "content": key, "tool_calls": calls}]
    judgment = await scorer(judge(model)).score(submission(said))
    assert judgment.reward == pytest.approx(0.9)
    assert model.asked[0].prompt.text_of("response") == 'weather({"city":"Oslo"})'


@pytest.mark.parametrize("thought", ["Thought process:", "\u200b", "解", "hm " * 200])
async def test_a_reasoning_that_says_nothing_is_none(thought):
    model = ScriptedModel(yes(1.0))
    checks = rubric({"id": "checks", "statement": "Checks its units.", "scope": "reasoning"})
    judgment = await scorer(judge(model)).score(submission(f"<think>{thought}</think>Drink water.", rubric=checks))
    assert judgment.reward == 0.0
    assert not model.asked
