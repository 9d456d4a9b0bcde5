"""Budgets of keys and runs: set, listed, removed, and charged in the commits that hold judgments."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from judge_server.core.budget import Budget, BudgetTerms, Charge, Payer
from judge_server.store.database import MISSING, Run, insert_rows
from judge_server.store.payload import microseconds, moment
from judge_server.store.schema import BUDGET

_TERMS = ("dollars", "tokens", "warn_at")


class BudgetRecords:
    """Part of the store. Every method raises StoreUnavailable when the database does not answer."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def all(self) -> tuple[Budget, ...]:
        """By kind and name."""
        question = select(BUDGET).order_by(BUDGET.c.kind, BUDGET.c.name)
        return tuple(_budget(row) for row in await self._read(lambda connection: connection.execute(question).all()))

    async def put(self, terms: BudgetTerms, now: datetime, *, anew: bool = False) -> Budget:
        """Set the caps of a payer. What was spent before still counts, unless it begins ``anew``."""
        caps = terms.model_dump(include=set(_TERMS))
        begun = {"spent_dollars": 0.0, "spent_tokens": 0, "since_us": microseconds(now)}

        def work(connection: Connection) -> Budget:
            insert_rows(connection, BUDGET, [{"kind": terms.kind, "name": terms.name, **caps, **begun}], MISSING)
            changed = caps | (begun if anew else {})
            connection.execute(update(BUDGET).where(_of(terms.payer)).values(changed))
            return _budget(connection.execute(select(BUDGET).where(_of(terms.payer))).one())

        return await self._write(work)

    async def remove(self, payer: Payer) -> bool:
        """Whether there was one."""
        gone = delete(BUDGET).where(_of(payer))
        return bool(await self._write(lambda connection: connection.execute(gone).rowcount))


def _of(payer: Payer) -> Any:
    return (BUDGET.c.kind == payer.kind) & (BUDGET.c.name == payer.name)


def _budget(row: Row[Any]) -> Budget:
    return Budget(
        kind=row.kind,
        name=row.name,
        **{name: getattr(row, name) for name in _TERMS},
        spent_dollars=row.spent_dollars,
        spent_tokens=row.spent_tokens,
        since=moment(row.since_us),
    )


def add_charges(connection: Connection, charges: Sequence[Mapping[Payer, Charge]]) -> None:
    """Always in the same order, so that two processes cannot deadlock. One without a budget is charged nothing."""
    sums: dict[Payer, Charge] = {}
    for some in charges:
        for payer, charge in some.items():
            sums[payer] = sums.get(payer, Charge()).plus(charge)
    column = BUDGET.c
    for payer, charge in sorted(sums.items()):
        spent = {
            "spent_dollars": column.spent_dollars + charge.dollars,
            "spent_tokens": column.spent_tokens + charge.tokens,
        }
        own = (column.kind == payer.kind) & (column.name == payer.name)
        connection.execute(update(BUDGET).where(own).values(spent))
