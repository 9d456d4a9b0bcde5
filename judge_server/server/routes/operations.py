"""GET /healthz, /readyz, /metrics."""

from typing import Literal

from fastapi import APIRouter, Request, Response

from judge_server.core.errors import ModelUnavailable
from judge_server.core.model import Frozen
from judge_server.server.service import ServiceHere

router = APIRouter(tags=["operations"])


class Readiness(Frozen):
    """``rubric_faults``: rubrics that do not judge as their files say now, each with the reason. ``judge_changes``:
    models that another one has replaced since the start, each with how that was noticed and when."""

    status: Literal["ready"]
    judge: str
    model: str
    rubric_faults: list[str]
    judge_changes: list[str]


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(service: ServiceHere) -> Readiness:
    """The store answers, there is room, and the default judge can be asked; else 503 or 429."""
    service.scorer.admission.require_room(waiting=True)
    await service.store.ping()
    judge = service.judge_registry.named(None)
    if not await judge.healthy():
        raise ModelUnavailable(
            f"The judge {judge.reference.name!r} does not answer.",
            remedy="Check its engine: the log and judge-server doctor give the reason.",
            retry_after_seconds=5.0,
        )
    return Readiness(
        status="ready",
        judge=judge.reference.name,
        model=judge.reference.model,
        rubric_faults=service.rubric_registry.faults(),
        judge_changes=[one.replaced for one in service.watched if one.replaced is not None],
    )


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Prometheus exposition."""
    text, shared = request.app.state.metrics.text(), request.app.state.shared
    if shared is not None:
        text = await shared.metrics(text)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
