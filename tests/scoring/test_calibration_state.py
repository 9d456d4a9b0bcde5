"""Fitted maps and certificates on the scoring path, refreshed from the store."""

import asyncio
from datetime import UTC, datetime

import pytest

from judge_server.core.calibration import RULES, Certificate, CertificateFinding, Decision
from judge_server.core.errors import NotCalibrated
from judge_server.core.fitted_map import FittedMap, MapSet, Platt, Quality
from judge_server.judging.answer import Terms
from judge_server.scoring.batch import score_batch
from judge_server.scoring.cached_judge import VerdictCache
from judge_server.scoring.calibration_state import ActiveMaps, CalibrationState, Certification
from judge_server.scoring.rescore import rescore
from tests.scoring.assembly import judge, rubric, scorer, submission
from tests.scripted_model import ScriptedModel, labelled, yes
from tests.yardstick import PATIENCE_SECONDS


class Odd:
    """Records of which a reading fails in a way that nobody foresaw."""

    def __init__(self):
        self.reads = 0

    async def active_maps(self):
        self.reads += 1
        if self.reads == 1:
            raise ValueError("written by another version")
        return ()

    async def newest_certificates(self):
        return ()


async def test_one_odd_reading_is_not_the_last():
    records = Odd()
    task = asyncio.create_task(CalibrationState().keep_fresh(records, 0.001))
    async with asyncio.timeout(PATIENCE_SECONDS):
        while records.reads < 3:
            assert not task.done()
            await asyncio.sleep(0.001)
    task.cancel()


QUALITY = Quality(
    labels=90, items=60, clusters=30, folds=5, brier_before=0.3, brier_after=0.2, ece_before=0.2, ece_after=0.05
)
CURVE = Platt(kind="platt", slope=0.5, intercept=0.0)  # 0.9 becomes 0.75


def maps_for(speaker, judged, *criteria: str) -> MapSet:
    fitted = FittedMap(curve=CURVE, pool="criterion", quality=QUALITY)
    return MapSet(
        rules=RULES,
        judge="main",
        fingerprint=speaker.reference.fingerprint,
        rubric=judged.reference,
        labels="sha256:labels",
        maps=dict.fromkeys(criteria, fitted),
        created_at=datetime.now(UTC),
    )


def measured(maps) -> CalibrationState:
    return CalibrationState(ActiveMaps(maps))


async def started(model, **more):
    speaker = judge(model, **more)
    await speaker.start()
    return speaker


async def test_values_are_mapped_raw_ones_kept_and_the_set_named():
    speaker = await started(ScriptedModel(yes(0.9)))
    maps = maps_for(speaker, rubric(), "c0", "c1")
    judgment = await scorer(speaker, calibration_state=measured([maps])).score(submission())
    mapped, second, unmapped = judgment.verdicts
    assert mapped.value == mapped.met == second.value == pytest.approx(0.75)
    assert mapped.raw == pytest.approx(0.9)
    assert (unmapped.value, unmapped.raw) == (pytest.approx(0.9), None)
    assert judgment.judge.calibration == maps.id
    assert judgment.reward == pytest.approx((0.75 + 0.75 + 0.9) / 3)


async def test_another_rubric_or_another_judge_stays_raw():
    speaker = await started(ScriptedModel(yes(0.9)))
    other = await started(ScriptedModel(yes(0.9), name="another"), name="other")
    maps = measured([maps_for(speaker, rubric(), "c0")])
    changed = await scorer(speaker, calibration_state=maps).score(submission(rubric=rubric(count=2)))
    elsewhere = await scorer(other, calibration_state=maps).score(submission())
    for judgment in (changed, elsewhere):
        assert judgment.judge.calibration is None
        assert [verdict.raw for verdict in judgment.verdicts] == [None] * len(judgment.verdicts)


async def test_remembered_readings_stay_raw_and_are_mapped_once():
    cache = VerdictCache()
    speaker = await started(ScriptedModel(yes(0.9)))
    maps = measured([maps_for(speaker, rubric(), "c0")])
    await scorer(speaker, cache=cache, calibration_state=maps).score(submission())
    again = await scorer(speaker, cache=cache, calibration_state=maps).score(submission())
    assert again.verdicts[0].cached
    assert again.verdicts[0].value == pytest.approx(0.75)
    without = await scorer(speaker, cache=cache).score(submission())
    assert without.verdicts[0].value == pytest.approx(0.9)


async def test_a_scale_keeps_the_judges_distribution_beside_the_mapped_value():
    options = [{"label": "poor", "value": 0}, {"label": "good", "value": 1}]
    judged = rubric({"id": "s", "kind": "scale", "statement": "How good is it?", "options": options})
    speaker = await started(ScriptedModel(lambda _: labelled(A=0.1, B=0.9)))
    judgment = await scorer(speaker, calibration_state=measured([maps_for(speaker, judged, "s")])).score(
        submission(rubric=judged)
    )
    verdict = judgment.verdicts[0]
    assert verdict.value == pytest.approx(0.75)
    assert verdict.met is None
    assert verdict.options == {"poor": pytest.approx(0.1), "good": pytest.approx(0.9)}


async def test_a_verdict_without_a_value_gets_none_from_a_map():
    speaker = await started(ScriptedModel(lambda _: labelled(Yes=0.1, No=0.1, Maybe=0.8)))
    maps = measured([maps_for(speaker, rubric(), "c0", "c1", "c2")])
    judgment = await scorer(speaker, calibration_state=maps).score(submission())
    assert judgment.reward is None
    assert all(verdict.value is None and verdict.raw is None for verdict in judgment.verdicts)


async def test_what_the_guard_decides_is_not_mapped():
    speaker = await started(ScriptedModel(yes(0.9)))
    judgment = await scorer(speaker, calibration_state=measured([maps_for(speaker, rubric(), "c0")])).score(
        submission(".")
    )
    assert judgment.verdicts[0].value == 0.0
    assert judgment.verdicts[0].raw is None


async def test_rescoring_replays_the_mapped_values():
    speaker = await started(ScriptedModel(yes(0.9)))
    judgment = await scorer(speaker, calibration_state=measured([maps_for(speaker, rubric(), "c0")])).score(
        submission()
    )
    assert rescore(judgment, rubric(), rubric()).outcome.reward == pytest.approx(judgment.reward)


def test_maps_of_a_file_go_before_those_of_the_store():
    pinned = MapSet(
        rules=RULES,
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


CHECK = {"id": "short", "kind": "check", "check": {"kind": "regex", "pattern": "water"}}


def certificate(fingerprint: str, judged, decision=Decision.PASS, *reasons: str) -> Certificate:
    findings = tuple(CertificateFinding(decision=decision, demand="d", reason=reason) for reason in reasons)
    return Certificate(
        rules=RULES,
        id="crt_1", decision=decision, judge="main", fingerprint=fingerprint, rubric=judged.reference,
        policy="sha256:p", labels="sha256:l", findings=findings, created_at=datetime.now(UTC),
    )  # fmt: skip


async def strict(*certificates, model=None):
    speaker = judge(model or ScriptedModel(yes(0.9)))
    await speaker.start()
    certification = Certification(required=True)
    certification.replace([make(speaker.reference.fingerprint) for make in certificates])
    return scorer(speaker, calibration_state=CalibrationState(certification=certification))


async def test_a_combination_without_a_certificate_is_refused_before_the_judge_is_asked():
    model = ScriptedModel(yes(0.9))
    with pytest.raises(
        NotCalibrated, match=r"main may not judge medical/test@1\.0\.0 here: .* no certificate"
    ) as refused:
        await (await strict(model=model)).score(submission())
    assert model.asked == []
    assert refused.value.extensions["rubric_digest"] == rubric().digest
    assert "calibrate gate" in refused.value.remedy


async def test_a_combination_that_passed_is_served():
    served = await strict(lambda fingerprint: certificate(fingerprint, rubric()))
    assert (await served.score(submission())).reward == pytest.approx(0.9)


@pytest.mark.parametrize("decision", [Decision.FAIL, Decision.NOT_ENOUGH_EVIDENCE])
async def test_a_combination_that_did_not_pass_is_refused_with_the_gates_reasons(decision):
    served = await strict(lambda fingerprint: certificate(fingerprint, rubric(), decision, "κ is too low."))
    with pytest.raises(NotCalibrated, match="κ is too low") as refused:
        await served.score(submission())
    assert refused.value.extensions["decision"] == decision.value
    assert refused.value.extensions["reasons"] == ["κ is too low."]


async def test_another_rubric_content_or_model_is_another_combination():
    served = await strict(lambda fingerprint: certificate(fingerprint, rubric()))
    with pytest.raises(NotCalibrated):
        await served.score(submission(rubric=rubric(title="Another title")))
    newer = judge(ScriptedModel(yes(0.9), revision="2"))
    await newer.start()
    elsewhere = Certification(required=True)
    elsewhere.replace([certificate("sha256:of-revision-1", rubric())])
    with pytest.raises(NotCalibrated):
        await scorer(newer, calibration_state=CalibrationState(certification=elsewhere)).score(submission())


async def test_a_rubric_of_checks_needs_no_certificate():
    judgment = await (await strict()).score(submission(rubric=rubric(CHECK)))
    assert judgment.reward == 1.0


async def test_an_item_of_a_batch_that_may_not_be_judged_is_typed_and_spares_the_others():
    served = await strict()
    first, second = await score_batch(served, [submission(), submission(rubric=rubric(CHECK))], Terms())
    assert (first.reward, first.error.type) == (None, "not_calibrated")
    assert second.reward == 1.0
