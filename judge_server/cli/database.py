"""``judge-server database``: revisions of the tables, size, pruning and erasure."""

from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.listing import Commands
from judge_server.cli.running import run

app = Commands(
    name="database",
    help="The server's database: migrate it, see what takes room, remove what is old, erase what must go.",
    no_args_is_help=True,
)
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and change nothing.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


@app.command()
@options.takes_flags
def current(*, store: options.StoreFlags) -> None:
    """Show the revision of the tables, the newest that this judge-server knows, and which version migrated them."""
    from judge_server.cli.actions.database import show_standing

    run(show_standing(options.settings_given(store).with_database()))


@app.command()
@options.takes_flags
def upgrade(dry_run: DryRun = False, *, store: options.StoreFlags) -> None:
    """Migrate the tables to this judge-server. With --dry-run the SQL is printed, after it was run and rolled back."""
    from judge_server.cli.actions.database import migrate

    run(migrate(options.settings_given(store).with_database(), "head", down=False, dry_run=dry_run))


@app.command()
@options.takes_flags
def downgrade(
    revision: Annotated[str, typer.Argument(metavar="REVISION", help="Such as 0011; what came later is reverted.")],
    dry_run: DryRun = False,
    *,
    store: options.StoreFlags,
) -> None:
    """Take migrations back before an older judge-server is started. What only newer tables hold is deleted."""
    from judge_server.cli.actions.database import migrate

    run(migrate(options.settings_given(store).with_database(), revision, down=True, dry_run=dry_run))


@app.command()
@options.takes_flags
def check(*, store: options.StoreFlags) -> None:
    """Compare the tables with those of this judge-server. The exit status is 1 if they differ."""
    from judge_server.cli.actions.database import check_tables

    if not run(check_tables(options.settings_given(store).with_database())):
        raise typer.Exit(1)


@app.command()
@options.takes_flags
def stats(as_json: AsJson = False, *, store: options.StoreFlags) -> None:
    """Show judgments and their age by retention class, remembered verdicts, and rows and bytes by table."""
    from judge_server.cli.actions.database import show_statistics

    run(show_statistics(options.settings_given(store).with_database(), as_json=as_json))


@app.command()
@options.takes_flags
def recount(*, store: options.StoreFlags) -> None:
    """Count the steps and groups of every training run anew from its judgments.

    They are kept up to date with the judgments; this is for a database that another program has changed. A running
    server waits with its judgments meanwhile.

    Example: judge-server database recount --config judge-server.toml
    """
    from judge_server.cli.actions.database import recount_runs

    run(recount_runs(options.settings_given(store).with_database()))


@app.command()
@options.takes_flags
def prune(dry_run: DryRun = False, *, store: options.StoreFlags) -> None:
    """Remove judgments older than retention_days of the configuration, and remembered verdicts older than
    verdict_retention_days; a running server does so by itself. It takes its time, so that a server beside it goes on.

    Example: judge-server database prune --dry-run --config judge-server.toml
    """
    from judge_server.cli.actions.database import prune_old

    run(prune_old(options.settings_given(store).with_database(), dry_run=dry_run))


@app.command()
@options.takes_flags
def erase(
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; it is kept, the texts are not.")],
    judgment: Annotated[str | None, typer.Option("--judgment", metavar="ID", help="This judgment.")] = None,
    submission: Annotated[str | None, typer.Option("--submission", metavar="ID", help="Of this submission.")] = None,
    run_name: Annotated[str | None, typer.Option("--run", metavar="RUN", help="Of this run.")] = None,
    group: Annotated[str | None, typer.Option("--group", metavar="GROUP", help="Of this group.")] = None,
    policy: Annotated[str | None, typer.Option("--policy", metavar="NAME", help="Of this policy.")] = None,
    tag: Annotated[str | None, typer.Option("--tag", metavar="TAG", help="With this tag.")] = None,
    caller: Annotated[str | None, typer.Option("--caller", metavar="NAME", help="Of this API key.")] = None,
    *,
    store: options.StoreFlags,
) -> None:
    """Erase judgments that match every given option, with their texts, audits and remembered verdicts.

    Example: judge-server database erase --submission row-17 --reason "asked for by the patient"
    """
    from judge_server.cli.actions.database import erase_matching

    given = {"judgment": judgment, "submission": submission, "run": run_name, "group": group, "policy": policy}
    given |= {"tag": tag, "caller": caller}
    run(erase_matching(options.settings_given(store).with_database(), given, reason))
