import pytest

from judge_server.core.errors import ModelUnavailable
from judge_server.core.judge import JudgeSpecification
from judge_server.core.verdict import VerdictStatus
from judge_server.judging.panel import PanelJudge
from tests.judging.values import ask, binary, judge, scale
from tests.scripted_model import ScriptedModel, labelled, yes


def down(request):
    raise ModelUnavailable("The judge is down.")


def panel(*scripts, modes=(), **more) -> PanelJudge:
    members = [
        judge(ScriptedModel(script, name=f"model{place}"), name=f"judge{place}", mode=mode)
        for place, (script, mode) in enumerate(zip(scripts, modes or ["direct"] * len(scripts), strict=True))
    ]
    names = [member.specification.name for member in members]
    return PanelJudge(JudgeSpecification.model_validate({"name": "panel", "panel": names} | more), members)


async def value(of: PanelJudge, criterion=None) -> float | None:
    (answer,) = await ask(of, criterion or binary())
    return answer.reading.value if answer.reading else None


@pytest.mark.parametrize(("combine", "expected"), [("mean", (0.9 + 0.6 + 0.3) / 3), ("majority", 1.0), ("min", 0.3)])
async def test_judges_are_combined(combine, expected):
    assert await value(panel(yes(0.9), yes(0.6), yes(0.3), combine=combine)) == pytest.approx(expected)


async def test_a_tied_majority_is_one_half():
    assert await value(panel(yes(0.9), yes(0.1), combine="majority")) == 0.5


async def test_a_majority_on_a_scale_is_for_an_option():
    middle, best = (lambda request: labelled(A=0.2, B=0.6, C=0.2)), (lambda request: labelled(C=1.0))
    of = panel(middle, middle, best, combine="majority")
    (answer,) = await ask(of, scale(values=(0.0, 0.5, 1.0)))
    assert answer.reading.value == 0.5
    assert answer.reading.shares == (0.0, 1.0, 0.0)
    assert await value(panel(middle, best, combine="majority"), scale(values=(0.0, 0.5, 1.0))) == 0.75


async def test_every_opinion_is_kept():
    (answer,) = await ask(panel(yes(0.9), yes(0.3), modes=["direct", "reason"]), binary())
    assert [(opinion.judge, opinion.value) for opinion in answer.reading.panel] == [
        ("judge0", pytest.approx(0.9)),
        ("judge1", 0.0),
    ]
    assert answer.reading.panel[1].reason == "because"
    assert answer.usage.calls == 2


async def test_without_a_quorum_a_panel_needs_all_its_members():
    (answer,) = await ask(panel(yes(0.9), yes(0.9), down), binary())
    assert answer.reading is None
    assert answer.status is VerdictStatus.UNAVAILABLE
    assert answer.failure.type == "judge_unavailable"
    assert "judge2" in answer.failure.detail
    assert [opinion.status for opinion in answer.panel] == [VerdictStatus.OK] * 2 + [VerdictStatus.UNAVAILABLE]


async def test_a_quorum_is_enough():
    of = panel(yes(0.9), yes(0.7), down, quorum=2)
    assert await value(of) == pytest.approx(0.8)
    assert await value(panel(yes(0.9), down, down, quorum=2)) is None


async def test_members_split_criteria_as_they_are_set_to():
    of = panel(yes(0.9), yes(0.9), modes=["direct", "reason"], mode="reason", criteria_per_call=3)
    answers = await ask(of, binary("One."), binary("Two."), binary("Three."))
    assert [answer.reading.value for answer in answers] == [pytest.approx(0.95)] * 3


def test_the_fingerprint_of_a_panel_follows_its_members():
    one = panel(yes(0.9), yes(0.9)).reference
    assert one.fingerprint == panel(yes(0.9), yes(0.9)).reference.fingerprint
    assert one.fingerprint != panel(yes(0.9), yes(0.9), combine="min").reference.fingerprint
    assert one.fingerprint != panel(yes(0.9), yes(0.9), quorum=1).reference.fingerprint
    assert one.fingerprint != panel(yes(0.9), yes(0.9), modes=["direct", "reason"]).reference.fingerprint
    assert one.mode == "panel"


async def test_a_panel_is_healthy_while_its_quorum_is():
    of = panel(yes(0.9), yes(0.9), quorum=1)
    await of.members[0].close()
    assert await of.healthy()
    await of.members[1].close()
    assert not await of.healthy()


async def test_a_panel_passes_on_what_must_be_known_about_its_members():
    of = panel(yes(0.9), yes(0.9))
    of.members[0].model.notice = "This is a toy."
    assert of.reference.notice == "This is a toy."
