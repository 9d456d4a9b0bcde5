"""``judge-server monitor``: drift, saturation and reward hacking in what was judged."""

from datetime import datetime
from typing import Annotated

import typer

from judge_server.cli import monitor_queue, options
from judge_server.cli.running import run

app = typer.Typer(name="monitor", help="Drift, saturation and signs of reward hacking in stored judgments.")
app.add_typer(monitor_queue.app, name="queue")
_ALARM = 1


@app.callback(invoke_without_command=True)
def monitor(
    context: typer.Context,
    rubric: Annotated[str | None, typer.Option("--rubric", metavar="ID", help="Only this rubric's judgments.")] = None,
    judge: Annotated[str | None, typer.Option("--judge", metavar="NAME", help="Only this judge's.")] = None,
    policy: Annotated[str | None, typer.Option("--policy", metavar="NAME", help="Only this policy's.")] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--until", metavar="TIME", help="Look back from then instead of from now; UTC without a zone."),
    ] = None,
    hours: Annotated[
        float | None, typer.Option("--hours", min=0.01, help="How far back the baseline begins (default 24).")
    ] = None,
    window: Annotated[
        int | None, typer.Option("--window", min=50, max=20_000, help="Judgments in each window (default 2000).")
    ] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also what is well, and what has too little evidence.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Every finding, one JSON object a line.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit status 1 where there is an alarm.")] = False,
    database: options.Database = None,
    config: options.Config = None,
) -> None:
    """Look at what is stored, without a server: the oldest judgments of the last day against the newest.

    Example: judge-server monitor --database sqlite:///judge-server.db --exit-code
    """
    if context.invoked_subcommand is not None:
        return
    from judge_server.cli.actions.monitor import Wanted, look, show

    settings = options.settings_given(config=config, database=database).with_database()
    findings = run(look(settings, Wanted(rubric, judge, policy, until, hours, window)))
    show(findings, as_json, everything)
    if exit_code and any(one.state == "alarm" for one in findings):
        raise typer.Exit(_ALARM)
