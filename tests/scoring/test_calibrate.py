"""Fitted maps on the scoring path: values mapped, raw ones kept, the set named in every judgment."""

from datetime import UTC, datetime

import pytest

from judge_server.core.fitted_map import FittedMap, MapSet, Platt, Quality
from judge_server.scoring.cache import VerdictCache
from judge_server.scoring.calibrate import ActiveMaps
from judge_server.scoring.calibration_state import CalibrationState
from judge_server.scoring.rescore import rescore
from tests.scoring.assembly import judge, rubric, scorer, submission
from tests.scripted_model import ScriptedModel, labelled, yes

QUALITY = Quality(
    labels=90, items=60, clusters=30, folds=5, brier_before=0.3, brier_after=0.2, ece_before=0.2, ece_after=0.05
)
CURVE = Platt(kind="platt", slope=0.5, intercept=0.0)  # 0.9 becomes 0.75


def maps_for(speaker, judged, *criteria: str) -> MapSet:
    fitted = FittedMap(curve=CURVE, pool="criterion", quality=QUALITY)
    return MapSet(
        judge="main",
        fingerprint=speaker.reference.fingerprint,
        rubric=judged.reference,
        labels="sha256:labels",
        maps=dict.fromkeys(criteria, fitted),
        created_at=datetime.now(UTC),
    )


def standing(maps) -> CalibrationState:
    return CalibrationState(ActiveMaps(maps))


async def started(model, **more):
    speaker = judge(model, **more)
    await speaker.start()
    return speaker


async def test_values_are_mapped_raw_ones_kept_and_the_set_named():
    speaker = await started(ScriptedModel(yes(0.9)))
    maps = maps_for(speaker, rubric(), "c0", "c1")
    judgment = await scorer(speaker, standing=standing([maps])).score(submission())
    mapped, second, unmapped = judgment.verdicts
    assert mapped.value == mapped.met == second.value == pytest.approx(0.75)
    assert mapped.raw == pytest.approx(0.9)
    assert (unmapped.value, unmapped.raw) == (pytest.approx(0.9), None)
    assert judgment.judge.calibration == maps.id
    assert judgment.reward == pytest.approx((0.75 + 0.75 + 0.9) / 3)


async def test_another_rubric_or_another_judge_stays_raw():
    speaker = await started(ScriptedModel(yes(0.9)))
    other = await started(ScriptedModel(yes(0.9), name="another"), name="other")
    maps = standing([maps_for(speaker, rubric(), "c0")])
    changed = await scorer(speaker, standing=maps).score(submission(rubric=rubric(count=2)))
    elsewhere = await scorer(other, standing=maps).score(submission())
    for judgment in (changed, elsewhere):
        assert judgment.judge.calibration is None
        assert [verdict.raw for verdict in judgment.verdicts] == [None] * len(judgment.verdicts)


async def test_remembered_readings_stay_raw_and_are_mapped_once():
    cache = VerdictCache()
    speaker = await started(ScriptedModel(yes(0.9)))
    maps = standing([maps_for(speaker, rubric(), "c0")])
    await scorer(speaker, cache=cache, standing=maps).score(submission())
    again = await scorer(speaker, cache=cache, standing=maps).score(submission())
    assert again.verdicts[0].cached
    assert again.verdicts[0].value == pytest.approx(0.75)
    without = await scorer(speaker, cache=cache).score(submission())
    assert without.verdicts[0].value == pytest.approx(0.9)


async def test_a_scale_keeps_the_judges_distribution_beside_the_mapped_value():
    options = [{"label": "poor", "value": 0}, {"label": "good", "value": 1}]
    judged = rubric({"id": "s", "kind": "scale", "statement": "How good is it?", "options": options})
    speaker = await started(ScriptedModel(lambda _: labelled(A=0.1, B=0.9)))
    judgment = await scorer(speaker, standing=standing([maps_for(speaker, judged, "s")])).score(
        submission(rubric=judged)
    )
    verdict = judgment.verdicts[0]
    assert verdict.value == pytest.approx(0.75)
    assert verdict.met is None
    assert verdict.options == {"poor": pytest.approx(0.1), "good": pytest.approx(0.9)}


async def test_a_verdict_without_a_value_gets_none_from_a_map():
    speaker = await started(ScriptedModel(lambda _: labelled(Yes=0.1, No=0.1, Maybe=0.8)))
    maps = standing([maps_for(speaker, rubric(), "c0", "c1", "c2")])
    judgment = await scorer(speaker, standing=maps).score(submission())
    assert judgment.reward is None
    assert all(verdict.value is None and verdict.raw is None for verdict in judgment.verdicts)


async def test_what_the_guard_decides_is_not_mapped():
    speaker = await started(ScriptedModel(yes(0.9)))
    judgment = await scorer(speaker, standing=standing([maps_for(speaker, rubric(), "c0")])).score(submission("."))
    assert judgment.verdicts[0].value == 0.0
    assert judgment.verdicts[0].raw is None


async def test_rescoring_replays_the_mapped_values():
    speaker = await started(ScriptedModel(yes(0.9)))
    judgment = await scorer(speaker, standing=standing([maps_for(speaker, rubric(), "c0")])).score(submission())
    assert rescore(judgment, rubric(), rubric()).outcome.reward == pytest.approx(judgment.reward)


def test_maps_of_a_file_go_before_those_of_the_store():
    pinned = MapSet(
        judge="main", fingerprint="f", rubric=rubric().reference, labels="sha256:file",
        maps={"c0": FittedMap(curve=CURVE, pool="rubric", quality=QUALITY)}, created_at=datetime.now(UTC),
    )  # fmt: skip
    stored = pinned.model_copy(update={"labels": "sha256:store"})
    other = pinned.model_copy(update={"fingerprint": "g"})
    active = ActiveMaps([pinned])
    active.replace([stored, other])
    assert active.find("f", rubric().digest) == pinned
    assert active.find("g", rubric().digest) == other
    active.replace([])
    assert active.find("g", rubric().digest) is None
    assert active.of_judge("f") == (pinned,)
