"""GET /healthz, /readyz, /metrics."""

from fastapi import APIRouter, Request, Response

from judge_server.core.errors import ModelUnavailable
from judge_server.server.service import ServiceHere

router = APIRouter(tags=["operations"])


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "alive"}


@router.get("/readyz")
async def readyz(service: ServiceHere) -> dict[str, str | int]:
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
    ready: dict[str, str | int] = {"status": "ready", "judge": judge.reference.name, "model": judge.reference.model}
    if broken := service.rubric_registry.broken_files:
        ready["broken_rubric_files"] = broken
    return ready


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Prometheus exposition."""
    return Response(request.app.state.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
