"""``judge-server calibrate cascade``: choose the band of a cascade on labels."""

from pathlib import Path
from typing import Annotated

import typer

from judge_server.cli import options
from judge_server.cli.calibrate.report import Reader, Reason


@options.takes_flags
def cascade(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Labels of people and of both judges.")],
    rubric: Annotated[str, typer.Option("--rubric", metavar="ID_OR_FILE", help="The rubric they were judged under.")],
    first: Annotated[str, typer.Option("--first", metavar="JUDGE", help="The cheap judge in the file.")],
    then: Annotated[str, typer.Option("--then", metavar="JUDGE", help="The strong judge in the file.")],
    agreement: Annotated[
        float | None,
        typer.Option("--agreement", min=0, max=1, help="The least agreement with people, at the least cost."),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option("--budget", min=0, max=1, help="The greatest share of questions that the second judge gets."),
    ] = None,
    by_criterion: Annotated[
        bool, typer.Option("--by-criterion", help="A band for each criterion instead of one for all.")
    ] = False,
    reader: Reader = None,
    reason: Reason = None,
    *,
    library: options.LibraryFlags,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Replay both judges' stored probabilities and choose the band in which the second judge is asked.

    The band is chosen on the dev split. Its agreement is reported on the locked test split, which needs --reader and
    --reason; on the items that chose it, it looks better than it is, and the output says so. Binary criteria only. The
    exit status is 1 if no band reaches what is wanted.

    Example: judge-server calibrate cascade both.csv --rubric ID --first cheap --then strong --agreement 0.9
    """
    from judge_server.cli.actions.calibrate import cascade as choosing
    from judge_server.cli.running import run

    settings = options.settings_given(library)
    wished = choosing.CascadeOptions(
        file=file,
        rubric=rubric,
        judges=(first, then),
        agreement=agreement,
        budget=budget,
        by_criterion=by_criterion,
        reader=reader,
        reason=reason,
        as_json=as_json,
    )
    if not run(choosing.choose(settings, wished)):
        raise typer.Exit(1)
