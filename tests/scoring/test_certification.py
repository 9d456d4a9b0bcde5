"""Where certificates are required, nothing is judged without one."""

from datetime import UTC, datetime

import pytest

from judge_server.core.calibration import Certificate, CertificateFinding, Decision
from judge_server.core.errors import NotCalibrated
from judge_server.judging.answer import Terms
from judge_server.scoring.batch import score_batch
from judge_server.scoring.calibration_state import CalibrationState
from judge_server.scoring.certification import Certification
from tests.scoring.assembly import judge, rubric, scorer, submission
from tests.scripted_model import ScriptedModel, yes

CHECK = {"id": "short", "kind": "check", "check": {"kind": "regex", "pattern": "water"}}


def certificate(fingerprint: str, judged, decision=Decision.PASS, *reasons: str) -> Certificate:
    findings = tuple(CertificateFinding(decision=decision, demand="d", reason=reason) for reason in reasons)
    return Certificate(
        id="crt_1", decision=decision, judge="main", fingerprint=fingerprint, rubric=judged.reference,
        policy="sha256:p", labels="sha256:l", findings=findings, created_at=datetime.now(UTC),
    )  # fmt: skip


async def strict(*certificates, model=None):
    speaker = judge(model or ScriptedModel(yes(0.9)))
    await speaker.start()
    certification = Certification(required=True)
    certification.replace([make(speaker.reference.fingerprint) for make in certificates])
    return scorer(speaker, standing=CalibrationState(certification=certification))


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
        await scorer(newer, standing=CalibrationState(certification=elsewhere)).score(submission())


async def test_a_rubric_of_checks_needs_no_certificate():
    judgment = await (await strict()).score(submission(rubric=rubric(CHECK)))
    assert judgment.reward == 1.0


async def test_an_item_of_a_batch_that_may_not_be_judged_is_typed_and_spares_the_others():
    served = await strict()
    first, second = await score_batch(served, [submission(), submission(rubric=rubric(CHECK))], Terms())
    assert (first.reward, first.error.type) == (None, "not_calibrated")
    assert second.reward == 1.0
