"""``judge-server keys``: API keys."""

from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.listing import Commands
from judge_server.core.caller import PriorityClass

app = Commands(
    name="keys",
    help="Create, list and revoke the API keys in a server's database.",
    no_args_is_help=True,
)
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


@app.command()
@options.takes_flags
def create(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="User of the key; keys with the same name are one caller.")
    ],
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope",
            metavar="score|author|label|metrics|read_all|admin",
            help="Scope (default score). Repeatable; admin includes all.",
        ),
    ] = None,
    expires: Annotated[
        str | None, typer.Option("--expires", metavar="TIME", help="12h, 30d, 8w, or a date such as 2027-01-31.")
    ] = None,
    requests_per_second: Annotated[
        float | None, typer.Option("--requests-per-second", min=0.001, help="Long-run rate, for each server process.")
    ] = None,
    burst: Annotated[int | None, typer.Option("--burst", min=1, help="Requests at once.")] = None,
    submissions_under_way: Annotated[
        int | None, typer.Option("--submissions-under-way", min=1, help="Submissions judged at the same time.")
    ] = None,
    submissions_per_request: Annotated[
        int | None, typer.Option("--submissions-per-request", min=1, help="Items of a batch, a group or a job.")
    ] = None,
    priority: Annotated[
        PriorityClass,
        typer.Option("--priority", help="The most urgent priority class that it may request."),
    ] = "training",
    judge: Annotated[
        list[str] | None,
        typer.Option(
            "--judge", metavar="NAME", help="A judge to which its texts may be shown. Repeatable; default all."
        ),
    ] = None,
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Store nothing; print the table for the configuration file.")
    ] = False,
    as_json: AsJson = False,
    *,
    store: options.StoreFlags,
) -> None:
    """Create a key and print it once: the server stores only its digest.

    Example: judge-server keys create training-run-7 --scope score --expires 30d
    """
    from judge_server.cli.actions import keys as key_making

    allowance = {
        "requests_per_second": requests_per_second,
        "burst": burst,
        "submissions_under_way": submissions_under_way,
        "submissions_per_request": submissions_per_request,
        "judges": judge,
        "most_urgent": priority,
    }
    made = key_making.made(name, scope or ["score"], expires, allowance)
    settings = options.settings_given(store).with_database()
    if not print_config:
        made = key_making.kept(settings, made)
    kept_in = None if print_config else key_making.database_of(settings)
    key_making.show_new(made, kept_in=kept_in, as_json=as_json)


@app.command("list")
@options.takes_flags
def list_keys(
    as_json: AsJson = False,
    *,
    store: options.StoreFlags,
) -> None:
    """List the keys of the database and the configuration, newest first, without their secrets."""
    from judge_server.cli.actions import keys as key_making

    settings = options.settings_given(store).with_database()
    key_making.show(key_making.listed(settings), as_json)


@app.command()
@options.takes_flags
def revoke(
    key: Annotated[
        str, typer.Argument(metavar="ID|NAME|KEY", help="The key's id, a name (then every key of it), or a whole key.")
    ],
    as_json: AsJson = False,
    *,
    store: options.StoreFlags,
) -> None:
    """Revoke a key permanently. Running servers refuse it within 5 seconds.

    A leaked key can be given as a whole.

    Example: judge-server keys revoke training-run-7
    """
    from judge_server.cli.actions import keys as key_making

    settings = options.settings_given(store).with_database()
    key_making.show(key_making.revoked(settings, key), as_json)
