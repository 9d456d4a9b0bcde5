"""GET /v1/monitor/findings and /v1/monitor/alarms…: drift, saturation and signs of reward hacking."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from judge_server.core.model import Frozen
from judge_server.core.monitor import Alarm, MonitorFinding, MonitorName, State, Transition
from judge_server.monitoring.watch import Watch
from judge_server.server.service import ServiceHere, StrictRoute, hidden_runs, shown_alarms

router = APIRouter(prefix="/v1/monitor", tags=["monitor"], route_class=StrictRoute)
Text = Annotated[str | None, Field(max_length=400)]


class FindingQuery(Frozen):
    rubric: Text = None
    judge: Text = None
    policy: Text = None
    monitor: MonitorName | None = None
    state: State | None = None


class FindingList(Frozen):
    findings: list[MonitorFinding]


class AlarmList(Frozen):
    """Raised alarms first, then the most recently changed."""

    alarms: list[Alarm]


class TransitionList(Frozen):
    """Newest first."""

    transitions: list[Transition]


async def _watch(request: Request) -> Watch:
    watch: Watch = request.app.state.watch
    return watch


WatchHere = Annotated[Watch, Depends(_watch)]


@router.get("/findings")
async def findings(watch: WatchHere, service: ServiceHere, query: Annotated[FindingQuery, Query()]) -> FindingList:
    """What the monitors find in stored judgments, at most half a minute old."""
    wanted = query.model_dump(exclude={"monitor", "state"}, exclude_none=True)
    found = [
        one
        for one in await watch.findings()
        if query.monitor in (None, one.monitor)
        and query.state in (None, one.state)
        and all(getattr(one.series, name) == value for name, value in wanted.items())
    ]
    hidden = await hidden_runs(service, found)
    return FindingList(findings=[one for one in found if one.run not in hidden])


@router.get("/alarms")
async def alarms(
    service: ServiceHere,
    raised: Annotated[bool | None, Query(description="Only alarms that are raised, or not.")] = None,
) -> AlarmList:
    """The current alarms."""
    return AlarmList(alarms=await shown_alarms(service, raised=raised))


@router.get("/transitions")
async def transitions(service: ServiceHere, limit: Annotated[int, Query(ge=1, le=1_000)] = 100) -> TransitionList:
    """When alarms were raised and cleared, as sent to the webhook."""
    found = await service.store.alarms.transitions(limit)
    hidden = await hidden_runs(service, (one.finding for one in found))
    return TransitionList(transitions=[one for one in found if one.finding.run not in hidden])
