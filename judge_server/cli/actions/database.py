"""``judge-server database``: migrations, size, pruning and erasure."""

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from judge_server.core.erasure import ErasureWish
from judge_server.core.errors import BadConfiguration, BadInput
from judge_server.settings.settings import Settings
from judge_server.store import migration
from judge_server.store.database import Database
from judge_server.store.fault import translate
from judge_server.store.location import Location
from judge_server.store.revision import standing
from judge_server.util.wording import many
from judge_server.wiring.storage import standing_store

T = TypeVar("T")


async def _with_tables(settings: Settings, work: Callable[[Database], T]) -> T:
    """The database without migrating it. Raises BadConfiguration if there is none."""
    location = Location.of(settings.database_url or "sqlite://")
    if location.file is not None and not location.file.exists():
        raise BadConfiguration(
            f"There is no database {location.file.absolute()}.", remedy="Name it with --database; a server makes one."
        )

    def opened() -> T:
        database = Database(location)
        try:
            return work(database)
        except Exception as fault:
            raise translate(fault, location, opening=True) from fault
        finally:
            database.close()

    return await asyncio.to_thread(opened)


async def show_standing(settings: Settings) -> None:
    found = await _with_tables(settings, standing)
    if found.revision is None:
        typer.echo("no tables yet: the server makes them when it starts, or judge-server database upgrade does now")
    else:
        typer.echo(f"revision {found.revision}, migrated by judge-server {found.version or 'unknown'}")
    typer.echo(f"this judge-server knows {found.newest}")
    if not found.known:
        typer.echo("the database is of a newer judge-server: upgrade judge-server before you use it")


async def migrate(settings: Settings, revision: str, *, down: bool, dry_run: bool) -> None:
    """Raises BadConfiguration for a revision that is not known."""
    if dry_run:
        for statement in await _with_tables(settings, lambda tables: migration.rehearse(tables, revision, down=down)):
            typer.echo(f"{statement};")
        return
    move = migration.downgrade if down else migration.upgrade
    await _with_tables(settings, lambda tables: move(tables, revision))
    await show_standing(settings)


async def check_tables(settings: Settings) -> bool:
    """Whether the tables are those of this judge-server."""
    found = await _with_tables(settings, migration.differences)
    for line in found or ["the tables are as they should be"]:
        typer.echo(line)
    return not found


async def show_statistics(settings: Settings, *, as_json: bool) -> None:
    async with standing_store(settings, migrate=False) as store:
        found = await store.erasures.statistics()
    if as_json:
        typer.echo(found.model_dump_json())
        return
    console = Console(highlight=False)
    judgments = Table("class", "judgments", "oldest", "newest", box=None)
    for one in found.judgments:
        times = ("" if at is None else at.isoformat(timespec="seconds") for at in (one.oldest, one.newest))
        judgments.add_row(one.kind, str(one.judgments), *times)
    days = ("" if at is None else at.date().isoformat() for at in (found.remembered.oldest, found.remembered.newest))
    judgments.add_row("remembered verdicts", str(found.remembered.verdicts), *days)
    tables = Table("table", "rows", "bytes with indexes", box=None)
    for table in found.tables:
        if table.rows:
            tables.add_row(table.table, str(table.rows), "unknown" if table.bytes is None else f"{table.bytes:,}")
    console.print(judgments)
    console.print(tables)


async def recount_runs(settings: Settings) -> None:
    async with standing_store(settings) as store:
        count = await store.runs.recount()
    typer.echo(f"{count} steps and groups of runs are counted anew")


async def prune_old(settings: Settings, *, dry_run: bool) -> None:
    """Judgments by class, and remembered verdicts, as slowly as a server does, because one may run beside."""
    from judge_server.workers.pruner import PacedRemoval, days_ago

    done = "would be removed" if dry_run else "removed"
    async with standing_store(settings, migrate=not dry_run) as store:
        if not settings.retention_days:
            typer.echo("retention_days is empty, so every judgment is kept")
        removal = PacedRemoval(store)
        for kind, days in settings.retention_days.items():
            before = days_ago(days)
            found = await store.erasures.prunable(kind, before)
            count = found.judgments if dry_run else await removal.judgments(kind, before)
            typer.echo(f"{kind}: {many(count, 'judgment')} older than {days:g} days {done}, {found.pinned} pinned")
        before = days_ago(settings.verdict_retention_days)
        remembered = await store.erasures.prunable_verdicts(before)
        if not dry_run:
            await removal.verdicts(before)
        days = settings.verdict_retention_days
        typer.echo(f"{remembered.verdicts} remembered verdicts older than {days:g} days {done}")


async def erase_matching(settings: Settings, given: Mapping[str, str | None], reason: str) -> None:
    try:
        wish = ErasureWish(reason=reason, **{name: value for name, value in given.items() if value is not None})
    except ValidationError as fault:
        told = fault.errors(include_url=False, include_input=False)[0]["msg"]
        raise BadInput(f"{told}.", remedy="Name what is erased, and why with --reason.") from None
    from judge_server.scoring.erasing import erase  # here, because it brings the judges, which other commands need not

    async with standing_store(settings) as store:
        made = await erase(store, wish, "command line")
    counts = ((made.judgments, "judgment"), (made.texts, "text"), (made.verdicts, "remembered verdict"))
    erased = ", ".join(many(count, noun) for count, noun in counts)
    typer.echo(f"{made.id}: {erased} erased")
    typer.echo("a running server keeps verdicts in memory until it restarts; backups and label sets are not reached")
