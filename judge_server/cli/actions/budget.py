"""``judge-server budget``: set, list and remove budgets in the database."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from judge_server.cli.actions.show import printable
from judge_server.core.budget import Budget, BudgetTerms, Payer
from judge_server.core.errors import BadInput, UnknownBudget
from judge_server.settings.settings import Settings
from judge_server.util.wording import money
from judge_server.wiring.storage import opened_store, standing_store


def _payer(key: str | None, run: str | None) -> Payer:
    """Raises BadInput unless exactly one is named."""
    if key is not None and run is None:
        return Payer("key", key)
    if run is not None and key is None:
        return Payer("run", run)
    raise BadInput("A budget belongs to one key or one run.", remedy="Give --key NAME or --run RUN, and not both.")


async def put(settings: Settings, key: str | None, run: str | None, caps: Mapping[str, Any], *, anew: bool) -> Budget:
    payer = _payer(key, run)
    try:
        terms = BudgetTerms(kind=payer.kind, name=payer.name, **caps)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        field = "".join(f"--{str(part).replace('_', '-')}: " for part in first["loc"])
        raise BadInput(f"{field}{first['msg']}.", remedy="Give --dollars, --tokens or both, above 0.") from None
    async with opened_store(settings) as store:
        return await store.budgets.put(terms, datetime.now(UTC), anew=anew)


async def listed(settings: Settings) -> tuple[Budget, ...]:
    async with standing_store(settings, migrate=False) as store:
        return await store.budgets.all()


async def take_away(settings: Settings, key: str | None, run: str | None) -> Payer:
    """Whose budget it was. Raises UnknownBudget."""
    payer = _payer(key, run)
    async with standing_store(settings) as store:
        if not await store.budgets.remove(payer):
            raise UnknownBudget(
                f"The {payer.kind} {payer.name!r} has no budget.", remedy="judge-server budget list shows all."
            )
    return payer


def show(budgets: Sequence[Budget], *, as_json: bool) -> None:
    if as_json:
        typer.echo(TypeAdapter(tuple[Budget, ...]).dump_json(tuple(budgets), exclude_none=True).decode())
        return
    table = Table("of", "name", "dollars", "tokens", "share", "since", box=None)
    for one in budgets:
        dollars = money(one.spent_dollars) + ("" if one.dollars is None else f" of {money(one.dollars)}")
        tokens = f"{one.spent_tokens:,}" if one.tokens is None else f"{one.spent_tokens:,} of {one.tokens:,}"
        name = escape(printable(one.name))
        table.add_row(one.kind, name, dollars, tokens, f"{one.share:.0%}", one.since.isoformat(timespec="seconds"))
    Console(highlight=False).print(table)
