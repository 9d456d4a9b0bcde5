"""GET /v1/judges."""

import asyncio

from fastapi import APIRouter

from judge_server.core.judgment import JudgeReference
from judge_server.core.model import Frozen
from judge_server.server.service import ServiceHere

router = APIRouter(prefix="/v1/judges", tags=["judges"])


class JudgeStatus(JudgeReference):
    """A configured judge; ``default`` answers when a submission names none."""

    default: bool
    healthy: bool


class JudgeList(Frozen):
    judges: list[JudgeStatus]


@router.get("")
async def judges(service: ServiceHere) -> JudgeList:
    """Configured judges with fingerprint, calibration and health."""
    configured = list(service.judges.items())
    healthy = await asyncio.gather(*(judge.healthy() for _, judge in configured))
    return JudgeList(
        judges=[
            JudgeStatus(**judge.reference.model_dump(), default=name == service.default_judge, healthy=up)
            for (name, judge), up in zip(configured, healthy, strict=True)
        ]
    )
