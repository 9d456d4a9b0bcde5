"""GET, PUT and DELETE /v1/budgets: what keys and runs may spend on judges, and what they have spent."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from judge_server.core.budget import Budget, BudgetTerms, Payer, PayerKind
from judge_server.core.errors import UnknownBudget
from judge_server.core.model import Frozen
from judge_server.server.service import ServiceHere, StrictRoute, viewer
from judge_server.wiring.service import Service

router = APIRouter(prefix="/v1/budgets", tags=["budgets"], route_class=StrictRoute)


class BudgetList(Frozen):
    """By kind and name. ``share``: of the cap that is nearer to its end; 1 and more: it is spent."""

    budgets: list[Budget]


class NewBudget(BudgetTerms):
    """``anew``: what was spent before does not count."""

    anew: bool = False


class BudgetQuery(Frozen):
    kind: PayerKind
    name: str = Field(min_length=1, max_length=200)


@router.get("")
async def budgets(service: ServiceHere) -> BudgetList:
    """Budgets of the key and of its runs, or all (scope `read_all`), with what is spent."""
    await service.spending.read()
    caller = viewer(service)
    found = service.spending.standing()
    return BudgetList(budgets=[one for one in found if caller is None or await _concerns(service, one, caller)])


@router.put("")
async def set_budget(body: NewBudget, service: ServiceHere) -> Budget:
    """Set the caps of a key or a run. Other servers of the database learn of them within five seconds."""
    made = await service.store.budgets.put(body, datetime.now(UTC), anew=body.anew)
    await service.spending.read()
    return made


@router.delete("", status_code=204)
async def remove_budget(service: ServiceHere, query: Annotated[BudgetQuery, Query()]) -> None:
    """Remove the caps of a key or a run."""
    gone = await service.store.budgets.remove(Payer(query.kind, query.name))
    await service.spending.read()
    if not gone:
        raise UnknownBudget(f"The {query.kind} {query.name!r} has no budget.", remedy="List them with GET /v1/budgets.")


async def _concerns(service: Service, budget: Budget, caller: str) -> bool:
    if budget.kind == "key":
        return budget.name == caller
    return await service.store.runs.judged_by(budget.name, caller)
