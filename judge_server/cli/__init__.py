"""The command line.

``commands.py`` holds the flags of commands without subcommands, and each other file those of one family. These files
import nothing heavy, so that ``--help`` and ``--version`` answer at once. The work is in ``actions/``, in a file of the
same name, which is imported when the command runs.
"""

import gc

import typer

from judge_server import __version__
from judge_server.cli import (
    attack,
    budget,
    calibrate,
    commands,
    data,
    database,
    evaluate,
    exam,
    jobs,
    keys,
    monitor,
    rubric,
    runs,
    sizing,
)
from judge_server.cli.listing import Commands
from judge_server.cli.running import BAD_USE
from judge_server.core.extra import absent

app = Commands(
    rich_markup_mode=None,  # with it names and choices are cropped at 80 columns
    name="judge-server",
    help="Score responses against expert rubrics with a judge model; a judge that failed is never a reward.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(commands.serve)
app.command("score")(commands.score)
app.command("demo")(commands.demo)
app.add_typer(rubric.app, name="rubric")
app.add_typer(calibrate.app, name="calibrate")
app.command("eval")(evaluate.evaluate)
app.add_typer(data.app, name="data")
app.add_typer(jobs.app, name="jobs")
app.add_typer(monitor.app, name="monitor")
app.add_typer(runs.app, name="run")
app.add_typer(database.app, name="database")
app.add_typer(keys.app, name="keys")
app.add_typer(budget.app, name="budget")
app.command("init")(commands.init)
app.command("show")(commands.show)
app.command("rescore")(commands.rescore)
app.command("bench")(commands.bench)
app.command("attack")(attack.attack)
app.command("exam")(exam.exam)
app.command("size")(sizing.size)
app.command("doctor")(commands.doctor)
app.command("docs")(commands.docs)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"judge-server {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version."),
) -> None:
    pass


def main() -> None:
    """Entry point of the ``judge-server`` command."""
    # Imports make objects that stay. Searching them again and again for garbage would take a tenth of a short command;
    # what serves sets its own limits (wiring/service.py).
    gc.set_threshold(200_000, 20, 50)
    if missing := absent("fcntl", "resource"):
        lacking = " and no ".join(missing)
        typer.echo(
            f"error: judge-server needs Linux or macOS: this Python has no {lacking}. On Windows run it in WSL or in a "
            "container; the client, judge_client, runs on Windows itself.",
            err=True,
        )
        raise SystemExit(BAD_USE)
    try:
        app()
    finally:
        gc.freeze()  # the end of the process frees them anyway: searching them all first took a quarter of "keys list"
