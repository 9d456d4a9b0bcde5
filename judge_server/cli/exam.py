"""``judge-server exam``: contrast pairs with known answers, for a judge without any labels."""

from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.running import run


@options.takes_flags
def exam(
    *,
    judging: options.JudgeFlags,
    library: options.LibraryFlags,
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="NAME", help="A judge of the configuration file.")
    ] = None,
    prompt: Annotated[
        str | None, typer.Option("--prompt", metavar="1|2", help="Version of the prompt, to compare them.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Decides the surface forms; another seed asks anew.")] = 0,
    pairs: Annotated[int, typer.Option("--pairs", min=1, max=500, help="Pairs in each family.")] = 20,
    families: Annotated[str, typer.Option("--families", metavar="A,B", help="Only these families.")] = "",
    longest: Annotated[
        int | None,
        typer.Option("--longest", min=1_000, help="Longest response in tokens (default: what the judge holds, 64000)."),
    ] = None,
    fail_under: Annotated[
        float | None,
        typer.Option("--fail-under", min=0, max=1, help="Exit status 1 if a family passes less than this share."),
    ] = None,
    output: Annotated[
        list[Path] | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the result: .md, .html, .json, or .xml (JUnit)."),
    ] = None,
    list_only: Annotated[
        bool, typer.Option("--list", help="Print the questions with their right answers as JSON lines and stop.")
    ] = False,
    past: Annotated[
        bool, typer.Option("--past", help="List the exams that the database keeps (of --judge), and stop.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Ask a judge contrast pairs whose right answers are known by construction, and print which kinds it fails.

    Pairs differ in one thing: a list, a warning, the turn, a unit, a language, the order of labels. A pair is passed if
    both answers are right. It needs no labels; it shows faults of reading, and not whether the judge agrees with
    experts. Exit status 1: a family is below --fail-under, or the judge always says the same.

    Results are kept in --database: --past lists them, and doctor, calibrate and the server's pages show the last one.

    Example: judge-server exam --model openai:qwen3-8b@http://127.0.0.1:8000/v1 --fail-under 0.8
    """
    from judge_server.cli.actions import exam as sitting

    settings = options.settings_given(judging, library)
    chosen = sitting.ExamOptions(
        judge=judge,
        prompt=prompt,
        seed=seed,
        pairs=pairs,
        families=tuple(name.strip() for name in families.split(",") if name.strip()),
        longest=longest,
        fail_under=fail_under,
        outputs=tuple(output or ()),
        as_json=as_json,
    )
    if past:
        run(sitting.list_past(settings, chosen))
        return
    if list_only:
        sitting.list_questions(chosen)
        return
    raise typer.Exit(run(sitting.examine(settings, chosen)))
