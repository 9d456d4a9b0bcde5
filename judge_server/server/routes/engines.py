"""GET /v1/admin/engines, POST /v1/admin/sleep and /v1/admin/wake: engines give their accelerator's memory away."""

import asyncio

from fastapi import APIRouter, Request

from judge_server.core.errors import DeadlineExceeded
from judge_server.core.model import Frozen
from judge_server.scheduling.sleeping_models import EngineState, SleepingModels, SleepTerms, WakeTerms
from judge_server.server.service import StrictRoute
from judge_server.util.deadline import wait_ends_at
from judge_server.util.time_limit import until

router = APIRouter(prefix="/v1/admin", tags=["operations"], route_class=StrictRoute)


class EngineList(Frozen):
    engines: list[EngineState]


@router.get("/engines")
async def engines(request: Request) -> EngineList:
    """The models of the judges: which of them sleep, and who keeps them awake."""
    return EngineList(engines=_engines(request).states())


@router.post("/sleep")
async def sleep(request: Request, terms: SleepTerms) -> EngineList:
    """Wait for the calls under way, then free the engines' memory. Calls that arrive meanwhile wait or are refused."""
    orders = _engines(request)
    return await _done(orders.carry_out(orders.sleep(terms)))


@router.post("/wake")
async def wake(request: Request, terms: WakeTerms) -> EngineList:
    """Give the engines their memory again; calls that waited go on."""
    orders = _engines(request)
    return await _done(orders.carry_out(orders.wake(terms)))


def _engines(request: Request) -> SleepingModels:
    found: SleepingModels = request.app.state.engines
    return found


async def _done(order: asyncio.Task[list[EngineState]]) -> EngineList:
    """Raises DeadlineExceeded; the order is carried out all the same."""
    try:
        with until(wait_ends_at.get()):
            return EngineList(engines=await asyncio.shield(order))
    except TimeoutError:
        raise DeadlineExceeded("The order is being carried out still.", remedy="See GET /v1/admin/engines.") from None
