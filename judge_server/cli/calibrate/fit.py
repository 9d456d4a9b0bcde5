"""``judge-server calibrate fit``: curves from a judge's values to people's labels."""

from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.calibrate.run import Partial, Positive


@options.takes_flags
def fit(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Labels of people and the judge, from calibrate run.")],
    rubric: Annotated[str, typer.Option("--rubric", metavar="ID_OR_FILE", help="The rubric they were judged under.")],
    judge: Annotated[
        str | None, typer.Option("--judge", metavar="NAME", help="The judge in the file (default: the only one).")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the maps here as JSON.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply/--no-apply", help="Use the maps in scoring from now on.")] = True,
    undo: Annotated[bool, typer.Option("--undo", help="Do not fit; use raw values of this judge again.")] = False,
    fingerprint: Annotated[
        str | None,
        typer.Option(
            "--fingerprint", metavar="SHA", help="The judge's fingerprint, if its rows are not from calibrate run."
        ),
    ] = None,
    partial: Partial = False,
    positive: Positive = None,
    min_labels: Annotated[int, typer.Option("--min-labels", min=10, help="Minimum number of labels for a curve.")] = 50,
    min_prompts: Annotated[
        int, typer.Option("--min-prompts", min=2, help="Minimum number of prompts for a curve.")
    ] = 20,
    rate: Annotated[
        list[float] | None,
        typer.Option(
            "--false-positive-rate", min=0, max=1, help="Choose the threshold for this rate (default 0.05). Repeatable."
        ),
    ] = None,
    *,
    library: options.LibraryFlags,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Fit Platt and isotonic curves by criterion, keep the one with the lower Brier score on labels held out by prompt,
    and use it in scoring.

    A criterion with too few labels is fitted on those of its tags, then of the whole rubric; if those are too few, or
    no curve helps, it stays raw. The locked test split is never fitted on. The exit status is 1 if nothing was fitted.

    Example: judge-server calibrate fit kqa.default.csv --rubric medical/consultation
    """
    from judge_server.cli.actions.calibrate import fit as fitting
    from judge_server.cli.running import run

    settings = options.settings_given(library)
    chosen = fitting.FitOptions(
        file=file,
        rubric=rubric,
        judge=judge,
        out=out,
        apply=apply,
        undo=undo,
        fingerprint=fingerprint,
        partial=partial,
        positives=tuple(positive or ()),
        min_labels=min_labels,
        min_prompts=min_prompts,
        rates=tuple(rate or (0.05,)),
        as_json=as_json,
    )
    if not run(fitting.fit_file(settings, chosen)):
        raise typer.Exit(1)
