"""``judge-server doctor``: what this machine can run, and what to install."""

from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.running import run


def doctor(
    model: options.Model = None,
    mode: options.Mode = None,
    engine: options.Engine = None,
    rubrics: options.Rubrics = None,
    database: options.Database = None,
    config: options.Config = None,
    start: Annotated[
        bool, typer.Option("--start/--no-start", help="Start the configured judges and the store.")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what this machine can run and what to install.

    With --model or --config the judges are started and asked whether they answer. The exit status is 1 when something
    is at fault; what is merely absent is no fault.
    """
    from judge_server.cli.actions.doctor import diagnose, show
    from judge_server.settings.settings import Settings

    def settings() -> Settings:
        return options.settings_from(
            config=config, model=model, mode=mode, engine=engine, rubrics=rubrics, database=database
        )

    diagnoses = run(diagnose(settings, start=start))
    show(diagnoses, as_json)
    if any(diagnosis.state == "fault" for diagnosis in diagnoses):
        raise typer.Exit(1)
