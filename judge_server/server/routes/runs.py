"""GET /v1/runs…, POST /v1/runs/repin: what rewarded a run, and a deliberate change of it."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from judge_server.core.caller import current_caller
from judge_server.core.coordinates import Coordinate
from judge_server.core.errors import UnknownRun
from judge_server.core.model import Frozen
from judge_server.core.run import RunNoise, RunPrompts, RunSummary
from judge_server.monitoring.reward_noise import noise_of
from judge_server.server.service import ServiceHere, StrictRoute, viewer
from judge_server.wiring.service import Service

router = APIRouter(prefix="/v1/runs", tags=["runs"], route_class=StrictRoute)
RunName = Annotated[str, Query(min_length=1, max_length=200)]
_REMEDY = "A run is named by the field run of submissions; GET /v1/runs lists them."


class RunList(Frozen):
    """The latest pinned first."""

    runs: list[str]


class RepinRequest(Frozen):
    """``reason`` is kept with the change."""

    run: Coordinate
    reason: str = Field(min_length=1, max_length=2_000, pattern=r"\S")


@router.get("")
async def runs(service: ServiceHere, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> RunList:
    """Runs that judged something: those of the key, or all (scope `read_all`)."""
    return RunList(runs=list(await service.store.runs.names(limit, viewer(service))))


@router.get("/summary")
async def summary(service: ServiceHere, run: RunName) -> RunSummary:
    """Pins, changes, and which rubric content, judge, maps and guard rewarded which steps of those the key may see."""
    await require_view(service, run)
    found = await service.store.runs.summary(run, viewer(service))
    if found is None:
        raise UnknownRun("No judgment is stored of this run.", remedy=_REMEDY)
    return found


@router.get("/prompts")
async def prompts(service: ServiceHere, run: RunName, limit: Annotated[int, Query(ge=1, le=1_000)] = 50) -> RunPrompts:
    """Prompts over the steps of a run; those whose rewards were equal most often first."""
    await require_view(service, run)
    return await service.store.run_prompts.prompts(run, limit, viewer(service))


@router.get("/noise")
async def noise(service: ServiceHere, run: RunName) -> RunNoise:
    """How much of the variance of advantages is chance of the judge, by rubric."""
    await require_view(service, run)
    return await noise_of(service.store.reasks, run, viewer(service))


@router.post("/repin")
async def repin(service: ServiceHere, body: RepinRequest) -> RunSummary:
    """Give up the pins of a run: the next judgment pins what then answers. The act is recorded with reason and
    caller."""
    await require_view(service, body.run)
    await service.store.runs.repin(body.run, body.reason, current_caller.get().name)
    return await summary(service, body.run)


async def require_view(service: Service, run: str) -> None:
    """Raises UnknownRun for a run that the caller may not see."""
    caller = viewer(service)
    if caller is not None and not await service.store.runs.judged_by(run, caller):
        raise UnknownRun("No judgment of this run is yours to see.", remedy=f"{_REMEDY} The scope read_all sees all.")
