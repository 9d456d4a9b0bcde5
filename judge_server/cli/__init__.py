"""The command line: one file for each command family.

A command's file holds its flags and its help and imports nothing heavy; what it does stands in a file of its own
(``score`` and ``line_scoring``, ``demo`` and ``demonstration``, …), imported when the command runs. So ``--help`` and
``--version`` answer at once.
"""

import typer

from judge_server import __version__
from judge_server.cli import (
    attack,
    bench,
    calibrate,
    data,
    demo,
    doctor,
    jobs,
    keys,
    monitor,
    rescore,
    rubric,
    score,
    serve,
)

app = typer.Typer(
    name="judge-server",
    help="Score responses against expert rubrics with a judge model; a judge that failed is never a reward.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve.serve)
app.command("score")(score.score)
app.command("demo")(demo.demo)
app.add_typer(rubric.app, name="rubric")
app.add_typer(calibrate.app, name="calibrate")
app.add_typer(data.app, name="data")
app.add_typer(jobs.app, name="jobs")
app.add_typer(monitor.app, name="monitor")
app.add_typer(keys.app, name="keys")
app.command("rescore")(rescore.rescore)
app.command("bench")(bench.bench)
app.command("attack")(attack.attack)
app.command("doctor")(doctor.doctor)


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
    app()
