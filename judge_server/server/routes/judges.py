"""GET /v1/judges."""

import asyncio

from fastapi import APIRouter, Request
from pydantic import AwareDatetime

from judge_server.core.calibration import Decision
from judge_server.core.judge import CanaryFinding
from judge_server.core.judgment import JudgeReference
from judge_server.core.model import Frozen
from judge_server.core.rubric import RubricReference
from judge_server.judging.answer import shown_reference
from judge_server.server.service import ServiceHere
from judge_server.wiring.service import Service
from judge_server.workers.canaries import Canaries

router = APIRouter(prefix="/v1/judges", tags=["judges"])


class Fitted(Frozen):
    """``id`` is the value of ``judge.calibration`` in judgments. ``stale``: why these maps are not applied."""

    id: str
    rubric: RubricReference
    criteria: tuple[str, ...]
    stale: str | None = None


class Gated(Frozen):
    """``stale``: why this decision no longer counts."""

    id: str
    rubric: RubricReference
    decision: Decision
    stale: str | None = None


class JudgeStatus(JudgeReference):
    """A configured judge; the ``default`` one is used if a submission names none. ``fitted``: the newest maps;
    ``gated``: the gate's last decisions; each for the content of one rubric. ``canaries``: the newest results of
    questions with known answers."""

    default: bool
    healthy: bool
    fitted: tuple[Fitted, ...] = ()
    gated: tuple[Gated, ...] = ()
    canaries: tuple[CanaryFinding, ...] = ()
    canaries_at: AwareDatetime | None = None


class JudgeList(Frozen):
    judges: list[JudgeStatus]


@router.get("")
async def judges(request: Request, service: ServiceHere) -> JudgeList:
    """Configured judges with fingerprint, calibration and health."""
    configured = list(service.judge_registry.judges.items())
    canaries: Canaries = request.app.state.canaries
    reports = [canaries.reports.get(name) for name, _ in configured]
    healthy = await asyncio.gather(*(judge.healthy() for _, judge in configured))
    references = [shown_reference(judge) for _, judge in configured]
    return JudgeList(
        judges=[
            JudgeStatus(
                **reference.model_dump(),
                default=name == service.judge_registry.default,
                healthy=up,
                fitted=_fitted(service, reference.fingerprint),
                gated=_gated(service, reference.fingerprint),
                canaries=report.findings if report else (),
                canaries_at=report.at if report else None,
            )
            for (name, _), reference, up, report in zip(configured, references, healthy, reports, strict=True)
        ]
    )


def _fitted(service: Service, fingerprint: str) -> tuple[Fitted, ...]:
    found = service.calibration_state.maps.of_judge(fingerprint)
    return tuple(Fitted(id=maps.id, rubric=maps.rubric, criteria=tuple(maps.maps), stale=maps.stale) for maps in found)


def _gated(service: Service, fingerprint: str) -> tuple[Gated, ...]:
    found = service.calibration_state.certification.of_judge(fingerprint)
    return tuple(Gated(id=one.id, rubric=one.rubric, decision=one.decision, stale=one.stale) for one in found)
