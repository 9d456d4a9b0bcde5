"""GET /healthz, /readyz, /metrics."""

from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter, Request, Response

from judge_server.core.caller import current_caller
from judge_server.core.errors import JudgeServerError
from judge_server.core.model import Frozen
from judge_server.server.service import ServiceHere
from judge_server.workers.health import Health

router = APIRouter(tags=["operations"])


class Readiness(Frozen):
    """``rubric_faults``: rubrics that do not judge as their files say now, each with the reason. ``judge_changes``:
    models that another one has replaced since the start, each with how that was noticed and when. Only the status is
    told without an API key where one is required."""

    status: Literal["ready"]
    judge: str | None = None
    model: str | None = None
    rubric_faults: list[str] | None = None
    judge_changes: list[str] | None = None


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "alive"}


@router.get("/readyz", response_model_exclude_none=True)
async def readyz(request: Request, service: ServiceHere) -> Readiness:
    """The store can be written, there is room, the default judge answers and no engine sleeps; else 503 or 429. The
    reasons need a key where keys are required."""
    service.scorer.admission.require_room(waiting=True)
    health: Health = request.app.state.health
    judge = service.judge_registry.named(None)
    faults: list[JudgeServerError] = [fault.error for fault in health.faults]
    faults += [model.asleep for model in service.models if model.asleep is not None]
    told = bool(current_caller.get().scopes)
    if faults:
        raise unready(faults, told=told)
    if not told:
        return Readiness(status="ready")
    return Readiness(
        status="ready",
        judge=judge.reference.name,
        model=judge.reference.model,
        rubric_faults=service.rubric_registry.faults(),
        judge_changes=[one.replaced for one in service.watched if one.replaced is not None],
    )


def unready(faults: Sequence[JudgeServerError], *, told: bool) -> JudgeServerError:
    """The first fault, which others follow in ``faults``. Unless ``told``, only its type: a detail may name an address
    or a database."""
    first = faults[0]
    retry = first.retry_after_seconds
    if not told:
        return type(first)("The server is not ready.", remedy="Ask with an API key for why.", retry_after_seconds=retry)
    details = [fault.detail for fault in faults]
    return type(first)(first.detail, remedy=first.remedy, retry_after_seconds=retry, faults=details)


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """Prometheus exposition."""
    text, shared = request.app.state.metrics.text(), request.app.state.shared
    if shared is not None:
        text = await shared.metrics(text)
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
