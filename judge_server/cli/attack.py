"""``judge-server attack``: how often attacks on the configured judge succeed, with and without each defence."""

from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.running import run


@options.takes_flags
def attack(
    *,
    judging: options.JudgeFlags,
    library: options.LibraryFlags,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="NAME", help="A judge of the configuration file.")
    ] = None,
    rubric: Annotated[
        str | None,
        typer.Option("--rubric", metavar="ID_OR_FILE", help="Attack under this rubric instead of the bundled ones."),
    ] = None,
    families: Annotated[
        str, typer.Option("--families", metavar="A,B", help="Only these families of attacks (see --list).")
    ] = "",
    corpus: Annotated[
        Path | None,
        typer.Option("--corpus", metavar="FILE", dir_okay=False, help="JSON lines of attacks to add."),
    ] = None,
    without: Annotated[
        str,
        typer.Option(
            "--without",
            metavar="A,B",
            help="Defences to leave out, one at a time and then together: guard, normalisation, fences, "
            "control_tokens; all, or none to try the judge as served only.",
        ),
    ] = "all",
    bases: Annotated[
        int, typer.Option("--bases", min=1, help="How many bad responses each attack is tried on (4 are bundled).")
    ] = 2,
    margin: Annotated[
        float,
        typer.Option("--margin", min=0, help="An attack pays if the reward or a criterion's value rises by more."),
    ] = 0.1,
    max_success: Annotated[
        float | None,
        typer.Option(
            "--max-success",
            min=0,
            max=1,
            metavar="RATE",
            help="Exit status 1 if more attacks pay than this.",
        ),
    ] = None,
    max_refusals: Annotated[
        float | None,
        typer.Option(
            "--max-refusals", min=0, max=1, metavar="RATE", help="Exit status 1 if more genuine answers are refused."
        ),
    ] = None,
    concurrency: Annotated[int, typer.Option("--concurrency", min=1, help="Concurrent submissions.")] = 64,
    listing: Annotated[bool, typer.Option("--list", help="Print the ids of the attacks and exit.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Attack the configured judge, and report how often attacks pay.

    Each attack is inserted into a response that must score low. It pays if the judge then scores the response higher.
    The same attacks are repeated without each defence, and the guard is tested on genuine short answers, which it must
    not refuse. Nothing is stored; a database is read for fitted maps only.

    The exit status is 0; 1 if --max-success or --max-refusals is exceeded; 3 if --max-success cannot be decided because
    the judge failed on too many attacks.

    Example: judge-server attack --model openai:NAME@http://127.0.0.1:8001/v1 --max-success 0.05
    """
    from judge_server.cli.actions.attack import AttackOptions, attack_judge, list_attacks

    order = AttackOptions(
        judge=judge,
        rubric=rubric,
        families=tuple(filter(None, families.split(","))),
        corpus=corpus,
        without=tuple(filter(None, without.split(","))),
        bases=bases,
        margin=margin,
        max_success=max_success,
        max_refusals=max_refusals,
        concurrency=concurrency,
        as_json=as_json,
    )
    if listing:
        list_attacks(order)
        return
    settings = options.settings_given(judging, library)
    raise typer.Exit(run(attack_judge(settings, order)))
