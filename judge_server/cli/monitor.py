"""``judge-server monitor``: drift, saturation and reward hacking in what was judged."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.listing import Commands
from judge_server.cli.running import run

app = Commands(name="monitor", help="Drift, saturation and signs of reward hacking in stored judgments.")
queue = Commands(
    name="queue",
    help="Judgments sampled for people to label, and their labels back into a label set.",
    no_args_is_help=True,
)
app.add_typer(queue, name="queue")
LabelSet = Annotated[str, typer.Option("--label-set", metavar="NAME", help="The label set that the labels go into.")]
Count = typer.Option(min=0, max=1_000, help="Number of judgments from this stratum.")
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]
_ALARM = 1
_HOURS = 24.0


@app.callback(invoke_without_command=True)
@options.takes_flags
def monitor(
    context: typer.Context,
    rubric: Annotated[str | None, typer.Option("--rubric", metavar="ID", help="Only this rubric's judgments.")] = None,
    judge: Annotated[str | None, typer.Option("--judge", metavar="NAME", help="Only this judge's.")] = None,
    policy: Annotated[str | None, typer.Option("--policy", metavar="NAME", help="Only this policy's.")] = None,
    until: Annotated[
        datetime | None,
        typer.Option(
            "--until", metavar="TIME", help="Look back from this time instead of from now; UTC if it has no zone."
        ),
    ] = None,
    hours: Annotated[
        float | None, typer.Option("--hours", min=0.01, help="How far back the baseline begins (default 24).")
    ] = None,
    window: Annotated[
        int | None, typer.Option("--window", min=50, max=20_000, help="Judgments in each window (default 2000).")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also show findings that are ok or lack evidence.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Every finding, one JSON object a line.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit status 1 if there is an alarm.")] = False,
    *,
    store: options.StoreFlags,
) -> None:
    """Survey the stored judgments without a server: compare the oldest judgments of the last day with the newest.

    Example: judge-server monitor --database sqlite:///judge-server.db --exit-code
    """
    if context.invoked_subcommand is not None:
        return
    from judge_server.cli.actions.monitor import MonitorOptions, look, show

    settings = options.settings_given(store).with_database()
    findings = run(look(settings, MonitorOptions(rubric, judge, policy, until, hours, window)))
    show(findings, as_json, everything)
    if exit_code and any(one.state == "alarm" for one in findings):
        raise typer.Exit(_ALARM)


@app.command()
@options.takes_flags
def preference(
    run_name: Annotated[str, typer.Argument(metavar="RUN", help="A training run.")],
    base: Annotated[
        str | None,
        typer.Option("--base", metavar="RUN", help="Judgments of the base policy (default: the run's first steps)."),
    ] = None,
    sample: Annotated[int, typer.Option("--sample", min=30, max=5_000, help="Prompts, two questions each.")] = 200,
    *,
    judging: options.JudgeFlags,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="NAME", help="Who prefers: rather not the judge that rewards.")
    ] = None,
    store: options.StoreFlags,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit status 1 if there is an alarm.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask a judge without the rubric whether the end of a run is better than its beginning, on the same prompts.

    If the reward rises and the preference falls, both beyond doubt, the rubric has a hole: that is the alarm.

    Example: judge-server monitor preference grpo-7 --judge strong --config judges.toml
    """
    from judge_server.cli.actions.free_preference import PreferenceOptions, prefer

    settings = options.settings_given(judging, store)
    found = run(prefer(settings, PreferenceOptions(run_name, base, judge, sample, as_json)))
    if exit_code and found.state == "alarm":
        raise typer.Exit(_ALARM)


@queue.command("draw")
@options.takes_flags
def draw_items(
    label_set: LabelSet,
    rubric: Annotated[str | None, typer.Option("--rubric", metavar="ID", help="Only this rubric's judgments.")] = None,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="NAME", help="Whose judgments; the default judge's.")
    ] = None,
    policy: Annotated[str | None, typer.Option("--policy", metavar="NAME", help="Only this policy's.")] = None,
    disagreement: Annotated[int, Count] = 20,
    flagged: Annotated[int, Count] = 20,
    high_reward: Annotated[int, Count] = 20,
    random: Annotated[int, Count] = 20,
    hours: Annotated[float, typer.Option("--hours", min=0.01, help="How far back.")] = _HOURS,
    as_json: AsJson = False,
    *,
    store: options.StoreFlags,
) -> None:
    """Draw a stratified sample of judgments, more of those where the judge is suspect, with weights for unbiased
    estimates.

    Example: judge-server monitor queue draw --label-set audit/june --rubric medical/consultation
    """
    from judge_server.cli.actions.monitor import drawn, show_drawn
    from judge_server.core.audit_queue import Sizes

    settings = options.settings_given(store).with_database()
    sizes = Sizes(disagreement=disagreement, flagged=flagged, high_reward=high_reward, random=random)
    show_drawn(run(drawn(settings, label_set, (rubric, judge, policy), sizes, hours * 3_600)), as_json)


@queue.command("export")
@options.takes_flags
def export_items(
    file: Annotated[Path, typer.Argument(metavar="FILE|-", allow_dash=True, help="Output file.")],
    label_set: LabelSet,
    annotator: Annotated[
        str | None, typer.Option("--annotator", metavar="NAME", help="Only items that this annotator has not labelled.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=10_000)] = 200,
    *,
    store: options.StoreFlags,
) -> None:
    """Write the open items as JSON Lines: conversation, response, criteria, and empty labels to fill in."""
    from judge_server.cli.actions.monitor import export

    settings = options.settings_given(store).with_database()
    count = run(export(settings, label_set, annotator, limit, file))
    typer.echo(f"{count} items" if count else f"0 items: nothing is open in {label_set}", err=True)


@queue.command("import")
@options.takes_flags
def import_labels(
    file: Annotated[Path, typer.Argument(metavar="FILE|-", allow_dash=True, help="The exported file, labelled.")],
    label_set: LabelSet,
    annotator: Annotated[str, typer.Option("--annotator", metavar="NAME", help="Name of the annotator.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace earlier labels of the annotator.")] = False,
    as_json: AsJson = False,
    *,
    store: options.StoreFlags,
) -> None:
    """Import labels; items with null labels stay open."""
    from judge_server.cli.actions.monitor import imported, show_added

    settings = options.settings_given(store).with_database()
    show_added(run(imported(settings, label_set, annotator, file, replace=replace)), as_json)


@queue.command("estimate")
@options.takes_flags
def estimate_agreement(
    label_set: LabelSet,
    as_json: AsJson = False,
    *,
    store: options.StoreFlags,
) -> None:
    """Estimate how often people agree with each judge over all judgments, from the labels so far, reweighted."""
    from judge_server.cli.actions.monitor import estimated, show_estimates

    settings = options.settings_given(store).with_database()
    show_estimates(run(estimated(settings, label_set)), as_json)
