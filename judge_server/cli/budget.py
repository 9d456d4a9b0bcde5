"""``judge-server budget``: what keys and runs may spend on judges."""

from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.listing import Commands
from judge_server.cli.running import run

app = Commands(
    name="budget",
    help="Caps in money or tokens for API keys and training runs, and what they have spent.",
    no_args_is_help=True,
)
Key = Annotated[str | None, typer.Option("--key", metavar="NAME", help="An API key, by its name.")]
RunName = Annotated[str | None, typer.Option("--run", metavar="RUN", help="The field run of submissions.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON for programs.")]


@app.command("set")
@options.takes_flags
def set_budget(
    key: Key = None,
    run_name: RunName = None,
    dollars: Annotated[float | None, typer.Option("--dollars", help="Cap in US dollars; needs prices.")] = None,
    tokens: Annotated[int | None, typer.Option("--tokens", help="Cap in tokens of prompts and answers.")] = None,
    warn_at: Annotated[float, typer.Option("--warn-at", help="Share from which on judgments carry a warning.")] = 0.8,
    anew: Annotated[bool, typer.Option("--anew", help="What was spent before does not count.")] = False,
    *,
    store: options.StoreFlags,
) -> None:
    """Set the caps of a key or a run. Running servers follow within five seconds; when a cap is reached, no judge is
    asked any more (402 budget_spent).

    Example: judge-server budget set --run grpo-7 --dollars 50
    """
    from judge_server.cli.actions.budget import put

    caps = {"dollars": dollars, "tokens": tokens, "warn_at": warn_at}
    made = run(put(options.settings_given(store).with_database(), key, run_name, caps, anew=anew))
    typer.echo(made.text)


@app.command("list")
@options.takes_flags
def list_budgets(as_json: AsJson = False, *, store: options.StoreFlags) -> None:
    """List budgets and what is spent of them."""
    from judge_server.cli.actions.budget import listed, show

    show(run(listed(options.settings_given(store).with_database())), as_json=as_json)


@app.command()
@options.takes_flags
def remove(key: Key = None, run_name: RunName = None, *, store: options.StoreFlags) -> None:
    """Remove the caps of a key or a run.

    Example: judge-server budget remove --run grpo-7
    """
    from judge_server.cli.actions.budget import take_away

    payer = run(take_away(options.settings_given(store).with_database(), key, run_name))
    typer.echo(f"the {payer.kind} {payer.name} has no budget any more")
