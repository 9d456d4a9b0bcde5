"""``judge-server run``: what rewarded a training run, and a deliberate change of it."""

from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.listing import Commands
from judge_server.cli.running import run

app = Commands(
    name="run",
    help="Training runs: which rubric and judge rewarded which steps, and prompts that taught nothing.",
    no_args_is_help=True,
)
RunName = Annotated[str, typer.Argument(metavar="RUN", help="The field run of its submissions.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


@app.command("list")
@options.takes_flags
def list_runs(
    *,
    store: options.StoreFlags,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="Maximum number.")] = 100,
) -> None:
    """List runs, the latest pinned first."""
    from judge_server.cli.actions.runs import names

    settings = options.settings_given(store).with_database()
    for name in run(names(settings, limit)):
        typer.echo(name)


@app.command()
@options.takes_flags
def show(
    name: RunName,
    *,
    store: options.StoreFlags,
    as_json: AsJson = False,
) -> None:
    """Show what rewarded which steps: rubric content, judge, fitted maps and guard, with counts and mean reward; and
    how much of the advantages is chance of the judge.

    Example: judge-server run show grpo-7 --database sqlite:///judge-server.db
    """
    from judge_server.cli.actions.runs import show_summary, summary

    settings = options.settings_given(store).with_database()
    show_summary(*run(summary(settings, name)), as_json=as_json)


@app.command()
@options.takes_flags
def prompts(
    name: RunName,
    *,
    store: options.StoreFlags,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1_000, help="Maximum number.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Show prompts over the steps of a run, those whose rewards were equal most often first.

    A group with equal rewards has no advantage: the step learnt nothing from its prompt.
    """
    from judge_server.cli.actions.runs import prompts_of, show_prompts

    settings = options.settings_given(store).with_database()
    show_prompts(run(prompts_of(settings, name, limit)), as_json)


@app.command()
@options.takes_flags
def repin(
    name: RunName,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why the reward may change; it is kept.")],
    *,
    store: options.StoreFlags,
) -> None:
    """Let the next judgment of a run pin another rubric content, judge, set of maps or guard.

    Example: judge-server run repin grpo-7 --reason "typo in criterion 3" --database sqlite:///judge-server.db
    """
    from judge_server.cli.actions.runs import repin as give_up

    settings = options.settings_given(store).with_database()
    count = run(give_up(settings, name, reason))
    typer.echo(f"{count} pins of {name} given up; the next judgment pins what then answers")
